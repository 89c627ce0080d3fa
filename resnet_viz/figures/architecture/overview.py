"""A whole net: a band a part, a cell a block, an arc over it its shortcut."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from resnet_viz.figures.architecture import svg
from resnet_viz.figures.architecture.svg import Drawing, n
from resnet_viz.figures.architecture.words import (
    block_form,
    block_title,
    count_title,
    kernel_lines,
    part_title,
    short,
    shortcut_title,
    summary,
)
from resnet_viz.graphs import SHORTCUT_KINDS, Block, NetGraph, Part
from resnet_viz.i18n import _

WIDTH = 900.0
_CELLS_LEFT, _CELLS_WIDTH = 206.0, 428.0
_BARS_LEFT, _BARS_WIDTH = 652.0, 120.0
_WIDEST, _NARROW, _TIGHT = 44.0, 22.0, 11.1  # from one cell to the next
_LABELLED = 86.0  # with the only weighted layer of the block in it
_CELL_HEIGHT, _ARC_HEIGHT, _ROW_GAP = 20.0, 13.0, 8.0
_DENSE_ARCS = 50.0
_THIN = 32.0  # height of a part without blocks
_ARROW = 27.0
_FEW_ROWS = 3


@dataclass(frozen=True)
class Scale:
    """The largest part of the nets that are drawn beside each other: the full length of a bar."""

    parameters: int
    multiply_adds: int


def scale_of(graphs: Iterable[NetGraph]) -> Scale:
    """One scale for several nets."""
    totals = [part.total for graph in graphs for part in graph.parts]
    return Scale(max(t.parameters for t in totals), max(t.multiply_adds for t in totals))


def overview(graph: NetGraph, scale: Scale | None = None) -> Drawing:
    """The net from the image, on top, to its output.

    A cell that is a trapezium changes the shape of what goes through it. Bars on the right: each
    part's share of parameters and of multiply-adds.

    Args:
        scale: of the bars; None for the net's own.
    """
    scale = scale or scale_of([graph])
    shade = svg.colour_of(graph.family)
    body = [_heads()]
    y = 22.0
    first = graph.operations[0]
    body.append(_arrow(y, svg.shape_text(first.shape), _("image")))
    y += _ARROW
    for part in graph.parts:
        drawn, height = _band(part, y, shade, scale)
        body.append(drawn)
        y += height
        body.append(_arrow(y, svg.shape_text(part.shape), ""))
        y += _ARROW
    body.append(_legend(graph, y + 12, shade))
    alt = _("{net}: {parts}").format(
        net=graph.name,
        parts=", ".join(
            part_title(part) + (f" ({count_title(part)})" if part.blocks else "")
            for part in graph.parts
        ),
    )
    return Drawing(WIDTH, y + 26, "".join(body), alt)


def _heads() -> str:
    return svg.text(_BARS_LEFT, 12, _("parameters"), size=12, opacity=0.75) + svg.text(
        _BARS_LEFT + 128, 12, _("multiply-adds"), size=12, opacity=0.75
    )


def _arrow(y: float, shape: str, name: str) -> str:
    x = _CELLS_LEFT + _CELLS_WIDTH / 2
    words = f"{name} {shape}".strip()
    return svg.path(f"M{n(x)} {n(y + 2)}V{n(y + _ARROW - 2)}", tip=True, opacity=0.8) + svg.text(
        x + 10, y + _ARROW / 2 + 4.5, words, size=12.5, opacity=0.9
    )


def _band(part: Part, y: float, shade: str, scale: Scale) -> tuple[str, float]:
    """A part's band, which begins at y, and its height."""
    cells, inner = _cells(part, y, shade) if part.blocks else ("", 0.0)
    height = max(_THIN, inner + 16) if part.blocks else _THIN
    title = part_title(part)
    middle = y + height / 2
    words = [svg.rect(1, y, WIDTH - 2, height, fill="currentColor", fill_opacity=0.045, kind="box")]
    if part.blocks:
        form = block_form(part)
        about = f"{title}: {count_title(part)}, {form}"
        words.append(svg.text(14, middle - 4, title, weight=600, size=14))
        count = svg.text(190, middle - 4, count_title(part), size=12.5, anchor="end", opacity=0.8)
        words.append(count)
        words.append(svg.text(14, middle + 14, form, size=11, opacity=0.9))
    else:
        words.append(svg.text(14, middle + 4.5, title, weight=600, size=14))
        about = f"{title}: {summary(part.operations)}"
        words.append(_fitted(_CELLS_LEFT, middle + 4.5, summary(part.operations)))
    words.append(_bars(part, middle, shade, scale))
    return svg.item(part.key, about, "".join(words)) + cells, height


