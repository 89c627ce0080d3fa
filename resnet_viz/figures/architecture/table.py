"""He et al. 2015's Table 1 of any net, and of two nets beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resnet_viz.figures.architecture.svg import shape_text
from resnet_viz.figures.architecture.words import (
    LONGEST_FORM,
    block_form,
    field_text,
    kernel_lines,
    memory,
    part_title,
    short,
    summary,
)
from resnet_viz.graphs import NetGraph, Part, Total
from resnet_viz.i18n import _

DIFFERS = "≠"
TOTAL = "total"
_COMPARED = ("output", "blocks", "parameters", "multiply_adds", "receptive_field", "kept_bytes")

Row = dict[str, Any]


def stage_rows(graph: NetGraph, batch: int) -> list[Row]:
    """One row a part and one for the whole net.

    Args:
        batch: images for which training keeps activations, in float32.

    Returns:
        part (key), net, output, layers (weighted), blocks, parameters, multiply_adds (of one
        image), receptive_field (pixels; 0 for the whole image), kept_bytes (of the batch).
    """
    rows = [_row(graph, part, batch) for part in graph.parts]
    sums = graph.total
    kept = batch * sums.kept_bytes  # the image itself among it
    whole = {"part": TOTAL, "net": graph.name, "output": shape_text(graph.output_shape)}
    return [*rows, {**whole, "layers": sums.weighted, "blocks": "", **_sums(sums, kept)}]


def _row(graph: NetGraph, part: Part, batch: int) -> Row:
    sums = part.total
    return {
        "part": part.key,
        "net": graph.name,
        "output": shape_text(part.shape),
        "layers": sums.weighted,
        "blocks": _blocks(part),
        **_sums(sums, batch * sums.kept_bytes),
    }


def _blocks(part: Part) -> str:
    if not part.blocks:
        return summary(part.operations)
    forms: dict[str, int] = {}
    for block in part.blocks:
        lines = " · ".join(line.removesuffix(", /2") for line in kernel_lines(block))
        forms[lines] = forms.get(lines, 0) + 1
    if len(forms) <= 2 and all(len(form) <= LONGEST_FORM for form in forms):
        return "; ".join(f"[{form}] × {count}" for form, count in forms.items())
    return f"[{block_form(part)}] × {len(part.blocks)}"


def _sums(sums: Total, kept_bytes: int) -> Row:
    return {
        "parameters": sums.parameters,
        "multiply_adds": sums.multiply_adds,
        "receptive_field": sums.receptive_field,
        "kept_bytes": kept_bytes,
    }


def compared_rows(first: NetGraph, second: NetGraph, batch: int) -> list[Row]:
    """The rows of two nets, part by part, each with the names of the columns that differ.

    A part that one of them lacks differs in everything that the other has.
    """
    ours = {row["part"]: row for row in stage_rows(first, batch)}
    theirs = {row["part"]: row for row in stage_rows(second, batch)}
    found = []
    for part in _in_order(list(ours), list(theirs)):
        pair = [ours.get(part), theirs.get(part)]
        differing = differing_columns(*pair)
        found += [{**row, "differs": differing} for row in pair if row is not None]
    return found


def differing_columns(
    first: Mapping[str, Any] | None, second: Mapping[str, Any] | None
) -> list[str]:
    """Names of the columns in which two rows differ; all of them if there is only one row."""
    if first is None or second is None:
        return list(_COMPARED)
    return [name for name in _COMPARED if first[name] != second[name]]


def _in_order(first: list[str], second: list[str]) -> list[str]:
    """Both orders merged: what only the second has comes where it stands there."""
    found = list(first)
    for place, part in enumerate(second):
        if part not in found:
            before = second[place - 1] if place else None
            found.insert(found.index(before) + 1 if before in found else 0, part)
    return found


def column_titles() -> dict[str, str]:
    """Names of the columns, for a person."""
    return {
        "part": _("part"),
        "net": _("net"),
        "output": _("output"),
        "layers": _("weighted"),
        "blocks": _("layers"),
        "parameters": _("parameters"),
        "multiply_adds": _("multiply-adds"),
        "receptive_field": _("sees"),
        "kept_bytes": _("kept"),
        "differs": _("differs"),
    }


def shown_rows(rows: list[Row], graphs: list[NetGraph]) -> list[dict[str, str]]:
    """The rows as texts, by column."""
    titles = {part.key: part_title(part) for graph in graphs for part in graph.parts}
    titles[TOTAL] = _("whole net")
    shown = []
    for row in rows:
        texts = {
            "part": titles[row["part"]],
            "net": row["net"],
            "output": row["output"],
            "blocks": row["blocks"],
            "layers": str(row["layers"]),
            "parameters": short(row["parameters"]),
            "multiply_adds": short(row["multiply_adds"]),
            "receptive_field": field_text(row["receptive_field"]),
            "kept_bytes": memory(row["kept_bytes"]),
        }
        if len(graphs) < 2:
            del texts["net"]
        else:
            del texts["layers"]  # for the width
            for name in row["differs"]:
                texts[name] = f"{DIFFERS} {texts[name]}"
        shown.append(texts)
    return shown
