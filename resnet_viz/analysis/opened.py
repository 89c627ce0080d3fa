"""The net of a source, open and ready to be looked into; the last few are kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from resnet_viz.analysis.trained import read_trained, restore
from resnet_viz.nets.build import Net, count_parameters
from resnet_viz.sources import NetCard, Source
from resnet_viz.specs import RunSpec
from resnet_viz.training.checkpoint import Checkpoint

OPEN_NETS = 4


@dataclass(frozen=True, eq=False)
class Opened:
    """A net in evaluation mode, float32, its weights frozen.

    Attributes:
        net: takes normalised images (B, channels, S, S), gives logits (B, classes).
        card: what is known of it.
    """

    net: Net
    card: NetCard

    def normalise(self, images: Tensor) -> Tensor:
        """uint8 (B, C, S, S) -> float32 as the net takes them."""
        mean = torch.tensor(self.card.mean).reshape(1, -1, 1, 1)
        std = torch.tensor(self.card.std).reshape(1, -1, 1, 1)
        return (images.float() / 255 - mean) / std


def open_net(source: Mapping[str, Any]) -> Opened:
    """The net of a source (`Source.to_dict`).

    Raises:
        SpecError: not a source.
        CheckpointError: its file is gone, damaged, or of another net.
    """
    return _open(Source.from_dict(source))


@lru_cache(maxsize=OPEN_NETS)
def _open(source: Source) -> Opened:
    if source.kind == "run":
        run = RunSpec.from_json(source.spec)
        assert source.step is not None
        found = read_trained(Path(source.path), source.step, run)
    elif source.kind == "bundled":
        with as_file(
            files("resnet_viz") / "assets" / "nets" / f"{source.name}.safetensors"
        ) as path:
            found = Checkpoint.load(path)
        run = RunSpec.from_dict(found.meta["spec"])
    else:
        raise NotImplementedError(source.kind)
    net, card = _trained(found, run)
    return Opened(net.eval().requires_grad_(False), card)


def _trained(found: Checkpoint, run: RunSpec) -> tuple[Net, NetCard]:
    """The net of one of our own checkpoints, and what its file says."""
    meta = found.meta
    tensors = {name: t.float() if t.is_floating_point() else t for name, t in found.tensors.items()}
    found = Checkpoint(found.step, tensors, meta)
    channels = len(meta["mean"])
    net = restore(found, run.net, len(meta["classes"]), channels)
    card = NetCard(
        title=run.net.name,
        net=run.net,
        classes=tuple(meta["classes"]),
        image_size=run.data.image_size or 32,
        channels=channels,
        mean=tuple(meta["mean"]),
        std=tuple(meta["std"]),
        parameters=count_parameters(net),
        step=found.step,
        data=run.data,
        trained_on=json.dumps(run.data.to_dict()),
    )
    return net, card


def measure_card(source: Mapping[str, Any]) -> NetCard:
    """What is known of a net."""
    return open_net(source).card
