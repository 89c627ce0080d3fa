"""A data set as tensors, and the file that it is cached in."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

log = logging.getLogger(__name__)

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow makes grey
_ORDER_SEED = 1512_03385  # any constant: which images are held out must not depend on a run


@dataclass(frozen=True)
class Images:
    """A data set before validation images are taken from it.

    Attributes:
        train_images, test_images: uint8 (N, C, S, S).
        train_labels, test_labels: int64 (N,).
        classes: names in order of the labels.
        train_masks, test_masks: bool (N, S, S), true on the object; None where not known.
        notes: what a person should know, such as images that could not be read.
    """

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    classes: tuple[str, ...]
    train_masks: Tensor | None = None
    test_masks: Tensor | None = None
    notes: tuple[str, ...] = ()

    def shuffled(self) -> Images:
        """With the training images in a constant random order, so that any tail is a sample."""
        generator = torch.Generator().manual_seed(_ORDER_SEED)
        order = torch.randperm(len(self.train_labels), generator=generator)
        return replace(
            self,
            train_images=self.train_images[order],
            train_labels=self.train_labels[order],
            train_masks=None if self.train_masks is None else self.train_masks[order],
        )

    def resized(self, size: int) -> Images:
        """With square images of `size` pixels a side.

        Raises:
            ValueError: there are masks, which have to be drawn at their size.
        """
        if self.train_images.shape[-1] == size:
            return self
        if self.train_masks is not None:
            raise ValueError("masks cannot be resized; draw them at their size")
        return replace(
            self,
            train_images=resize(self.train_images, size),
            test_images=resize(self.test_images, size),
        )


def resize(images: Tensor, size: int) -> Tensor:
    """Images of `size` pixels a side, by antialiased bilinear interpolation.

    Args:
        images: uint8 (N, C, S, S).
    """
    if images.shape[-1] == size:
        return images
    return F.interpolate(images, (size, size), mode="bilinear", antialias=True)


def in_channels(images: Tensor, channels: int) -> Tensor:
    """Images in colour (3 channels) or in grey (1), as a net takes them.

    Args:
        images: uint8 (N, C, S, S), grey or in colour.
    """
    if images.shape[1] == channels:
        return images
    if channels == 3:
        return images.expand(-1, 3, -1, -1)
    luma = torch.tensor(_LUMA).reshape(1, 3, 1, 1)
    return (images.float() * luma).sum(1, keepdim=True).round().byte()


def write_cache(path: Path, images: Images, fingerprint: str) -> None:
    """Store `images` in one file, whole or not at all.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    tensors = {
        name: value.contiguous() for name, value in vars(images).items() if torch.is_tensor(value)
    }
    metadata = {
        "fingerprint": fingerprint,
        "classes": json.dumps(images.classes),
        "notes": json.dumps(images.notes),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        save_file(tensors, part, metadata=metadata)
        part.replace(path)
    except SafetensorError as error:  # how safetensors reports a full disk
        raise OSError(str(error)) from error
    finally:
        part.unlink(missing_ok=True)


def keep(path: Path, images: Images, fingerprint: str) -> None:
    """`write_cache` where a failure only means that the next load takes as long as this one."""
    try:
        write_cache(path, images, fingerprint)
    except OSError as error:
        log.warning("decoded images could not be kept in %s: %s", path, error)


def read_cache(path: Path, fingerprint: str) -> Images | None:
    """What `write_cache` stored, mapped into memory, or None if there is nothing fitting.

    The pages of the file are shared between processes, so that two workers hold one copy.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("fingerprint") != fingerprint:
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return Images(
                classes=tuple(json.loads(metadata["classes"])),
                notes=tuple(json.loads(metadata["notes"])),
                **tensors,
            )
    except FileNotFoundError:
        return None
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        log.warning("%s is not readable and will be made again: %s", path, error)
        return None
