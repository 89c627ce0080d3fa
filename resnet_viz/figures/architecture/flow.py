"""The operations of a block or a part as a flow diagram: branch, shortcut, shapes on arrows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from resnet_viz.figures.architecture import svg
from resnet_viz.figures.architecture.arranging import SEVERAL, Arrangement, Edge, arrange
from resnet_viz.figures.architecture.svg import Drawing, n
from resnet_viz.figures.architecture.words import operation_title, shortcut_title
from resnet_viz.graphs import WEIGHTED, NetGraph, Operation, paths_of, shortcut_kind
from resnet_viz.i18n import _

_BOX, _HEIGHT = 172.0, 28.0
_LANE, _BARE_LANE = 200.0, 116.0  # of operations; of an arrow alone
_LAYER = 53.0
_ROUND = 13.0
_TOP = 12.0


def flow(graph: NetGraph, operations: Sequence[Operation], current: str = "") -> Drawing:
    """Operations from top to bottom; the shortcut in the family's colour.

    Args:
        operations: of a block or a part.
        current: id of the one that is marked.
    """
    entries = graph.entries(operations)
    found = arrange(operations, entries)
    centres = _centres(found)
    shade = svg.colour_of(graph.family)
    special = _shortcut_edges(operations, found)
    drawn = [_entry(graph, found, centres, entry, len(entries)) for entry in found.entries]
    by_id = {op.id: op for op in operations}
    for edge in found.edges:
        dashed = shortcut_kind(operations) == "zero-padding"
        colour = shade if edge in special else ""
        drawn.append(_edge(edge, found, centres, by_id, colour, dashed=dashed))
    if special and all(edge.start not in by_id or _outside(edge, found) for edge in special):
        drawn.append(_name_of_shortcut(special[0], found, centres, shade, operations))
    for op in operations:
        spot = found.spots[op.id]
        x, y = centres[spot.lane], _TOP + spot.layer * _LAYER
        drawn.append(svg.text(x + 8, y + 31, svg.shape_text(op.shape), size=11.5, opacity=0.85))
        drawn.append(_node(op, x, y, shade, current=op.id == current))
    last = found.spots[operations[-1].id]
    x, y = centres[last.lane], _TOP + last.layer * _LAYER
    drawn.append(svg.path(f"M{n(x)} {n(y + _half(operations[-1]))}V{n(y + 40)}", tip=True))
    width = max(centres) + _BOX / 2 + 12
    alt = _("{n} operations: {what}").format(
        n=len(operations), what=", ".join(op.label for op in operations)
    )
    return Drawing(width, _TOP + found.layers * _LAYER, "".join(drawn), alt)


def _centres(found: Arrangement) -> list[float]:
    """Of each lane, in pixels from the left."""
    busy = {spot.lane for spot in found.spots.values()}
    widths = [_LANE if lane in busy else _BARE_LANE for lane in range(found.lanes)]
    ends = accumulate(widths)
    return [8 + end - width / 2 for end, width in zip(ends, widths, strict=True)]


def _entry(
    graph: NetGraph, found: Arrangement, centres: Sequence[float], entry: str, count: int
) -> str:
    x = centres[found.spots[entry].lane]
    if entry == SEVERAL:
        words = _("{n} earlier outputs").format(n=count)
    else:
        words = svg.shape_text(graph.by_id[entry].shape)
        words = ("x: {shape}" if count == 1 else "{shape}").format(shape=words)
    return svg.text(x, 14, words, size=13, anchor="middle", weight=600)


def _half(op: Operation) -> float:
    """Half the height of an operation's figure."""
    return _ROUND if op.kind in ("add", "multiply") else _HEIGHT / 2


