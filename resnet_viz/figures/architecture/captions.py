"""What a drawing of a net shows, in words that are computed from its graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from resnet_viz.figures.architecture.svg import shape_text
from resnet_viz.figures.architecture.words import memory, part_title, short
from resnet_viz.graphs import Block, NetGraph, Part
from resnet_viz.i18n import _


def net_caption(graph: NetGraph) -> str:
    """Sizes, where they lie, shortcuts or connections, receptive field."""
    sums = graph.total
    image = graph.operations[0].shape
    text = _(
        "**{net}**: {parameters} parameters, {multiply_adds} multiply-adds for one image of "
        "{image}. {part} has {share:.0f} % of the parameters, {busy} does {work:.0f} % of the "
        "multiply-adds."
    )
    heavy = max(graph.parts, key=lambda part: part.total.parameters)
    busy = max(graph.parts, key=lambda part: part.total.multiply_adds)
    found = [
        text.format(
            net=graph.name,
            parameters=short(sums.parameters),
            multiply_adds=short(sums.multiply_adds),
            image=shape_text(image),
            part=_capital(part_title(heavy)),
            share=100 * heavy.total.parameters / sums.parameters,
            busy=part_title(busy),
            work=100 * busy.total.multiply_adds / sums.multiply_adds,
        )
    ]
    found += [_connections(graph), _shortcuts(graph.stages), _reach(graph)]
    return " ".join(filter(None, found))


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _connections(graph: NetGraph) -> str:
    dense = [part for part in graph.stages if part.dense]
    if not dense:
        return ""
    text = _(
        "Every layer takes the outputs of all earlier ones of its stage: {counts} = {total:,} "
        "connections, L(L+1)/2 for L = {layers}."
    )
    return text.format(
        counts=" + ".join(f"{part.connections:,}" for part in dense),
        total=sum(part.connections for part in dense),
        layers=", ".join(str(len(part.blocks)) for part in dense),
    )


def _shortcuts(stages: Sequence[Part]) -> str:
    blocks = [block for part in stages for block in part.blocks]
    counts = Counter(block.shortcut for block in blocks if block.shortcut)
    if not counts:
        return ""
    total, identities = sum(counts.values()), counts.pop("identity", 0)
    if not counts:
        return _("All {n} shortcuts are identities.").format(n=total)
    names = {
        "projection": _("{n} projections"),
        "zero-padding": _("{n} identities with zero-padding"),
        "scaled": _("{n} scaled"),
        "dropout": _("{n} with dropout"),
        "gated": _("{n} gated"),
    }
    rest = ", ".join(names[kind].format(n=count) for kind, count in counts.items())
    if not identities:
        return _("Shortcuts: {rest}.").format(rest=rest)
    text = _("{identities} of {total} shortcuts are identities; the others: {rest}{where}.")
    others = [block for block in blocks if block.shortcut not in ("", "identity")]
    where = _(", all where dimensions change") if all(b.changes for b in others) else ""
    return text.format(identities=identities, total=total, rest=rest, where=where)


def _reach(graph: NetGraph) -> str:
    fields = [
        op.receptive_field for part in graph.stages for op in part.operations if op.receptive_field
    ]
    if not fields:
        return ""
    side = graph.operations[0].shape[-1]
    text = _(
        "A value of the last feature maps can depend on a square of {n} pixels a side; the image "
        "has {side}."
    )
    return text.format(n=f"{max(fields):,}", side=side)


def stage_caption(part: Part) -> str:
    """How many of a stage's blocks are the same, and what its first one does."""
    counts = Counter(block.form for block in part.blocks)
    if part.dense or len(part.blocks) < 2:
        return ""
    _form, most = counts.most_common(1)[0]
    same = [block for block in part.blocks if counts[block.form] == most]
    text = _("{n} of {total} blocks are equal.")
    found = [text.format(n=most, total=len(part.blocks))] if most > 1 else []
    first: Block = part.blocks[0]
    if first.changes and first not in same:
        found.append(
            _("The first one makes {shape} of {shape_in}.").format(
                shape=shape_text(first.shape), shape_in=shape_text(first.shape_in)
            )
        )
    return " ".join(found)


def comparison_caption(first: NetGraph, second: NetGraph, batch: int) -> str:
    """What one net costs beside another."""
    ours, theirs = first.total, second.total
    text = _(
        "{a} has {parameters} parameters, {multiply_adds} multiply-adds and {kept} activations "
        "to keep ({memory_a} against {memory_b} for {batch} images) as {b}."
    )
    return text.format(
        a=first.name,
        b=second.name,
        parameters=_times(ours.parameters, theirs.parameters),
        multiply_adds=_times(ours.multiply_adds, theirs.multiply_adds),
        kept=_times(ours.kept_bytes, theirs.kept_bytes),
        memory_a=memory(batch * ours.kept_bytes),
        memory_b=memory(batch * theirs.kept_bytes),
        batch=batch,
    )


def _times(ours: int, theirs: int) -> str:
    if ours == theirs:
        return _("as many")
    ratio = ours / theirs
    return _("{n:.3g} times as many").format(n=ratio)
