"""What was measured of shattered gradients, in words. Every claim comes from the data."""

from __future__ import annotations

import math
from collections.abc import Sequence

from resnet_viz.i18n import _
from resnet_viz.signals import Shattering
from resnet_viz.specs import RESIDUAL_FAMILIES

_HALF = 0.5


def shattering_caption(measured: Sequence[Shattering]) -> str:
    """A few short sentences: how soon each gradient forgets, plain against residual, how surely."""
    nets = [m for m in measured if m.net]
    if not nets:
        return _("No net has been measured yet.")
    known = [m for m in nets if math.isfinite(m.autocorrelation[0])]
    unknown = [name_of(m) for m in nets if m not in known]
    sentences = [_what(nets)]
    if known:
        sentences += [_forgetting(known, measured), *_like_white_noise(known, measured)]
        sentences += [*_plain_against_residual(known), _certainty(known)]
    if unknown:
        text = _("No autocorrelation, since the gradient does not change or is not finite: {nets}.")
        sentences.append(text.format(nets=", ".join(unknown)))
    return " ".join(sentences)


def name_of(m: Shattering) -> str:
    """A net's name, or what noise it is."""
    if m.net:
        return m.net.name
    return {"white": _("white noise"), "brown": _("brown noise")}[m.noise]


def half_lag(m: Shattering, deviations: float = 0) -> float | None:
    """The lag, as a share of the line, at which the autocorrelation is first below one half.

    Args:
        deviations: how many times its spread is added to it before.

    Returns:
        None if it is not below one half at any lag that was measured.
    """
    spread = m.spread or (0.0,) * len(m.autocorrelation)
    for place, r, s in zip(m.position, m.autocorrelation, spread, strict=False):
        if r + deviations * s < _HALF:
            return place
    return None


def _what(nets: Sequence[Shattering]) -> str:
    text = _(
        "Gradient of one logit by the input, at {points} points on the line between two images "
        "of different classes, at initialisation"
    ).format(points=len(nets[0].position))
    if all(m.net and m.net.norm == "batch" for m in nets):
        text += _("; batch norm keeps the statistics of one batch of images")
    return text + "."


def _forgetting(known: Sequence[Shattering], measured: Sequence[Shattering]) -> str:
    noises = [m for m in measured if not m.net]
    lags = ", ".join(f"{name_of(m)} {_lag_text(m)}" for m in [*known, *noises])
    text = _("Its autocorrelation is first below one half at this lag (% of the line): {lags}.")
    return text.format(lags=lags)


def _lag_text(m: Shattering) -> str:
    lag = half_lag(m)
    if lag is None:
        return _("over {lag:.1f}").format(lag=100 * m.position[len(m.autocorrelation) - 1])
    return f"{100 * lag:.1f}"


def _like_white_noise(known: Sequence[Shattering], measured: Sequence[Shattering]) -> list[str]:
    """Nets whose gradient one point further on is as unrelated as two numbers of white noise."""
    white = next((m for m in measured if m.noise == "white" and m.spread), None)
    if white is None:
        return []
    reach = 2 * white.spread[1]
    alike = [m for m in known if abs(m.autocorrelation[1] - white.autocorrelation[1]) <= reach]
    if not alike:
        return []
    text = _(
        "From one point to the next, {step:.1f} % of the line, the gradient of {nets} is no more "
        "correlated than white noise."
    )
    names = ", ".join(map(name_of, alike))
    return [text.format(step=100 * white.position[1], nets=names)]


def _plain_against_residual(known: Sequence[Shattering]) -> list[str]:
    """Plain against each residual family, at the greatest depth that both have."""
    nets = {(m.net.family, m.net.depth): m for m in known if m.net}
    sentences = []
    for family in RESIDUAL_FAMILIES:
        depths = [depth for f, depth in nets if f == family and ("plain", depth) in nets]
        if depths:
            sentences.append(_comparison(nets["plain", max(depths)], nets[family, max(depths)]))
    return sentences


def _comparison(plain: Shattering, other: Shattering) -> str:
    soon, late = sorted((plain, other), key=_order)
    shorter, longer = half_lag(soon), half_lag(late)
    names = {"a": name_of(soon), "b": name_of(late)}
    if shorter == longer:
        return _("{a} and {b} reach one half at the same lag.").format(**names)
    text = _("{a} falls below one half sooner than {b}").format(**names)
    if shorter and longer:
        text += _(": at a lag {times:.1f} times shorter").format(times=longer / shorter)
    if soon.spread and late.spread:
        apart = _order(soon, 1) < _order(late, -1)
        text += _(", more than the seeds differ") if apart else _(", but no more than seeds differ")
    return text + "."


def _order(m: Shattering, deviations: float = 0) -> float:
    """The half lag as a number: infinite where there is none."""
    lag = half_lag(m, deviations)
    return math.inf if lag is None else lag


def _certainty(known: Sequence[Shattering]) -> str:
    low, high = min(m.seeds for m in known), max(m.seeds for m in known)
    if high == 1:
        return _("One seed of weights and images.")
    n = str(high) if low == high else _("{low} to {high}").format(low=low, high=high)
    return _("Means of {n} seeds of weights and images.").format(n=n)
