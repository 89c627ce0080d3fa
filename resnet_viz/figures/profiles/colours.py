"""A log colour axis, which Plotly does not have.

The colour scale itself is bent: its stops lie at equal ratios of the values, so that hover,
and the figure that somebody takes away, hold the values as measured. The colour bar belongs
to a trace of its own, which knows logarithms only.
"""

from __future__ import annotations

import math
from typing import Any

import plotly.graph_objects as go
from plotly.colors import sample_colorscale, sequential

# Viridis: perceptually even, safe for colour-blind eyes; without its darkest tenth, which a
# dark page would swallow.
_SCALE = sequential.Viridis[1:]


def log_colours(low: float, high: float) -> dict[str, Any]:
    """A layout's `coloraxis` for values from 10^low to 10^high, without a bar."""
    stops = min(160, max(16, math.ceil(8 * (high - low))))
    shares = [i / stops for i in range(stops + 1)]
    span = 10**high - 10**low
    between = [(10 ** (low + share * (high - low)) - 10**low) / span for share in shares[1:-1]]
    colours = sample_colorscale(_SCALE, shares)
    return {
        "cmin": 10**low,
        "cmax": 10**high,
        "colorscale": [list(stop) for stop in zip([0.0, *between, 1.0], colours, strict=True)],
        "showscale": False,
    }


def colour_bar(low: float, high: float, title: str) -> go.Scatter:
    """A trace without points that carries the bar of `log_colours`."""
    ticks = _ticks(low, high)
    return go.Scatter(
        uid="scale",
        x=[None],
        y=[None],
        mode="markers",
        hoverinfo="skip",
        marker={
            "color": [low],
            "cmin": low,
            "cmax": high,
            "colorscale": _SCALE,
            "colorbar": {
                "title": {"text": title, "side": "right"},
                "tickvals": [math.log10(tick) for tick in ticks],
                "ticktext": [_readable(tick) for tick in ticks],
                "thickness": 12,
                "outlinewidth": 0,
            },
        },
    )


def _ticks(low: float, high: float) -> list[float]:
    """Values between 10^low and 10^high: powers of ten, or finer where few of them fit."""
    powers = range(math.ceil(low), math.floor(high) + 1)
    if len(powers) > 2:
        return [10.0**power for power in powers[:: -(-len(powers) // 8)]]
    steps = (1, 2, 5) if high - low > 0.7 else (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
    fine = [s * 10.0**p for p in range(math.floor(low), math.floor(high) + 1) for s in steps]
    return [value for value in fine if low <= math.log10(value) <= high]


def _readable(value: float) -> str:
    if 1e-4 <= value < 1e6:
        return f"{value:,.10g}"
    power = math.floor(math.log10(value) + 1e-9)
    text = f"10<sup>{power}</sup>".replace("-", "−")
    factor = round(value / 10.0**power, 1)
    return text if factor == 1 else f"{factor:g}×{text}"
