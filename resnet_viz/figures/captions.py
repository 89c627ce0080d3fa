"""A verdict in words. Every number and every claim comes from the verdict."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_viz.figures.verdict import FamilyVerdict, Verdict
from resnet_viz.i18n import _
from resnet_viz.records import RUNNING_STEPS


def sweep_caption(verdict: Verdict) -> str:
    """A few short sentences: what the sweep shows, after how many steps, how surely."""
    if verdict.mixed:
        return _(
            "These nets differ in more than their depth ({fields}), so they are not compared."
        ).format(fields=", ".join(verdict.mixed))
    if not verdict.families:
        return " ".join([_("Nothing has been measured yet."), *_left_out(verdict)])
    if verdict.too_early:
        return _("After {step:,} of {steps:,} steps it is too early to compare.").format(
            step=verdict.step, steps=verdict.steps
        )
    first, *others = verdict.families
    return " ".join(
        [
            _when(verdict) + _family(first, full=True, finished=verdict.finished) + ".",
            *(_family(family, full=False, finished=verdict.finished) + "." for family in others),
            _certainty(verdict),
            *_trends(verdict.families),
            *_left_out(verdict),
        ]
    )


def _when(verdict: Verdict) -> str:
    text = _("After {step:,} steps ") if verdict.finished else _("So far, after {step:,} steps, ")
    return text.format(step=verdict.step)


def _family(family: FamilyVerdict, *, full: bool, finished: bool) -> str:
    deepest, other = family.deepest, family.best_shallower
    error = (
        _("{net} errs on {error:.1f} % of its training images (mean of the last {n} steps)")
        if full
        else _("{net} errs on {error:.1f} %")
    )
    window = min(RUNNING_STEPS, deepest.step)
    text = error.format(net=deepest.title, error=100 * deepest.mean, n=window)
    if other is None or family.difference is None:
        return text + (_(" (no other depth to compare with)") if full else "")
    text += _(", {net} on {error:.1f} %").format(net=other.title, error=100 * other.mean)
    points = 100 * family.difference
    if family.degradation and not finished:
        return text + _(": {points} points so far").format(points=_signed(points))
    if family.degradation:
        return text + _(": degradation, {points} points").format(points=_signed(points))
    if family.difference > 0 and f"{points:.1f}" != "0.0":
        unclear = _(": {points} points, too little or too uncertain to call degradation")
        return text + unclear.format(points=_signed(points))
    return text + _(": no degradation")


def _certainty(verdict: Verdict) -> str:
    low, high = verdict.seeds
    if high == 1:
        text = _("One seed")
    elif low == high:
        text = _("Means of {n} seeds").format(n=high)
    else:
        text = _("Means of {low} to {high} seeds").format(low=low, high=high)
    if verdict.rates > 1:
        text += _(", each net at the best of up to {n} learning rates").format(n=verdict.rates)
    return text + "."


def _trends(families: Sequence[FamilyVerdict]) -> list[str]:
    """Of the deepest nets, where it matters: those that still move, and stuck ones that degrade."""
    moving = {
        "falling": _("Still falling: {nets} points per 100 steps; slow is not the same as stuck."),
        "rising": _("Rising: {nets} points per 100 steps."),
        "flat": _("Hardly falling any more: {nets} points per 100 steps."),
    }
    sentences = []
    for direction, text in moving.items():
        nets = [
            _("{net} by {points:.1f}").format(
                net=family.deepest.title, points=abs(100 * 100 * family.trend.slope)
            )
            for family in families
            if family.trend.direction == direction and (direction != "flat" or family.degradation)
        ]
        if nets:
            sentences.append(text.format(nets=", ".join(nets)))
    return sentences


def _signed(points: float) -> str:
    return f"{points:+.1f}".replace("-", "−")


def _left_out(verdict: Verdict) -> list[str]:
    sentences = []
    for names, text in (
        (verdict.diverged, _("Diverged and left out: {nets}.")),
        (verdict.cut_short, _("Stopped early and left out: {nets}.")),
        (verdict.waiting, _("Not started yet: {nets}.")),
    ):
        if names:
            sentences.append(text.format(nets=_listed(names)))
    return sentences


def _listed(names: Sequence[str], most: int = 6) -> str:
    if len(names) <= most:
        return ", ".join(names)
    rest = _(" and {n} more").format(n=len(names) - most)
    return ", ".join(names[:most]) + rest