def _fitted(x: float, y: float, words: str) -> str:
    most = 66
    return svg.text(x, y, words if len(words) <= most else words[: most - 1] + "…", size=13)


def _bars(part: Part, y: float, shade: str, scale: Scale) -> str:
    found = []
    total = part.total
    for x, value, most in (
        (_BARS_LEFT, total.parameters, scale.parameters),
        (_BARS_LEFT + 128, total.multiply_adds, scale.multiply_adds),
    ):
        length = 62 * value / most if most else 0
        found.append(svg.rect(x, y - 6, 62, 12, fill="currentColor", fill_opacity=0.07, radius=2))
        found.append(svg.rect(x, y - 6, length, 12, fill=shade, fill_opacity=0.85, radius=2))
        found.append(svg.text(x + 66, y + 4.2, short(value), size=12))
    return "".join(found)


def _cells(part: Part, y: float, shade: str) -> tuple[str, float]:
    """The blocks of a stage inside its band, and the height that they take."""
    count = len(part.blocks)
    if part.dense:
        return _dense_cells(part, y, shade)
    labelled = all(len(block.convolutions) == 1 for block in part.blocks)
    pitch = min(_LABELLED if labelled else _WIDEST, _CELLS_WIDTH / count)
    if pitch < _NARROW:
        pitch = _NARROW
        if count > _FEW_ROWS * int(_CELLS_WIDTH / pitch):
            pitch = _TIGHT
    per_row = int(_CELLS_WIDTH / pitch + 1e-6)
    rows = -(-count // per_row)
    row_height = _CELL_HEIGHT + _ARC_HEIGHT + _ROW_GAP
    drawn = []
    for place, block in enumerate(part.blocks):
        row, column = divmod(place, per_row)
        left = _CELLS_LEFT + column * pitch
        top = y + 8 + row * row_height + _ARC_HEIGHT
        drawn.append(_cell(block, part, left, top, pitch, shade))
    return "".join(drawn), rows * row_height - _ROW_GAP + 2


def _cell(block: Block, part: Part, x: float, y: float, pitch: float, shade: str) -> str:
    width = pitch - min(8.0, pitch * 0.3)
    lines = " · ".join(kernel_lines(block))
    title = f"{part_title(part)}, {block_title(block, part)}: {lines}"
    if block.shortcut:
        title += f"; {shortcut_title(block.shortcut)}"
    shape = svg.target(x, y - _ARC_HEIGHT, pitch, _CELL_HEIGHT + _ARC_HEIGHT)
    shape += cell_shape(x, y, width, _CELL_HEIGHT, shade, changes=block.changes)
    if width > 0.8 * _LABELLED:
        middle = x + width / 2
        shape += svg.text(
            middle, y + 14.5, lines, size=12, anchor="middle", fill=_on(changes=block.changes)
        )
    return svg.item(
        block.key, title, shape + shortcut_arc(block.shortcut, x, y - 2, width, _ARC_HEIGHT, shade)
    )


def _on(*, changes: bool) -> str:
    """Colour of a text on a cell."""
    return "#ffffff" if changes else "currentColor"


def cell_shape(
    x: float, y: float, width: float, height: float, shade: str, *, changes: bool
) -> str:
    """A block: a rectangle, or a filled trapezium where dimensions change."""
    if not changes:
        return svg.rect(
            x, y, width, height, fill=shade, fill_opacity=0.3, stroke=shade, radius=3, kind="cell"
        )
    slope = height * 0.22
    points = (
        f"M{n(x)} {n(y)}L{n(x + width)} {n(y + slope)}V{n(y + height - slope)}"
        f"L{n(x)} {n(y + height)}Z"
    )
    return svg.path(points, stroke=shade, fill=shade, width=1)


def shortcut_arc(kind: str, x: float, y: float, width: float, height: float, shade: str) -> str:
    """The shortcut over a block, with the mark of its kind.

    Dashed for zero-padding, dotted for dropout; a square is a projection, a dot a gate, a ring a
    constant factor.
    """
    if not kind:
        return ""
    data = f"M{n(x)} {n(y)}C{n(x + width * 0.1)} {n(y - height * 1.1)} "
    data += f"{n(x + width * 0.9)} {n(y - height * 1.1)} {n(x + width)} {n(y)}"
    dash = {"zero-padding": "3 2", "dropout": "1 2"}.get(kind, "")
    arc = svg.path(data, stroke=shade, width=1.6, dash=dash)
    middle, top = x + width / 2, y - height * 0.83
    if kind == "projection":
        arc += svg.rect(middle - 3, top - 3, 6, 6, fill=shade, radius=0)
    if kind == "gated":
        arc += f'<circle cx="{n(middle)}" cy="{n(top)}" r="3" fill="{shade}"/>'
    if kind == "scaled":
        arc += f'<circle cx="{n(middle)}" cy="{n(top)}" r="2.6" stroke="{shade}"/>'
    return arc


def _dense_cells(part: Part, y: float, shade: str) -> tuple[str, float]:
    """Layers in one row, and an arc for every connection between two of them."""
    pitch = min(_WIDEST, _CELLS_WIDTH / (len(part.blocks) + 1))
    width = pitch * 0.64
    top = y + 8 + _DENSE_ARCS
    centres = dense_centres(part, _CELLS_LEFT, pitch, width)
    arcs = dense_arcs(part, centres, top - 2, _DENSE_ARCS)
    entry = svg.rect(
        _CELLS_LEFT, top, width, _CELL_HEIGHT, fill="currentColor", fill_opacity=0.35, radius=3
    )
    drawn = [svg.path(arcs, stroke=shade, width=0.8, opacity=0.55), entry]
    for place, block in enumerate(part.blocks, 1):
        title = f"{part_title(part)}, {block_title(block, part)}: "
        title += " · ".join(kernel_lines(block)) + "; "
        title += _("takes {n} earlier outputs").format(n=len(block.sources))
        x = _CELLS_LEFT + place * pitch
        shape = svg.target(x, top, pitch, _CELL_HEIGHT)
        shape += cell_shape(x, top, width, _CELL_HEIGHT, shade, changes=False)
        drawn.append(svg.item(block.key, title, shape))
    return "".join(drawn), _DENSE_ARCS + _CELL_HEIGHT + 2


def dense_centres(part: Part, left: float, pitch: float, width: float) -> dict[str, float]:
    """Where the connections of a dense stage begin and end: id of a source, key of a block -> x."""
    centres: dict[str, float] = {}
    for place, block in enumerate(part.blocks, 1):
        centre = left + place * pitch + width / 2
        centres[block.key] = centre
        centres |= {op.id: centre for op in block.operations}
    outside = left + width / 2
    for block in part.blocks:
        centres |= {source: outside for source in block.sources if source not in centres}
    return centres


def dense_arcs(part: Part, centres: dict[str, float], y: float, height: float) -> str:
    """One path with an arc for every connection; the longest is the highest."""
    longest = max(abs(a - b) for a in centres.values() for b in centres.values())
    arcs = []
    for block in part.blocks:
        for source in block.sources:
            a, b = centres[source], centres[block.key]
            rise = height * 1.3 * ((b - a) / longest) ** 0.75
            arcs.append(f"M{n(a)} {n(y)}C{n(a)} {n(y - rise)} {n(b)} {n(y - rise)} {n(b)} {n(y)}")
    return "".join(arcs)


def _legend(graph: NetGraph, y: float, shade: str) -> str:
    """What the marks mean: those that the net has."""
    blocks = [(part, block) for part in graph.stages for block in part.blocks]
    kinds = dict.fromkeys(block.shortcut for _part, block in blocks)
    x, drawn = 14.0, []
    for kind in SHORTCUT_KINDS:
        if kind in kinds:
            drawn.append(shortcut_arc(kind, x, y + 3, 22, 11, shade))
            drawn.append(svg.text(x + 28, y + 4, shortcut_title(kind), size=12, opacity=0.85))
            x += 46 + 6.4 * len(shortcut_title(kind))
    if any(part.dense for part in graph.stages):
        drawn.append(shortcut_arc("identity", x, y + 3, 22, 11, shade))
        words = _("concatenated: every layer takes all earlier outputs")
        drawn.append(svg.text(x + 28, y + 4, words, size=12, opacity=0.85))
        x += 46 + 6.0 * len(words)
    if any(block.changes for part, block in blocks if not part.dense):
        drawn.append(cell_shape(x, y - 8, 16, 14, shade, changes=True))
        drawn.append(svg.text(x + 23, y + 4, _("dimensions change"), size=12, opacity=0.85))
    return "".join(drawn)
