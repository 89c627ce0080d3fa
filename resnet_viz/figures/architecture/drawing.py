"""The drawing of a place in a net, and what is to be said of it."""

from __future__ import annotations

from resnet_viz.figures.architecture.flow import flow
from resnet_viz.figures.architecture.overview import Scale, overview
from resnet_viz.figures.architecture.stage import stage
from resnet_viz.figures.architecture.svg import Drawing, shape_text
from resnet_viz.figures.architecture.words import (
    block_title,
    field_text,
    memory,
    part_title,
    shortcut_title,
)
from resnet_viz.graphs import NetGraph, Operation, total
from resnet_viz.i18n import _


def drawing_of(graph: NetGraph, place: str, scale: Scale | None = None) -> Drawing:
    """The whole net, a stage, or the operations of a block or of a part without blocks.

    Args:
        place: a part, a block or an operation of the net; "" for all of it.
        scale: of the overview's bars.
    """
    part, block, operation = graph.find(place)
    if part is None:
        return overview(graph, scale)
    current = operation.id if operation is not None else ""
    if block is not None:
        return flow(graph, block.operations, current)
    return stage(graph, part) if part.blocks else flow(graph, part.operations, current)


def details(graph: NetGraph, place: str) -> list[tuple[str, str]]:
    """Names and values for the panel beside a flow diagram; empty where a caption says it."""
    part, block, operation = graph.find(place)
    if operation is not None:
        return _operation_details(graph, operation)
    if part is None or (block is None and part.blocks):
        return []
    operations = block.operations if block is not None else part.operations
    shape_in = block.shape_in if block is not None else part.shape_in
    sums = total(operations)
    title = part_title(part)
    rows = [(title, "")]
    if block is not None:
        rows = [(f"{title}, {block_title(block, part)}", "")]
        if block.shortcut:
            rows.append((_("shortcut"), shortcut_title(block.shortcut)))
        if part.dense:
            rows.append((_("takes"), _("{n} earlier outputs").format(n=len(block.sources))))
    return [
        *rows,
        (_("in"), shape_text(shape_in)),
        (_("out"), shape_text(operations[-1].shape)),
        (_("parameters"), f"{sums.parameters:,}"),
        (_("multiply-adds"), f"{sums.multiply_adds:,}"),
        (_("receptive field"), field_text(sums.receptive_field)),
        (_("kept for backward"), memory(sums.kept_bytes)),
    ]


def _operation_details(graph: NetGraph, op: Operation) -> list[tuple[str, str]]:
    before = [graph.by_id[i].shape for i in op.inputs]
    several = " + " if op.kind in ("add", "concat") else ", "
    shapes = several.join(map(shape_text, before))
    if len(before) > 4:
        shapes = _("{n} inputs, {channels} channels").format(
            n=len(before), channels=sum(shape[0] for shape in before)
        )
    rows = [(op.label, "")]
    if op.kernel:
        rows.append((_("kernel"), f"{op.kernel}×{op.kernel}"))
        rows.append((_("stride"), str(op.stride)))
        rows.append((_("padding"), str(op.padding)))
    elif op.stride > 1:
        rows.append((_("stride"), str(op.stride)))
    if op.groups > 1:
        rows.append((_("groups"), str(op.groups)))
    return [
        *rows,
        (_("in"), shapes or "–"),
        (_("out"), shape_text(op.shape)),
        (_("parameters"), f"{op.parameters:,}"),
        (_("multiply-adds"), f"{op.multiply_adds:,}"),
        (_("receptive field"), field_text(op.receptive_field)),
        (_("kept for backward"), memory(op.kept_bytes)),
        (_("module"), op.module or "–"),
    ]
