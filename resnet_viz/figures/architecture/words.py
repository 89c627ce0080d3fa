"""Names and numbers of a net's parts as a person reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from resnet_viz.figures.architecture.svg import shape_text
from resnet_viz.graphs import Block, NetGraph, Operation, Part
from resnet_viz.i18n import _

PASSING = ("norm", "relu", "flatten", "dropout", "tanh", "sigmoid", "bias", "scale", "concat")

LONGEST_FORM = 44


def part_title(part: Part) -> str:
    """ "stage 2"."""
    titles = {
        "stem": _("stem"),
        "stage": _("stage {n}"),
        "transition": _("transition {n}"),
        "head": _("head"),
    }
    return titles.get(part.kind, part.key).format(n=part.number)


def block_title(block: Block, part: Part) -> str:
    """ "block 3"; "layer 3" where every block takes what all before it gave."""
    text = _("layer {n}") if part.dense else _("block {n}")
    return text.format(n=block.number)


def count_title(part: Part) -> str:
    """ "36 blocks"."""
    count = len(part.blocks)
    if part.dense:
        return _("{n} layers").format(n=count)
    return _("1 block") if count == 1 else _("{n} blocks").format(n=count)


def shortcut_title(kind: str) -> str:
    """What a shortcut is, in words."""
    titles = {
        "identity": _("identity shortcut"),
        "zero-padding": _("zero-padding shortcut"),
        "projection": _("projection shortcut"),
        "scaled": _("scaled shortcut"),
        "dropout": _("dropout on the shortcut"),
        "gated": _("gated shortcut"),
        "": _("no shortcut"),
    }
    return titles[kind]


def kernel_lines(block: Block) -> list[str]:
    """The weighted layers of a block, short: ["1×1, 64", "3×3, 64", "1×1, 256"]."""
    lines = []
    for op in block.convolutions:
        kernel = f"{op.kernel}×{op.kernel}, " if op.kernel else ""
        lines.append(f"{kernel}{op.shape[0]}" + (f", /{op.stride}" if op.stride > 1 else ""))
    return lines


def summary(operations: Iterable[Operation]) -> str:
    """What a part without blocks does: "7×7 conv, 64, /2 → 3×3 max pool, /2"."""
    shown = [op for op in operations if op.kind not in PASSING]
    return " → ".join(op.label for op in shown if not (op.kind == "pool" and op.kernel == 1))


def block_form(part: Part) -> str:
    """What the commonest block of a stage is made of: "1×1, 64 · 3×3, 64 · 1×1, 256"."""
    forms = Counter(" · ".join(kernel_lines(block)) for block in part.blocks)
    form = max(forms, key=lambda form: forms[form])
    if len(form) <= LONGEST_FORM:
        return form
    counts = [len(block.convolutions) for block in part.blocks]
    return _("{n} convolutions each").format(n=max(counts))


def operation_title(op: Operation) -> str:
    """Label and output, for the pointer."""
    return f"{op.name}: {op.label} → {shape_text(op.shape)}"


def field_text(pixels: int) -> str:
    """A receptive field: "43 px"; 0 is the whole image."""
    return _("{n} px").format(n=pixels) if pixels else _("whole image")


def short(count: float) -> str:
    """ "0.59 M", "11.5 G", "812"."""
    for unit, scale in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= scale:
            digits = 2 if count < 10 * scale else 1 if count < 100 * scale else 0
            return f"{count / scale:.{digits}f} {unit}"
    return f"{count:.0f}"


def memory(count: float) -> str:
    """ "3.2 MB"."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:.3g} {unit}"
    return f"{count:.0f} B"


def crumbs(graph: NetGraph, place: str) -> list[tuple[str, str]]:
    """The way to a place, from the whole net: places and their titles."""
    part, block, operation = graph.find(place)
    found = [("", graph.name)]
    if part is not None:
        found.append((part.key, part_title(part)))
    if part is not None and block is not None:
        found.append((block.key, block_title(block, part)))
    if operation is not None:
        found.append((operation.id, operation.name))
    return found
