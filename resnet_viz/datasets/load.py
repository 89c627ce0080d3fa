"""From a `DataSpec` to tensors: the one way in which a training gets its images."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import psutil
import torch
from torch import Tensor

from resnet_viz.datasets import catalogue, digits, folder, published, shapes
from resnet_viz.datasets.errors import DataError
from resnet_viz.datasets.images import Images, keep, read_cache
from resnet_viz.datasets.scan import scan
from resnet_viz.home import datasets_home
from resnet_viz.i18n import _
from resnet_viz.specs import DataSpec

MIN_PER_CLASS = 2
_COPIES = 2  # of the images, while they are put in order


@dataclass(frozen=True, eq=False)  # tensors do not compare as values do
class Dataset:
    """A data set in memory, ready to be trained on.

    Attributes:
        train_images, val_images, test_images: uint8 (N, C, S, S); `val_images` may be empty.
        train_labels, val_labels, test_labels: int64 (N,).
        classes: names in order of the labels.
        mean, std: float32 (C,), of the training images' channels scaled to 0..1.
        train_masks, test_masks: bool (N, S, S), true on the object; None where not known.
        notes: what a person should know, such as images that could not be read.
    """

    train_images: Tensor
    train_labels: Tensor
    val_images: Tensor
    val_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    classes: tuple[str, ...]
    mean: Tensor
    std: Tensor
    train_masks: Tensor | None = None
    test_masks: Tensor | None = None
    notes: tuple[str, ...] = ()


def load(data: DataSpec) -> Dataset:
    """The images of `data`, from memory, from a file of decoded images, or made anew.

    Augmentation is not applied here; see `batches.augment`.

    Raises:
        DataError: not downloaded yet, a folder that cannot be used, or too many validation
            images; the message says what to do.
    """
    fingerprint = ""
    if data.name == "folder":  # whose files may have changed since the last call
        assert data.folder is not None
        fingerprint = scan(data.folder).fingerprint
    plain = replace(data, crop_padding=0, flip=False)
    return _load(plain, str(datasets_home()), fingerprint)


@lru_cache(maxsize=4)
def _load(data: DataSpec, _home: str, _fingerprint: str) -> Dataset:
    images = _images(data)
    n_train = len(images.train_labels) - data.val_images
    _check_split(images, n_train)
    train = images.train_images[:n_train]
    mean, std = channel_statistics(train)
    return Dataset(
        train_images=train,
        train_labels=images.train_labels[:n_train],
        val_images=images.train_images[n_train:],
        val_labels=images.train_labels[n_train:],
        test_images=images.test_images,
        test_labels=images.test_labels,
        classes=images.classes,
        mean=mean,
        std=std,
        train_masks=None if images.train_masks is None else images.train_masks[:n_train],
        test_masks=images.test_masks,
        notes=images.notes,
    )


def _images(data: DataSpec) -> Images:
    """All images of `data` at the size that it asks for, the training images shuffled."""
    cache = datasets_home() / "cache"
    if data.name == "folder":
        assert data.folder is not None
        listing = scan(data.folder)
        size = data.image_size or catalogue.FOLDER_IMAGE_SIZE
        name = hashlib.sha256(str(listing.root).encode()).hexdigest()[:16]
        _check_memory((len(listing.train) + len(listing.test)) * 3 * size**2)
        path = cache / f"folder-{name}-{size}.safetensors"
        fingerprint = f"{folder.FINGERPRINT} {listing.fingerprint}"
        return _cached(path, fingerprint, lambda: folder.make_folder(listing, size))
    about = catalogue.describe(data)
    size = about.image_size
    _check_memory((about.train_images + about.test_images) * about.channels * size**2)
    if data.name == "shapes":
        path = cache / f"shapes-{size}.safetensors"
        return _cached(path, shapes.FINGERPRINT, lambda: shapes.make_shapes(size))
    if data.name == "digits":
        path = cache / "digits.safetensors"
        return _cached(path, digits.FINGERPRINT, digits.make_digits).resized(size)
    path = datasets_home() / data.name / catalogue.DECODED
    return _cached(path, data.name, lambda: published.unpack(data.name)).resized(size)


def _check_memory(images_bytes: int) -> None:
    total = psutil.virtual_memory().total
    if _COPIES * images_bytes > total:
        raise DataError(
            _(
                "These images take {need:.1f} GB in memory, and {copies} times that while they "
                "are being read; this computer has {total:.1f} GB. Choose a smaller image size."
            ).format(need=images_bytes / 1e9, copies=_COPIES, total=total / 1e9)
        )


def _cached(path: Path, fingerprint: str, make: Callable[[], Images]) -> Images:
    images = read_cache(path, fingerprint)
    if images is None:
        images = make().shuffled()
        keep(path, images, fingerprint)
    return images


def _check_split(images: Images, n_train: int) -> None:
    """Refuse validation images that leave a class with less than two training images."""
    total = len(images.train_labels)
    most = _most_validation_images(images)
    if total - n_train > most:
        raise DataError(
            _(
                "{n_val} validation images of {total} leave fewer than {least} training images "
                "for a class. Use at most {most}."
            ).format(n_val=total - n_train, total=total, least=MIN_PER_CLASS, most=most)
        )


def _most_validation_images(images: Images) -> int:
    """The longest tail of the training images that leaves every class enough of them."""
    last_needed = 0
    for label in range(len(images.classes)):
        positions = torch.nonzero(images.train_labels == label).flatten()
        if len(positions) < MIN_PER_CLASS:
            return 0
        last_needed = max(last_needed, int(positions[MIN_PER_CLASS - 1]))
    return len(images.train_labels) - 1 - last_needed


def channel_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel, of values scaled to 0..1.

    Sums are of whole numbers, so that the result does not depend on threads. A standard deviation
    is at least one grey level, so that a constant channel can be divided by it.

    Args:
        images: uint8 (N, C, S, S), N > 0.

    Returns:
        float32 (C,) each.
    """
    pixels = images.flatten(2).numpy()  # (N, C, S*S)
    sums = np.zeros(pixels.shape[1], np.int64)
    squares = np.zeros_like(sums)
    for chunk in np.array_split(pixels, max(1, pixels.nbytes // 2**22)):
        sums += np.einsum("ncx->c", chunk, dtype=np.int64, casting="unsafe")
        squares += np.einsum("ncx,ncx->c", chunk, chunk, dtype=np.int64, casting="unsafe")
    count = pixels.shape[0] * pixels.shape[2]
    mean = sums / count
    std = np.sqrt(np.maximum(squares / count - mean**2, 1.0))
    return torch.tensor(mean / 255).float(), torch.tensor(std / 255).float()
