"""How far maps can be trusted, computed in the analysis process."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from resnet_viz.analysis.opened import Opened, open_net
from resnet_viz.analysis.pictures import as_input
from resnet_viz.datasets.errors import DataError
from resnet_viz.datasets.load import Dataset, load
from resnet_viz.datasets.picture import picture_text
from resnet_viz.i18n import _
from resnet_viz.probes.attributions.subject import make_baseline
from resnet_viz.probes.trust import (
    infidelity_parts,
    mixed_probabilities,
    pixel_order,
    random_order,
    random_squares,
)
from resnet_viz.specs import DataSpec


def mix(
    net: Mapping[str, Any],
    image: str,
    target: int,
    kind: str,
    counts: list[int],
    values: str | None = None,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Points of an insertion or deletion curve.

    Deletion puts the mean colour in the pixels' place; insertion puts pixels into a blurred copy.

    Args:
        kind: "deletion" or "insertion".
        counts: pixels changed, a point each.
        values: one value a pixel, whose order is the pixels'; None for an order drawn by lot.
        seed: of that order.

    Returns:
        (len(counts),), probability of the target.
    """
    opened = open_net(net)
    own = as_input(image, opened)
    pixels = opened.card.image_size**2
    order = random_order(pixels, seed) if values is None else pixel_order(_unpack(values, opened))
    other = {"deletion": "mean", "insertion": "blurred"}[kind]
    baseline = make_baseline(other, own, opened.card.mean, opened.card.std)
    start, end = (own, baseline) if kind == "deletion" else (baseline, own)
    return mixed_probabilities(opened.net, start, end, order, counts, target)


def cover(
    net: Mapping[str, Any],
    image: str,
    values: str,
    target: int,
    local: bool,
    seed: int,
    first: int,
    count: int,
) -> tuple[float, float, float]:
    """`infidelity_parts` of so many squares, beginning with number `first`."""
    opened = open_net(net)
    squares = random_squares(opened.card.image_size, first + count, seed)[first:]
    return infidelity_parts(
        opened.net,
        as_input(image, opened),
        _unpack(values, opened),
        squares,
        target,
        local=local,
    )


def look(
    net: Mapping[str, Any], data: Mapping[str, Any], images: list[int]
) -> tuple[NDArray[np.bool_], list[bool]]:
    """Where the objects of these test images are, and whether the net names their class.

    Returns:
        Masks (len(images), S, S), and one value an image.
    """
    opened, dataset = open_net(net), _with_masks(data)
    assert dataset.test_masks is not None
    with torch.no_grad():
        named = opened.net(opened.normalise(dataset.test_images[images])).argmax(1)
    correct = named == dataset.test_labels[images]
    return dataset.test_masks[images].numpy(), correct.tolist()


def explain(
    data: Mapping[str, Any], image: int, function: str, arguments: Mapping[str, Any]
) -> Any:
    """What a job of an attribution answers for a test image and its own class.

    Args:
        image: number among the test images.
        function, arguments: of the job, whose image and target are put in here.
    """
    dataset = _with_masks(data)
    pixels = dataset.test_images[image].permute(1, 2, 0).numpy()
    text = picture_text(pixels)
    target = int(dataset.test_labels[image])
    module, name = function.split(":")
    return getattr(import_module(module), name)(**{**arguments, "image": text, "target": target})


def _with_masks(data: Mapping[str, Any]) -> Dataset:
    dataset = load(DataSpec.from_dict(data))
    if dataset.test_masks is None:
        text = _("It is not known where the objects in the images of {name!r} are; use the shapes.")
        raise DataError(text.format(name=data["name"]))
    return dataset


def _unpack(values: str, opened: Opened) -> Tensor:
    """The map of `trust_jobs`."""
    side = opened.card.image_size
    found = np.frombuffer(base64.b64decode(values), "<f4").reshape(-1, side, side)
    return torch.from_numpy(found.astype(np.float32))
