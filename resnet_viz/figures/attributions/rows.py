"""What was measured of how far to trust maps, as rows to take away. No Plotly here.

A value that is not defined is None: JSON has no word for it, and a cell of CSV is empty.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from resnet_viz.figures.attributions.lines import Curves, Localised
from resnet_viz.trust import Infidelity, Sensitivity

Row = dict[str, Any]


def curve_rows(curves: Sequence[Curves]) -> list[Row]:
    """One row a point of each curve; "by lot" is that of pixels in an order drawn by lot."""
    pairs = [(c.label, c.deletion, c.insertion) for c in curves]
    pairs += [(f"{c.label}, by lot", *c.by_lot) for c in curves if c.by_lot is not None]
    return [
        {
            "map": label,
            "curve": curve.kind,
            "share_of_pixels": share,
            "probability": probability,
            "area": curve.area,
        }
        for label, *both in pairs
        for curve in both
        for share, probability in zip(curve.share, curve.probability, strict=True)
    ]


def trust_rows(
    infidelities: Mapping[str, Infidelity], sensitivities: Mapping[str, Sensitivity]
) -> list[Row]:
    """One row a map, by label; empty where only the other one was measured."""
    rows = []
    for label in dict.fromkeys([*infidelities, *sensitivities]):
        i, s = infidelities.get(label), sensitivities.get(label)
        rows.append(
            {
                "map": label,
                "infidelity": i and i.value,
                "infidelity_best_scale": i and i.best,
                "share_untold": i and _plain(i.unexplained),
                "squares": i and i.samples,
                "max_sensitivity": s and s.largest,
                "noise_grey_levels": s and s.levels,
                "noisy_copies": s and len(s.changes),
            }
        )
    return rows


def localisation_rows(measured: Sequence[Localised]) -> list[Row]:
    """One row an image of each net and method."""
    return [
        {
            "net": m.card.title,
            "step": m.card.step,
            "method": m.found.method,
            "image": number,
            "share_on_object": _plain(inside),
            "strongest_pixel_on_object": hit,
            "object_share": mask_share,
            "named_correctly": correct,
        }
        for m in measured
        for number, (inside, hit, mask_share, correct) in enumerate(
            zip(m.found.inside, m.found.hits, m.found.mask_share, m.found.correct, strict=True), 1
        )
    ]


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
