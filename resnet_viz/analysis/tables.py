"""What was measured of nets, as rows to take away. No torch here.

A value that is not finite (an overflow, or a ratio that is not defined) is None: JSON has no
word for it, and a cell of CSV is empty.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from resnet_viz.inside import Floats, LinearProbes
from resnet_viz.layers import blocks_of, weighted_layers
from resnet_viz.signals import Decomposition, Shattering, Signal, Split
from resnet_viz.specs import NetSpec

Row = dict[str, Any]


def signal_rows(signals: Iterable[Signal]) -> list[Row]:
    """One row a layer of each signal: net, seed, layer, gradient norm, response std."""
    rows = []
    for signal in signals:
        measured = zip(
            weighted_layers(signal.net), signal.gradient_norm, signal.response_std, strict=True
        )
        rows += [
            {
                **_net_row(signal.net),
                "seed": signal.seed,
                "images": signal.images,
                "layer": number,
                "name": layer.module,
                "stage": layer.stage,
                "gradient_norm": _plain(gradient),
                "response_std": _plain(response),
            }
            for number, (layer, gradient, response) in enumerate(measured, 1)
        ]
    return rows


def gain_rows(signals: Iterable[Signal]) -> list[Row]:
    """One row a block of each signal: gradient norms at its ends, and its gain."""
    rows = []
    for signal in signals:
        norms = signal.boundary_norm
        measured = zip(
            blocks_of(signal.net), norms[:-1], norms[1:], signal.block_gains, strict=True
        )
        rows += [
            {
                **_net_row(signal.net),
                "seed": signal.seed,
                "block_number": number,
                "name": block.module,
                "stage": block.stage,
                "input_gradient_norm": _plain(at_input),
                "output_gradient_norm": _plain(at_output),
                "gain": _plain(gain),
            }
            for number, (block, at_input, at_output, gain) in enumerate(measured, 1)
        ]
    return rows


def split_rows(decomposition: Decomposition) -> list[Row]:
    """One row a block: every value of its `Split`; what its shortcut is, as `shortcut_kind`."""
    d = decomposition
    return [
        {
            **_net_row(d.net),
            "step": d.step,
            "images": d.images,
            "loss": _plain(d.loss),
            "block_number": number,
            "name": block.module,
            "stage": block.stage,
            **_split_row(split),
        }
        for number, (block, split) in enumerate(zip(blocks_of(d.net), d.splits, strict=True), 1)
    ]


def shattering_rows(measured: Iterable[Shattering]) -> list[Row]:
    """One row a lag of each net or noise: the autocorrelation there, its spread over seeds."""
    rows = []
    for each in measured:
        about = _net_row(each.net) if each.net else {**_NO_NET, "net": f"{each.noise} noise"}
        step = each.position[1] - each.position[0]
        spread = each.spread or [None] * len(each.autocorrelation)
        rows += [
            {
                **about,
                "seeds": each.seeds,
                "lag": number * step,
                "autocorrelation": _plain(value),
                "standard_deviation": _plain(deviation),
            }
            for number, (value, deviation) in enumerate(
                zip(each.autocorrelation, spread, strict=True)
            )
        ]
    return rows


def probe_rows(
    probes: LinearProbes, placed: Floats | None = None, target: int | None = None
) -> list[Row]:
    """One row a linear probe: its errors, and what it says of an image if there was one.

    Args:
        placed: (points, classes), probabilities.
        target: the class whose probability is told.
    """
    rows: list[Row] = []
    points = zip(probes.points, probes.train_error, probes.test_error, strict=True)
    for number, (point, train_error, test_error) in enumerate(points):
        row: Row = {
            **_net_row(probes.net),
            "step": probes.step,
            "data": probes.data,
            "train_images": probes.train_images,
            "test_images": probes.test_images,
            "net_error": probes.net_error,
            "block_number": number,  # 0 for the stem
            "point": point,
            "probe_train_error": train_error,
            "probe_test_error": test_error,
        }
        if placed is not None and target is not None:
            row |= {
                "target": probes.classes[target],
                "target_probability": float(placed[number, target]),
                "named": probes.classes[int(placed[number].argmax())],
            }
        rows.append(row)
    return rows


def rows_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV with a head, empty where one has not what another has; "" without rows."""
    if not rows:
        return ""
    out = io.StringIO()
    names = dict.fromkeys(name for row in rows for name in row)
    writer = csv.DictWriter(out, list(names), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def rows_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as JSON, which has no word for what is not finite: null."""
    return json.dumps([{name: _finite(value) for name, value in row.items()} for row in rows])


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _net_row(net: NetSpec) -> Row:
    """The net's name, and its fields in full; blocks a stage as "3 4 3"."""
    values = net.to_dict(full=True)
    values["blocks"] = " ".join(map(str, net.stage_blocks))
    return {"net": net.name, **values}


_NO_NET: Row = dict.fromkeys(_net_row(NetSpec("plain", 8)))


def _split_row(split: Split) -> Row:
    """Its fields; `shortcut` is the net's option in a row, so the split's gets another name."""
    values = {name: _plain(value) for name, value in asdict(split).items()}
    return {"shortcut_kind": values.pop("shortcut"), **values}


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
