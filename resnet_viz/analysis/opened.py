"""The net of a source, open and ready to be looked into; the last few are kept."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from resnet_viz.analysis.net_files import file_net, trained_net
from resnet_viz.analysis.randomised import fresh_note, own_pictures, randomise
from resnet_viz.analysis.trained import read_trained
from resnet_viz.checks import check_choice
from resnet_viz.i18n import _
from resnet_viz.nets.build import Net
from resnet_viz.nets.bundled import bundled_names, bundled_nets, bundled_path
from resnet_viz.nets.imagenet import open_imagenet
from resnet_viz.nets.weights_file import WeightsError, check_memory
from resnet_viz.sources import NetCard, Source
from resnet_viz.specs import RunSpec, SpecError
from resnet_viz.training.checkpoint import Checkpoint, CheckpointError

KEPT_NETS = 8
KEPT_PARAMETERS = 200_000_000  # of all of them together, 0.8 GB; the last net may have more


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
        return _normalise(images, self.card)


_kept: OrderedDict[Source, Opened] = OrderedDict()  # the one that was not used for longest first


def open_net(source: Mapping[str, Any]) -> Opened:
    """The net of a source (`Source.to_dict`).

    Raises:
        SpecError: not a source, or one that asks for a part that the net has not.
        CheckpointError, WeightsError: its file is gone, damaged, of another net, or too large for
            the memory that is free.
    """
    wanted = Source.from_dict(source)
    found = _kept.pop(wanted, None) or _open(wanted)
    _kept[wanted] = found
    while len(_kept) > 1 and not _may_be_kept():
        _kept.popitem(last=False)
    return found


def _may_be_kept() -> bool:
    total = sum(opened.card.parameters for opened in _kept.values())
    return len(_kept) <= KEPT_NETS and total <= KEPT_PARAMETERS


def _open(source: Source) -> Opened:
    net, card = _read(source)
    if source.randomised:
        pictures = _normalise(own_pictures(card.image_size, card.channels), card)
        randomise(net, source.randomised, source.seed, pictures)
        card = _randomised_card(card, source.randomised)
    return Opened(net.eval().requires_grad_(False), card)


def _read(source: Source) -> tuple[Net, NetCard]:
    if source.kind == "bundled":
        return _bundled(source.name)
    if os.path.isfile(source.path):  # else whoever opens it says what is missing
        name = source.name if source.kind == "file" else Path(source.path).name
        check_memory(os.path.getsize(source.path), name)
    if source.kind == "run":
        return _run(source)
    if source.kind == "imagenet":
        return open_imagenet(source.name, source.path)
    return _file(source)


def _bundled(name: str) -> tuple[Net, NetCard]:
    check_choice("bundled net", name, bundled_names())
    about = next(net for net in bundled_nets() if net.name == name)
    path = bundled_path(name)
    net, card = trained_net(Checkpoint.load(path), about.run, name, path.name)
    note = _("Comes with this program, which trained it; see its model card.")
    card = replace(card, trained_on=about.trained_on, test_error=about.test_error, notes=(note,))
    return net, card


def _run(source: Source) -> tuple[Net, NetCard]:
    if source.step is None:
        raise SpecError(_("{net} does not say at which step.").format(net=source.name))
    run = RunSpec.from_json(source.spec)
    path = Path(source.path)
    found = read_trained(path, source.step, run)
    return trained_net(found, run, f"{run.net.name} ({source.name})", path.name)


def _file(source: Source) -> tuple[Net, NetCard]:
    """A file of one's own; what is wrong with it is said of the name that it came with."""
    path = Path(source.path)
    try:
        return file_net(path, source.name, source.statistics)
    except (WeightsError, CheckpointError, SpecError) as error:
        raise type(error)(str(error).replace(path.name, source.name)) from None


def _randomised_card(card: NetCard, lowest: str) -> NetCard:
    title = _("{net}, fresh from the head to {part}").format(net=card.title, part=lowest)
    notes = (fresh_note(lowest), *card.notes)
    return replace(card, title=title, step=None, test_error=None, notes=notes)


def _normalise(images: Tensor, card: NetCard) -> Tensor:
    mean = torch.tensor(card.mean).reshape(1, -1, 1, 1)
    std = torch.tensor(card.std).reshape(1, -1, 1, 1)
    return (images.float() / 255 - mean) / std


def measure_card(source: Mapping[str, Any]) -> NetCard:
    """What is known of a net."""
    return open_net(source).card
