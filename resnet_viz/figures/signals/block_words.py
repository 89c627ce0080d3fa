"""What a block's shortcut does to the gradient, in words. Standard library only."""

from __future__ import annotations

from resnet_viz.i18n import _
from resnet_viz.layers import Block, after_order, blocks_of
from resnet_viz.signals import Decomposition, Split


def shortcut_name(shortcut: str) -> str:
    """The kind of a shortcut as `Split.shortcut` names it, for a reader."""
    names = {
        "identity": _("identity"),
        "zero_padding": _("zero-padding"),
        "projection": _("projection"),
        "scaled": _("scaled"),
        "dropout": _("dropout"),
        "gated": _("gated"),
    }
    return names[shortcut]


def block_words(decomposition: Decomposition, number: int) -> str:
    """A block by place, and what its shortcut and ReLU do; lines with <br> between them.

    Args:
        number: of the block, from 0 in the order of `layers.blocks_of`.
    """
    block, split = blocks_of(decomposition.net)[number], decomposition.splits[number]
    place = _("block {n}: {block}").format(n=number + 1, block=block.title)
    lines = [place, _shortcut_words(block, split)]
    if split.shared_first:
        lines.append(_("norm and ReLU stand before the fork, so both parts go through them"))
    if "relu" in after_order(decomposition.net):
        lines.append(_relu_words(split))
    return "<br>".join(lines)


def _relu_words(split: Split) -> str:
    """What the ReLU after the addition lets through."""
    text = _("ReLU after the addition: holds back {held:.0f} % of the values,")
    more = _("lets {passed:.0f} % of the squared gradient norm through")
    return "<br>".join(
        [text.format(held=100 * split.blocked), more.format(passed=100 * split.passed)]
    )


def _shortcut_words(block: Block, split: Split) -> str:
    if split.shortcut == "identity":
        return _("shortcut: identity, the gradient passes it unchanged")
    if split.shortcut == "projection":
        text = _("shortcut: projection, 1×1 convolution, {a}→{b} channels")
        return text.format(a=block.c_in, b=block.c_out)
    parts = [
        {
            "zero_padding": _("shortcut: zero-padding"),
            "scaled": _("shortcut: scaled by a constant"),
            "dropout": _("shortcut: dropout in training, which is left out here"),
            "gated": _("shortcut: gated, x passes in the share 1 − T(x)"),
        }[split.shortcut]
    ]
    if block.stride > 1:
        text = _("one pixel in {n} has a way back")
        parts.append(text.format(n=block.stride**2))
    if block.c_out > block.c_in:
        text = _("the gradient of the {n} padded channels is lost")
        parts.append(text.format(n=block.c_out - block.c_in))
    return ",<br>".join(parts)
