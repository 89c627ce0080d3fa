"""One stage: its blocks in rows, or a dense stage with every connection."""

from __future__ import annotations

from resnet_viz.figures.architecture import svg
from resnet_viz.figures.architecture.overview import (
    WIDTH,
    dense_arcs,
    dense_centres,
    shortcut_arc,
)
from resnet_viz.figures.architecture.svg import Drawing, n
from resnet_viz.figures.architecture.words import (
    block_title,
    count_title,
    kernel_lines,
    part_title,
    shortcut_title,
)
from resnet_viz.graphs import Block, NetGraph, Part
from resnet_viz.i18n import _

_LARGE, _SMALL = (104.0, 68.0), (82.0, 25.0)  # width of a card, gap to the next
_MANY = 12
_LINE = 15.0
_ARCS = 230.0


def stage(graph: NetGraph, part: Part) -> Drawing:
    """The blocks of a stage in their order, with shapes on the arrows."""
    shade = svg.colour_of(graph.family)
    return _dense_stage(part, shade) if part.dense else _chain(part, shade)


def _chain(part: Part, shade: str) -> Drawing:
    many = len(part.blocks) > _MANY
    width, gap = _SMALL if many else _LARGE
    arc = 18.0 if many else 24.0
    lines = max(len(kernel_lines(block)) for block in part.blocks)
    height = 24 + _LINE * lines + (0 if many else 16)
    per_row = int((WIDTH - 14) / (width + gap))
    step = height + arc + 26
    drawn = []
    for place, block in enumerate(part.blocks):
        row, column = divmod(place, per_row)
        x = gap + column * (width + gap)
        y = 10 + row * step + arc
        before = part.blocks[place - 1].shape if place else part.shape_in
        # Of many equal arrows the first of each row and those that change say their shape.
        said = not many or column == 0 or block.shape_in != before
        words = svg.shape_text(block.shape_in) if said and not many else ""
        drawn.append(_arrow(x - gap, y + height / 2, gap, words))
        drawn.append(_card(block, part, (x, y, width, height), arc, shade, many=many))
    rows = -(-len(part.blocks) // per_row)
    last = len(part.blocks) - 1
    row, column = divmod(last, per_row)
    x, y = gap + column * (width + gap) + width, 10 + row * step + arc + height / 2
    if x + gap < WIDTH:
        drawn.append(_arrow(x, y, gap, "" if many else svg.shape_text(part.shape)))
    bottom = rows * step + 16
    if many:
        words = _("in {shape_in}, after block 1 {shape}")
        words = words.format(
            shape_in=svg.shape_text(part.shape_in), shape=svg.shape_text(part.blocks[0].shape)
        )
        drawn.append(svg.text(gap, bottom, words, size=12.5, opacity=0.85))
        bottom += 14
    alt = f"{part_title(part)}: {count_title(part)}"
    return Drawing(WIDTH, bottom, "".join(drawn), alt)


def _arrow(x: float, y: float, gap: float, shape: str) -> str:
    drawn = svg.path(f"M{n(x + 3)} {n(y)}H{n(x + gap - 3)}", tip=True, opacity=0.8)
    if shape:
        drawn += svg.text(x + gap / 2, y - 7, shape, size=10.5, anchor="middle", opacity=0.9)
    return drawn


def _card(
    block: Block,
    part: Part,
    box: tuple[float, float, float, float],
    arc: float,
    shade: str,
    *,
    many: bool,
) -> str:
    x, y, width, height = box
    title = block_title(block, part)
    lines = kernel_lines(block)
    opacity = 0.34 if block.changes else 0.12
    shape = svg.rect(
        x, y, width, height, fill=shade, fill_opacity=opacity, stroke=shade, radius=5, kind="cell"
    )
    body = [svg.target(x, y - arc, width, height + arc), shape]
    body.append(svg.text(x + width / 2, y + 17, title, size=12.5, weight=600, anchor="middle"))
    for row, line in enumerate(lines):
        at = y + 33 + _LINE * row
        body.append(svg.text(x + width / 2, at, line, size=12, anchor="middle"))
    if not many:
        words = "" if not block.shortcut else shortcut_title(block.shortcut).split()[0]
        at = y + height - 8
        body.append(svg.text(x + width / 2, at, words, size=11, anchor="middle", opacity=0.75))
    body.append(shortcut_arc(block.shortcut, x + 4, y - 2, width - 8, arc, shade))
    about = f"{title}: {' · '.join(lines)}; {shortcut_title(block.shortcut)}; "
    about += f"{svg.shape_text(block.shape_in)} → {svg.shape_text(block.shape)}"
    return svg.item(block.key, about, "".join(body))


def _dense_stage(part: Part, shade: str) -> Drawing:
    """Every layer in one row; an arc a connection, over them."""
    count = len(part.blocks)
    pitch = min(66.0, (WIDTH - 20) / (count + 1))
    width = pitch * 0.78
    top = _ARCS + 14
    centres = dense_centres(part, 10, pitch, width)
    arcs = dense_arcs(part, centres, top - 3, _ARCS)
    opacity = 0.8 if count <= 12 else 0.5 if count <= 24 else 0.32
    height = 54.0
    wide = width >= 40
    name = _("input") if wide else "x"
    drawn = [
        svg.path(arcs, stroke=shade, width=1.0, opacity=opacity),
        svg.rect(10, top, width, height, fill="currentColor", fill_opacity=0.18, radius=4),
        svg.text(10 + width / 2, top + 31, name, size=12, anchor="middle"),
    ]
    for place, block in enumerate(part.blocks, 1):
        drawn.append(_layer(block, part, (10 + place * pitch, top, width, height), shade, wide))
    y = top + height + 22
    words = _("{n} layers: {count:,} connections = {n}·{m}/2. In {shape_in}; together {shape}.")
    words = words.format(
        n=count,
        m=count + 1,
        count=part.connections,
        shape_in=svg.shape_text(part.shape_in),
        shape=svg.shape_text(part.shape),
    )
    drawn.append(svg.text(10, y, words, size=13))
    alt = f"{part_title(part)}: {words}"
    return Drawing(WIDTH, y + 12, "".join(drawn), alt)


def _layer(
    block: Block,
    part: Part,
    box: tuple[float, float, float, float],
    shade: str,
    wide: bool,
) -> str:
    x, y, width, height = box
    shape = svg.rect(
        x, y, width, height, fill=shade, fill_opacity=0.2, stroke=shade, radius=4, kind="cell"
    )
    number = str(block.number)
    words = [svg.text(x + width / 2, y + (20 if wide else 31), number, size=11.5, anchor="middle")]
    if wide:
        channels = f"+{block.shape[0]}"
        words.append(svg.text(x + width / 2, y + 40, channels, size=11, anchor="middle"))
    about = _("{layer}: takes {n} earlier outputs ({shape_in}), adds {channels} channels").format(
        layer=block_title(block, part),
        n=len(block.sources),
        shape_in=svg.shape_text(block.shape_in),
        channels=block.shape[0],
    )
    return svg.item(block.key, about, shape + "".join(words))
