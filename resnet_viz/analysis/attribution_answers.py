"""Which pixels decided, computed in the analysis process."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from resnet_viz.analysis.opened import Opened, open_net
from resnet_viz.analysis.pictures import as_input
from resnet_viz.i18n import _
from resnet_viz.methods import method as find_method
from resnet_viz.probes.attributions.run import attribute
from resnet_viz.probes.attributions.shares import Share, add
from resnet_viz.probes.attributions.subject import Subject
from resnet_viz.sources import Source

# Shares whose sum is one answer: an answer for each would fill the server's memory (a share of
# 224×224 pixels is 0.6 MB), and what has to be computed again when this process is a new one
# would be long if all shares were one leg.
LEG = 8


class AttributionError(ArithmeticError):
    """A net that gives no finite logits, or no finite gradient."""


def attribute_share(
    net: Mapping[str, Any],
    image: str,
    method: str,
    parameters: Mapping[str, Any],
    target: int | None,
    shares: int,
    number: int,
) -> dict[str, Any]:
    """One share of an attribution.

    Args:
        net: `Source.to_dict()`.
        image: `picture_text` of the square that the net sees.
        method: one of `methods.NAMES`.
        parameters: of the method, every one.
        target: the class; None for the one that the net names.
        shares: how many there are.
        number: of this one, from 0.

    Returns:
        "sums": of this share and those before it in its leg, by name as `attribute` has them;
        None where the leg goes on. "seconds": of computing. "target", "logit" and "probability"
        of the target. "expected": of the first share of a method that promises completeness,
        logit of the image less logit of the baseline; else None.

    Raises:
        SpecError: not a source.
        CheckpointError, WeightsError: the net's file is gone, damaged, or of another net.
        AttributionError: a logit or a value is not finite.
    """
    source = Source.from_dict(net)
    opened = open_net(net)
    start = time.perf_counter()  # reading the net's file is not computing
    logits = _logits(source, image)[0]
    chosen = int(logits.argmax()) if target is None else target
    text = json.dumps(parameters, sort_keys=True)
    sums = _sums(source, image, method, text, chosen, shares, number)
    if not all(np.isfinite(values).all() for values in sums.values()):
        raise AttributionError(_not_finite(opened))
    complete = find_method(method, opened.card.net, opened.card.image_size).completeness
    expected = None
    if complete and number == 0:
        subject = _subject(source, image, chosen)
        nothing = _forward(opened, subject.baseline(parameters))
        expected = float(logits[chosen] - nothing[0, chosen])
    goes_on = (number + 1) % LEG and number + 1 < shares
    return {
        "sums": None if goes_on else sums,
        "seconds": time.perf_counter() - start,
        "target": chosen,
        "logit": float(logits[chosen]),
        "probability": float(logits.softmax(0)[chosen]),
        "expected": expected,
    }


@lru_cache(maxsize=32)
def _logits(source: Source, image: str) -> Tensor:
    """(1, classes) of the image."""
    opened = open_net(source.to_dict())
    return _forward(opened, as_input(image, opened))


@lru_cache(maxsize=32)
def _sums(
    source: Source, image: str, method: str, parameters: str, target: int, shares: int, number: int
) -> dict[str, NDArray[np.float32]]:
    """Of a share and those before it in its leg, which are known unless this process is new."""
    subject = _subject(source, image, target)
    found = attribute(method, subject, json.loads(parameters), Share(number, shares))
    if number % LEG == 0:
        return found
    before = _sums(source, image, method, parameters, target, shares, number - 1)
    return add([before, found])


def _subject(source: Source, image: str, target: int) -> Subject:
    opened = open_net(source.to_dict())
    card = opened.card
    x = as_input(image, opened)
    return Subject(opened.net, x, target, card.mean, card.std, _logits(source, image))


@torch.no_grad()
def _forward(opened: Opened, x: Tensor) -> Tensor:
    """Logits (1, classes).

    Raises:
        AttributionError: they are not finite.
    """
    logits: Tensor = opened.net(x)
    if not bool(logits.isfinite().all()):
        raise AttributionError(_not_finite(opened))
    return logits


def _not_finite(opened: Opened) -> str:
    text = _(
        "The logits of {net} or their gradients are not finite, so nothing can be explained. "
        "Choose another net or another checkpoint."
    )
    return text.format(net=opened.card.title)
