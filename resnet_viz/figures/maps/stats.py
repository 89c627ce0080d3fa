"""Numbers of feature maps, and what they show in words. Every claim comes from the maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from resnet_viz.figures.maps.rows import place_title
from resnet_viz.figures.maps.scales import PERCENTILE, Values
from resnet_viz.figures.spread import number_text
from resnet_viz.i18n import _
from resnet_viz.inside import Strongest


@dataclass(frozen=True)
class MapStatistics:
    """Of one map, or of several together.

    Attributes:
        mean, std, minimum, maximum: of the finite values; NaN where there is none.
        zeros, positive, not_finite: shares of all values, 0..1.
    """

    mean: float
    std: float
    minimum: float
    maximum: float
    zeros: float
    positive: float
    not_finite: float

    def rows(self) -> list[tuple[str, str]]:
        """Names and values as texts, for a table."""
        rows = [
            (_("mean"), _number(self.mean)),
            (_("standard deviation"), _number(self.std)),
            (_("minimum"), _number(self.minimum)),
            (_("maximum"), _number(self.maximum)),
            (_("exactly zero"), _share(self.zeros)),
            (_("positive"), _share(self.positive)),
        ]
        return rows + [(_("not finite"), _share(self.not_finite))] * (self.not_finite > 0)


def map_statistics(values: Values) -> MapStatistics:
    """Statistics of values of any shape, at least one."""
    finite = values[np.isfinite(values)].astype(np.float64)
    mean, std, low, high = (
        (f(finite) for f in (np.mean, np.std, np.min, np.max)) if finite.size else [np.nan] * 4
    )
    return MapStatistics(
        mean=float(mean),
        std=float(std),
        minimum=float(low),
        maximum=float(high),
        zeros=float((values == 0).mean()),
        positive=float((values > 0).mean()),
        not_finite=1 - finite.size / values.size,
    )


def dead_channels(maps: Values) -> int:
    """Channels of (C, H, W) that are exactly zero everywhere, for this image."""
    return int((np.abs(maps).max((1, 2)) == 0).sum())


def maps_caption(maps: Values) -> str:
    """How many of a point's values are zero, how many channels are dead, how few hold the most."""
    channels = len(maps)
    zeros = float((maps == 0).mean())
    text = _("{zeros} of all values at this point are exactly zero.")
    if zeros == 0:
        text = _("{positive} of all values at this point are positive, none is exactly zero.")
    sentences = [text.format(zeros=_share(zeros), positive=_share(float((maps > 0).mean())))]
    dead = dead_channels(maps)
    if dead:
        text = _("For this image {n} of {total} channels are zero everywhere.")
        sentences.append(text.format(n=dead, total=channels))
    strength = np.sort(np.abs(maps).mean((1, 2), dtype=np.float64))[::-1]
    if strength.sum() > 0 and channels > 1 and np.isfinite(strength).all():
        half = int(np.searchsorted(np.cumsum(strength), strength.sum() / 2)) + 1
        text = _("The {n} strongest of {total} channels hold half of the activation.")
        if half == 1:
            text = _("The strongest of {total} channels alone holds half of the activation.")
        sentences.append(text.format(n=half, total=channels))
    return " ".join(sentences)


def strip_caption(strip: Sequence[Strongest]) -> str:
    """How resolution, channels and sparsity change from the first to the last point."""
    if len(strip) < 2:
        return ""
    first, last = strip[0], strip[-1]
    names = {"first": place_title(first.point), "last": place_title(last.point)}
    text = _("From {first} to {last}: {a} channels of {h}×{w} become {b} channels of {i}×{j}.")
    (a, h, w), (b, i, j) = first.shape, last.shape
    sentences = [text.format(**names, a=a, h=h, w=w, b=b, i=i, j=j)]
    zeros = [_share(float((found.maps == 0).mean())) for found in (first, last)]
    text = _("Of the values shown, {x} are exactly zero at {first}, {y} at {last}.")
    sentences.append(text.format(**names, x=zeros[0], y=zeros[1]))
    dead = [(place_title(s.point), int((s.strength == 0).sum()), s.shape[0]) for s in strip]
    told = [
        _("{n} of {total} at {place}").format(n=n, total=total, place=place)
        for place, n, total in dead
        if n
    ]
    if told:
        text = _("Channels that are zero everywhere for this image: {places}.")
        sentences.append(text.format(places=", ".join(told)))
    return " ".join(sentences)


def strip_legend(strip: Sequence[Strongest]) -> str:
    """What the colours of `rows.depth_strip` mean."""
    text = _(
        "The brighter, the stronger. Every stage has a colour scale of its own, whose bright end "
        "is the {p:g}th percentile of what is shown of it."
    )
    if any((found.maps < 0).any() for found in strip):
        text = _(
            "Where a picture is pale, red is positive and blue negative, the darker the stronger; "
            "elsewhere the brighter, the stronger. Every stage has a colour scale of its own, "
            "whose end is the {p:g}th percentile of the sizes shown of it."
        )
    return text.format(p=PERCENTILE)


def _number(value: float) -> str:
    return _("none") if np.isnan(value) else number_text(value)


def _share(share: float) -> str:
    """ "12 %", "0.3 %", "0 %"; neither 0 nor 100 unless exactly that."""
    per_cent = 100 * share
    if 0 < per_cent < 0.1:
        return _("less than 0.1 %")
    if 99.9 < per_cent < 100:
        return _("more than 99.9 %")
    near_an_end = 0 < per_cent < 1 or 99 < per_cent < 100
    return f"{per_cent:.1f} %" if near_an_end else f"{per_cent:.0f} %"