def _node(op: Operation, x: float, y: float, shade: str, *, current: bool) -> str:
    ring = "currentColor" if current or op.kind not in WEIGHTED else shade
    if op.kind in ("add", "multiply"):
        sign = "+" if op.kind == "add" else "×"
        body = (
            f'<circle class="cell" cx="{n(x)}" cy="{n(y)}" r="{n(_ROUND)}" fill="{shade}" '
            f'fill-opacity="0.18" stroke="{ring}" stroke-width="{3 if current else 1.5}"/>'
        )
        body += svg.text(x, y + 5.5, sign, size=18, anchor="middle", weight=600)
        return svg.item(op.id, operation_title(op), body, current=current)
    strong = op.kind in WEIGHTED
    body = svg.rect(
        x - _BOX / 2,
        y - _HEIGHT / 2,
        _BOX,
        _HEIGHT,
        fill=shade if strong else "currentColor",
        fill_opacity=0.24 if strong else 0.06,
        stroke=ring,
        stroke_opacity=1 if current or strong else 0.45,
        radius=6,
        kind="cell",
    )
    if current:
        body = body.replace("<rect ", '<rect stroke-width="3" ')
    body += svg.text(x, y + 4.5, op.label, anchor="middle", weight=600 if strong else 400)
    return svg.item(op.id, operation_title(op), body, current=current)


def _edge(
    edge: Edge,
    found: Arrangement,
    centres: Sequence[float],
    by_id: dict[str, Operation],
    colour: str,
    *,
    dashed: bool,
) -> str:
    start, end = found.spots[edge.start], found.spots[edge.end]
    x0, x1, x = centres[start.lane], centres[end.lane], centres[edge.lane]
    outside = edge.start not in by_id
    y0 = 20.0 if outside else _TOP + start.layer * _LAYER + _half(by_id[edge.start])
    y1 = _TOP + end.layer * _LAYER
    top = y1 - _half(by_id[edge.end])
    stroke, wide = (colour, 2.6) if colour else ("currentColor", 1.5)
    dash = "6 4" if colour and dashed else ""
    bend = y0 + (14 if outside else 8)
    begin = f"M{n(x0)} {n(y0)}" if x0 == x else f"M{n(x0)} {n(y0)}V{n(bend)}H{n(x)}"
    if x == x1:
        return svg.path(f"{begin}V{n(top)}", tip=True, dash=dash, stroke=stroke, width=wide)
    if _blocked(edge, found):
        # In the gap above, where arrows from the left and from the right keep apart.
        gap, aim = (y1 - _LAYER + 18, x1 - 7) if x < x1 else (y1 - 17, x1 + 7)
        at = y1 - 11 if by_id[edge.end].kind in ("add", "multiply") else top
        line = f"{begin}V{n(gap)}H{n(aim)}V{n(at)}"
        return svg.path(line, tip=True, dash=dash, stroke=stroke, width=wide)
    side = _ROUND if by_id[edge.end].kind in ("add", "multiply") else _BOX / 2
    aim = x1 + side if x > x1 else x1 - side
    return svg.path(f"{begin}V{n(y1)}H{n(aim)}", tip=True, dash=dash, stroke=stroke, width=wide)


def _blocked(edge: Edge, found: Arrangement) -> bool:
    """Whether other operations stand between an arrow's lane and its end, in the end's layer."""
    end = found.spots[edge.end]
    lanes = (
        range(edge.lane, end.lane) if edge.lane < end.lane else range(end.lane + 1, edge.lane + 1)
    )
    return any(spot.layer == end.layer and spot.lane in lanes for spot in found.spots.values())


def _shortcut_edges(operations: Sequence[Operation], found: Arrangement) -> list[Edge]:
    """The arrows of a block's shortcut."""
    branch, alone = paths_of(operations)
    if branch is None:
        return []
    last = [op for op in operations if op.kind == "add" and len(op.inputs) == 2][-1]
    inside = {op.id for op in alone}
    others = {op.id for op in branch}
    return [
        edge
        for edge in found.edges
        if edge.end in inside or (edge.end == last.id and edge.start not in others)
    ]


def _outside(edge: Edge, found: Arrangement) -> bool:
    """Whether an arrow has a lane of its own."""
    return edge.lane not in (found.spots[edge.start].lane, found.spots[edge.end].lane)


def _name_of_shortcut(
    edge: Edge,
    found: Arrangement,
    centres: Sequence[float],
    shade: str,
    operations: Sequence[Operation],
) -> str:
    """Its kind beside an arrow that goes through no operation."""
    start, end = found.spots[edge.start], found.spots[edge.end]
    if edge.lane in (start.lane, end.lane):
        return ""
    y = _TOP + (start.layer + end.layer) / 2 * _LAYER
    words = shortcut_title(shortcut_kind(operations)).split()[0]
    return svg.text(centres[edge.lane] + 9, y, words, size=13, weight=600, fill=shade)
