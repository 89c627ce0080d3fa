"""Measurements of several seeds, gathered into one value with its spread. Standard library only.

Norms and gains multiply from layer to layer, so their mean is the geometric one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from statistics import fmean

from resnet_viz.i18n import _
from resnet_viz.signals import Signal
from resnet_viz.specs import NetSpec

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Images:
    """What a net looks at, which decides the shapes of its layers.

    Attributes:
        channels: of an image.
        side: of the square images in pixels.
        classes: outputs of the head.
    """

    channels: int = 3
    side: int = 32
    classes: int = 10


CIFAR = Images()


@dataclass(frozen=True)
class NetSignals:
    """The signals of one net, and what it is called among the nets shown with it."""

    net: NetSpec
    label: str
    signals: tuple[Signal, ...]


@dataclass(frozen=True)
class Spread:
    """One quantity over several seeds.

    Attributes:
        mean: geometric, of the positive finite values; None where there is none.
        low, high: least and most of those values.
        n: values in the mean.
        zeros: values that are exactly zero.
        overflows: values that are not finite.
    """

    mean: float | None
    low: float | None
    high: float | None
    n: int
    zeros: int
    overflows: int


def spread(values: Iterable[float]) -> Spread:
    """Values that may be zero or not finite; none of them negative."""
    values = list(values)
    good = [v for v in values if math.isfinite(v) and v > 0]
    low, high = min(good, default=None), max(good, default=None)
    mean = None
    if low is not None and high is not None:  # rounding must not carry the mean past them
        mean = min(max(math.exp(fmean(map(math.log, good))), low), high)
    return Spread(
        mean=mean,
        low=low,
        high=high,
        n=len(good),
        zeros=sum(v == 0 for v in values),
        overflows=sum(not math.isfinite(v) for v in values),
    )


def spreads(vectors: Sequence[Sequence[float]]) -> list[Spread]:
    """Place by place over equally long vectors, one a seed."""
    return [spread(values) for values in zip(*vectors, strict=True)]


def by_net(signals: Iterable[Signal]) -> list[NetSignals]:
    """Signals of one net together, nets in the order in which they appear."""
    groups: dict[NetSpec, list[Signal]] = {}
    for signal in signals:
        groups.setdefault(signal.net, []).append(signal)
    labels = net_labels(list(groups))
    return [NetSignals(net, labels[net], tuple(found)) for net, found in groups.items()]


def net_labels(nets: Sequence[NetSpec]) -> dict[NetSpec, str]:
    """Family, depth and in what else the nets differ: "resnet-20 (init zero_gamma)"."""
    told = net_variants(nets)
    return {net: f"{net.name} ({told[net]})" if told[net] else net.name for net in nets}


def net_variants(nets: Sequence[NetSpec]) -> dict[NetSpec, str]:
    """In what the nets differ other than family and depth: "init zero_gamma", or "".

    A net says nothing of what it does not use: a plain net nothing of shortcuts.
    """
    others = [f.name for f in fields(NetSpec) if f.name not in ("family", "depth")]
    different = [
        name for name in others if len({getattr(n, name) for n in nets if n.uses(name)}) > 1
    ]
    return {
        net: ", ".join(f"{name} {getattr(net, name)}" for name in different if net.uses(name))
        for net in nets
    }


def number_text(value: float) -> str:
    """Three digits that a person can read: "0.0123", "1.21", "12,300", "1.23·10⁷"."""
    if not math.isfinite(value):
        return _("overflow")
    if value == 0:
        return "0"
    mantissa, power = f"{abs(value):.2e}".split("e")
    sign, exponent = "−" if value < 0 else "", int(power)
    rounded = float(f"{abs(value):.3g}")
    if -3 <= exponent < 3:
        return sign + f"{rounded:.3g}"
    if 3 <= exponent < 6:
        return sign + f"{rounded:,.0f}"
    return sign + f"{mantissa}·10{str(exponent).translate(_SUPERSCRIPTS)}"


def signed(value: float) -> str:
    """Two decimals with a minus sign: "−0.04"; zero has none."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def spread_text(found: Spread, not_finite: str = "") -> str:
    """ "1.21 (1.1 to 1.3, 3 seeds)"; says in words what is zero or not finite.

    Args:
        not_finite: what to call such a value; "overflow" unless told.
    """
    parts = []
    if found.mean is not None and found.low is not None and found.high is not None:
        parts.append(number_text(found.mean))
        if found.n > 1:
            text = _("({low} to {high}, {n} seeds)")
            low, high = number_text(found.low), number_text(found.high)
            parts = [f"{parts[0]} {text.format(low=low, high=high, n=found.n)}"]
    total = found.n + found.zeros + found.overflows
    for count, what in (
        (found.zeros, _("exactly zero")),
        (found.overflows, not_finite or _("overflow")),
    ):
        if count == total:
            parts.append(what)
        elif count:
            parts.append(
                _("{what} in {n} of {total} seeds").format(what=what, n=count, total=total)
            )
    return ", ".join(parts)
