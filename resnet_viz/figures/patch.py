"""What changed between two figures, as values that travel to a browser.

Pure functions on plain values: `ui.live_chart` sends the patches, live_chart.js applies them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

DIGITS = 5  # significant digits sent: more than a screen can show, less than half the bytes

Json: TypeAlias = dict[str, Any]


def patch(olds: Sequence[Json], new: Json) -> Json:
    """What leads from any of some described figures to another; empty when all are like it.

    Args:
        olds: figures from which the patch must lead to `new`; none for the whole of `new`.
        new: the figure to arrive at.

    Returns:
        What changed beside the traces, and "traces": by uid, "set" (name to value), "unset"
        (names) and "tails" (name to [elements kept, elements that follow]).
    """
    olds = olds or [{"traces": {}}]
    changes = {
        name: _plain(value)
        for name, value in new.items()
        if name != "traces" and any(old.get(name) != value for old in olds)
    }
    traces = {}
    for uid, trace in new["traces"].items():
        changed = _patch_trace([old["traces"].get(uid, {}) for old in olds], trace)
        if changed:
            traces[uid] = changed
    return {**changes, "traces": traces} if traces else changes


def _patch_trace(olds: Sequence[Json], new: Json) -> Json:
    gone = {name for old in olds for name in old if name not in new}
    out: Json = {"set": {}, "tails": {}, "unset": sorted(gone)}
    for name, value in new.items():
        befores = [old.get(name) for old in olds]
        if all(before == value for before in befores):
            continue
        lists = [before for before in befores if isinstance(before, list) and before]
        if isinstance(value, list) and len(lists) == len(olds):
            kept = min(_common(before, value) for before in lists)
            out["tails"][name] = [kept, _plain(value[kept:])]
        else:
            out["set"][name] = _plain(value)
    return {name: part for name, part in out.items() if part}


def _common(old: list[Any], new: list[Any]) -> int:
    """How many elements two sequences share from their start."""
    if new[: len(old)] == old:
        return len(old)
    return next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), len(new))


def _plain(value: Any) -> Any:
    """`value` for JSON: floats of `DIGITS` digits, None where there is no finite number."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value
