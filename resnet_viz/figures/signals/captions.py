"""What the signals of fresh nets show, in words. Every claim comes from the numbers shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from resnet_viz.figures.spread import NetSignals, Spread, by_net, number_text, spreads
from resnet_viz.i18n import _
from resnet_viz.layers import Layer, weighted_layers
from resnet_viz.signals import Signal

EQUAL = 2.0  # a ratio up to this factor from 1 counts as equal
FAR = 1e4  # gradients all beyond this factor from 1 are told as such
KEPT = (0.5, 2.0)  # a response std within these counts as kept


def gradient_caption(signals: Sequence[Signal]) -> str:
    """First convolution against last, and which layers have no gradient or too large a one."""
    groups = by_net(signals)
    if not groups:
        return _("Nothing has been measured yet.")
    sentences = []
    ratios = [text for group in groups if (text := _ratio(group))]
    if ratios:
        text = _("Weights' gradient at the first convolution over that at the last: {nets}.")
        sentences.append(text.format(nets="; ".join(ratios)))
    told: dict[str, list[str]] = {}  # the same of several nets is told once
    for group in groups:
        for text in _lost_gradients(group):
            told.setdefault(text, []).append(group.label)
    sentences += [f"{', '.join(labels)}: {text}." for text, labels in told.items()]
    sentences += [text for group in groups if (text := _size(group))]
    return " ".join(sentences)


def gains_caption(signals: Sequence[Signal]) -> str:
    """What a block multiplies the gradient by on average, and all of them together."""
    groups = by_net(signals)
    factors = [text for group in groups if (text := _gain(group))]
    sentences = []
    if factors:
        text = _("On its way back a block multiplies the gradient, on average, by: {nets}.")
        sentences.append(text.format(nets="; ".join(factors)))
    broken = [group.label for group in groups if not _gain(group)]
    if broken:
        text = _("No factor, since the gradient is zero or overflows at an end: {nets}.")
        sentences.append(text.format(nets=", ".join(broken)))
    return " ".join(sentences)


def response_caption(signals: Sequence[Signal]) -> str:
    """Whether the response std of the convolutions stays near 1."""
    nets = [_response(group) for group in by_net(signals)]
    text = _("Response std of the convolutions: {nets}.")
    return text.format(nets="; ".join(nets)) if nets else ""


def _ratio(group: NetSignals) -> str:
    """Size and direction, where every seed has both ends; else ""."""
    ratios = sorted(s.ratio for s in group.signals)
    if not all(map(_positive, ratios)):
        return ""
    middle = math.exp(fmean(map(math.log, ratios)))
    if ratios[0] < 1 / EQUAL and ratios[-1] > EQUAL:
        direction = _("not the same way in all seeds")
    elif 1 / EQUAL <= middle <= EQUAL:
        direction = _("equal within a factor of two")
    elif ratios[0] < 1 < ratios[-1]:
        direction = _("not the same way in all seeds")
    elif middle > 1:
        direction = _("it grows towards the input")
    else:
        direction = _("it shrinks towards the input")
    size = number_text(middle)
    if len(ratios) > 1:
        size += _(" (geometric mean of {n} seeds, {low} to {high})").format(
            n=len(ratios), low=number_text(ratios[0]), high=number_text(ratios[-1])
        )
    return _("{net}: {size}, {direction}").format(net=group.label, size=size, direction=direction)


def _size(group: NetSignals) -> str:
    """Where all gradients are tiny or huge, which no ratio tells."""
    means = [s.mean for s in spreads([s.gradient_norm[:-1] for s in group.signals])]
    shown = [mean for mean in means if mean is not None]
    if shown and max(shown) < 1 / FAR:
        text = _("{net}: no convolution's gradient is above {size}.")
        return text.format(net=group.label, size=number_text(max(shown)))
    if shown and min(shown) > FAR:
        text = _("{net}: no convolution's gradient is below {size}.")
        return text.format(net=group.label, size=number_text(min(shown)))
    return ""


def _positive(value: float) -> bool:
    return math.isfinite(value) and value > 0


def _lost_gradients(group: NetSignals) -> list[str]:
    """How many layers have a gradient of zero in every seed, or one that overflows in any."""
    layers = weighted_layers(group.net)
    found = spreads([s.gradient_norm for s in group.signals])
    zeros = [layer for layer, s in zip(layers, found, strict=True) if _all_zero(s)]
    overflows = sum(s.overflows > 0 for s in found)
    parts = []
    if zeros:
        text = _("the gradient of {n} of {total} layers is exactly zero")
        text = text.format(n=len(zeros), total=len(layers))
        reason = _zero_reason(group.net.init, layers, zeros)
        parts.append(f"{text}, {reason}" if reason else text)
    if overflows:
        text = _("overflow in the gradient of {n} of {total} layers")
        parts.append(text.format(n=overflows, total=len(layers)))
    return parts


def _all_zero(found: Spread) -> bool:
    return bool(found.zeros) and not found.n and not found.overflows


def _zero_reason(init: str, layers: Sequence[Layer], zeros: Sequence[Layer]) -> str:
    """Why, where the layers counted are just those that the initialisation explains."""
    if init == "zero_gamma" and list(zeros) == [layer for layer in layers if layer.stage > 0]:
        return _(
            "since the last batch norm of every branch starts at zero "
            "and at first no gradient passes it into the branch"
        )
    if init == "fixup" and list(zeros) == list(layers[:-1]):
        return _("since the head starts at zero and at first no gradient passes it")
    return ""


def _gain(group: NetSignals) -> str:
    """Geometric mean a block and its power, where every seed has both ends; else ""."""
    ends = [(s.boundary_norm[0], s.boundary_norm[-1]) for s in group.signals]
    if not all(_positive(first) and _positive(last) for first, last in ends):
        return ""
    blocks = len(group.signals[0].boundary_norm) - 1
    logs = sorted(math.log(first) - math.log(last) for first, last in ends)
    text = _("{net}: {factor} ({n} blocks: {product})")
    if len(logs) > 1:
        text = _("{net}: {factor} ({n} blocks: {product}; {low} to {high} over {seeds} seeds)")
    return text.format(
        net=group.label,
        factor=number_text(math.exp(fmean(logs) / blocks)),
        n=blocks,
        product=number_text(math.exp(fmean(logs))),
        low=number_text(math.exp(logs[0])),
        high=number_text(math.exp(logs[-1])),
        seeds=len(logs),
    )


def _response(group: NetSignals) -> str:
    """Of the convolutions only: the head is no part of the chain."""
    found = spreads([s.response_std[:-1] for s in group.signals])
    means = [s.mean for s in found if s.mean is not None and not s.overflows]
    outside = sum(not KEPT[0] <= mean <= KEPT[1] for mean in means)
    parts = []
    if means:
        low, high = number_text(min(means)), number_text(max(means))
        extent = low if low == high else _("{low} to {high}").format(low=low, high=high)
        text = _("{extent}, within {a:g} to {b:g}")
        if outside:
            text = _("{extent}, outside {a:g} to {b:g} in {n} of {total} layers")
        counts = {"a": KEPT[0], "b": KEPT[1], "n": outside, "total": len(found)}
        parts.append(text.format(extent=extent, **counts))
    for text, count in (
        (_("exactly zero in {n} of {total} layers"), sum(map(_all_zero, found))),
        (_("overflow in {n} of {total} layers"), sum(s.overflows > 0 for s in found)),
    ):
        if count:
            parts.append(text.format(n=count, total=len(found)))
    return f"{group.label}: {', '.join(parts)}"
