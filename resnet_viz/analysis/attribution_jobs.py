"""What to ask about the pixels that decided. No torch.

The answers are `attribution_answers`. The page has asked `opened:measure_card` first, so that it
has the `NetCard`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resnet_viz.analysis.inquiry import Job
from resnet_viz.analysis.pace import (
    BOTH_SECONDS,
    FORWARD_SECONDS,
    JOB_SECONDS,
    check_free,
    free_bytes,
)
from resnet_viz.analysis.question import Question
from resnet_viz.checks import check_integer
from resnet_viz.i18n import _
from resnet_viz.inside import Attribution
from resnet_viz.methods import Method, method as find_method
from resnet_viz.nets.costs import count_costs
from resnet_viz.probes.attributions.shares import add, count_windows, finish
from resnet_viz.sources import NetCard, Source
from resnet_viz.specs import SpecError

MOST_SHARES = 1000  # each job carries the image

_ANSWER = "resnet_viz.analysis.attribution_answers:attribute_share"
_FORWARD_KERNEL, _BOTH_KERNEL = 25e-6, 60e-6  # a kernel started, whatever the batch
_DEEPLIFT_TIMES = 4  # its rule at every ReLU and pooling: 3.7 to 4.5 times the two passes
_SHARE_BYTES = 4e8  # of the batch of a share
# A value of the forward pass, measured on ResNet-50 and resnet-56: 0.4 where nothing is kept for
# the way back, 2.6 where it is, 5.6 to 6 where hooks keep copies.
_FORWARD_BYTES, _BOTH_BYTES, _HOOKED_BYTES = 1, 4, 7
_HOOKED = ("guided-backprop", "deconvolution", "deeplift", "guided-grad-cam")


@dataclass(frozen=True)
class _Work:
    """What a method does.

    Attributes:
        units: steps, samples, windows or regions, which shares divide; 1 for other methods.
        seconds: of a batch, whatever its size.
        unit_seconds: of each unit.
        unit_bytes: of each unit.
    """

    units: int
    seconds: float
    unit_seconds: float
    unit_bytes: int

    def batch_seconds(self, units: int) -> float:
        """Of one batch."""
        return self.seconds + units * self.unit_seconds


def attribution_question(
    source: Source,
    card: NetCard,
    image: str,
    method: str,
    parameters: Mapping[str, Any] | None = None,
    target: int | None = None,
) -> Question:
    """Ask which pixels decided, by one method; the answer is an `inside.Attribution`.

    How the work is shared among the jobs depends on the net, the method and its parameters only,
    so that the same question has the same jobs, whose answers are kept; only where memory does
    not hold a share's batch there are more of them.

    Args:
        image: `picture_text` of the square that the net sees.
        method: one of `methods.NAMES`.
        parameters: of the method; those that are not given are at their default.
        target: the class; None for the one that the net names.

    Raises:
        SpecError: an unknown method, parameter or class, too little memory, or more work than
            a page should ask for.
    """
    found = find_method(method, card.net, card.image_size)
    values = found.fill(parameters)
    if target is not None:
        check_integer("target", target, 0, len(card.classes) - 1)
    shares = _count_shares(card, found, values)
    arguments = {
        "net": source.to_dict(),
        "image": image,
        "method": method,
        "parameters": values,
        "target": target,
        "shares": shares,
    }
    jobs = tuple(Job(_ANSWER, {**arguments, "number": number}) for number in range(shares))
    return Question(jobs, lambda answers: combine(method, answers))


def estimate_seconds(
    card: NetCard, method: str, parameters: Mapping[str, Any] | None = None
) -> float:
    """How long an attribution takes one core, about; other work on it makes it longer.

    Raises:
        SpecError: an unknown method or parameter.
    """
    found = find_method(method, card.net, card.image_size)
    work = _work(card, found, found.fill(parameters))
    batches = math.ceil(work.units / _batch(work))
    return batches * work.seconds + work.units * work.unit_seconds


def combine(method: str, answers: Sequence[Mapping[str, Any]]) -> Attribution:
    """The result of all shares.

    Args:
        answers: of `attribute_share`, in order.
    """
    found = finish(add([answer["sums"] for answer in answers if answer["sums"] is not None]))
    first = answers[0]
    expected = first["expected"]
    return Attribution(
        method=method,
        values=found["values"],
        target=first["target"],
        target_logit=first["logit"],
        target_probability=first["probability"],
        delta=None if expected is None else float(found["values"].sum(dtype=float)) - expected,
        expected=expected,
        coarse=found.get("coarse"),
        seconds=sum(answer["seconds"] for answer in answers),
    )


def _work(card: NetCard, method: Method, values: Mapping[str, Any]) -> _Work:
    costs = count_costs(
        card.net,
        in_channels=card.channels,
        image_size=card.image_size,
        num_classes=len(card.classes),
    )
    units = images = passes = 1
    forward = method.name in ("occlusion", "feature-ablation")
    if method.name == "integrated-gradients":
        units = values["steps"]
    elif method.name in ("smoothgrad", "vargrad", "gradient-shap"):
        units = values["samples"]
    elif method.name == "occlusion":
        units = count_windows(card.image_size, values["window"], values["stride"])
    elif method.name == "feature-ablation":
        units = values["count"]
    elif method.name == "deeplift":
        images, passes = 2, _DEEPLIFT_TIMES  # with the baseline
    elif method.name == "guided-grad-cam":
        passes = 2
    per_kernel = _FORWARD_KERNEL if forward else _BOTH_KERNEL
    per_multiply_add = FORWARD_SECONDS if forward else BOTH_SECONDS
    per_value = _FORWARD_BYTES if forward else _BOTH_BYTES
    if method.name in _HOOKED:
        per_value = _HOOKED_BYTES
    return _Work(
        units=units,
        seconds=passes * costs.operations * per_kernel,
        unit_seconds=passes * images * costs.multiply_adds * per_multiply_add,
        unit_bytes=images * costs.activations * per_value,
    )


def _batch(work: _Work) -> int:
    """Units that take about `JOB_SECONDS`; one at least."""
    by_time = (JOB_SECONDS - work.seconds) / work.unit_seconds
    return max(1, int(min(by_time, _SHARE_BYTES / work.unit_bytes, work.units)))


def _count_shares(card: NetCard, method: Method, values: Mapping[str, Any]) -> int:
    work = _work(card, method, values)
    text = _(
        "{method} needs {need:.1f} GB of memory for {net} at {size}×{size} pixels, and "
        "{free:.1f} GB can be used; choose a smaller net, or close other programs."
    )
    names = {"method": method.title, "net": card.title}
    check_free(work.unit_bytes, text, size=card.image_size, **names)
    free, batch = free_bytes(), _batch(work)
    while batch > 1 and batch * work.unit_bytes > free:
        batch //= 2
    shares = math.ceil(work.units / batch)
    if shares > MOST_SHARES:
        text = _(
            "{method} would send {n} images through {net}, which takes about {minutes:.0f} "
            "minutes; choose {what}."
        )
        minutes = shares * work.batch_seconds(batch) / 60
        what = _what_is_less(method)
        raise SpecError(text.format(n=work.units, minutes=minutes, what=what, **names))
    return shares


def _what_is_less(method: Method) -> str:
    if method.name == "occlusion":
        return _("a larger stride")
    return _("fewer regions") if method.name == "feature-ablation" else _("fewer steps or samples")
