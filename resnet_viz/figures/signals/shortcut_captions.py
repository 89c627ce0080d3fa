"""What a split gradient shows, in words. Every claim comes from the numbers shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from statistics import fmean

from resnet_viz.figures.signals.block_words import shortcut_name
from resnet_viz.figures.spread import number_text, signed
from resnet_viz.i18n import _
from resnet_viz.layers import after_order, blocks_of
from resnet_viz.signals import Decomposition, Split

_MOST_NAMED = 4  # blocks; more are counted


def shortcut_caption(decomposition: Decomposition) -> str:
    """A few short sentences on the two parts, their sum, and what breaks the identity."""
    d = decomposition
    if not d.splits:
        return _("Nothing has been measured yet.")
    sentences = [_larger(d), _cosines(d.splits), _residue(d.splits), _arrived(d), _relu(d)]
    sentences += [*_not_identity(d), _forks(d.splits)]
    return " ".join(sentence for sentence in sentences if sentence)


def _larger(d: Decomposition) -> str:
    splits = d.splits
    larger = sum(s.shortcut_norm > s.branch_norm for s in splits)
    text = _("{net}: the part through the shortcut is the larger one in {n} of {total} blocks")
    text = text.format(net=d.net.name, n=larger, total=len(splits))
    both = [s for s in splits if s.shortcut_norm > 0 and s.branch_norm > 0]
    if not both:
        return _("{text}; no gradient comes through the branches.").format(text=text)
    mean = fmean(math.log(s.shortcut_norm) - math.log(s.branch_norm) for s in both)
    more = _("{text}; it is {factor} times the branch's (geometric mean).")
    return more.format(text=text, factor=number_text(math.exp(mean)))


def _cosines(splits: Sequence[Split]) -> str:
    cosines = [s.cosine for s in splits if math.isfinite(s.cosine)]
    if not cosines:
        return ""
    text = _("The cosine between the two parts runs from {low} to {high}.")
    return text.format(low=signed(min(cosines)), high=signed(max(cosines)))


def _residue(splits: Sequence[Split]) -> str:
    largest = max(s.residue for s in splits)
    if math.isnan(largest):
        return ""
    if largest == 0:
        return _("The two parts add up to autograd's gradient exactly.")
    text = _("The two parts add up to autograd's gradient within {residue} of their norms.")
    return text.format(residue=number_text(largest))


def _arrived(d: Decomposition) -> str:
    first = d.splits[0]
    if not math.isfinite(first.arrived):
        return ""
    text = _(
        "Of the gradient at the last block's output, {share} % of the norm arrives at the first "
        "block through shortcuts alone"
    )
    text = text.format(share=number_text(100 * first.arrived))
    if not math.isfinite(first.arrived_cosine):
        return f"{text}."
    more = _("{text} (cosine with the whole gradient there: {cosine}).")
    return more.format(text=text, cosine=signed(first.arrived_cosine))


def _relu(d: Decomposition) -> str:
    passed = [s.passed for s in d.splits if math.isfinite(s.passed)]
    if "relu" not in after_order(d.net) or not passed:
        return ""
    text = _(
        "The ReLU after each addition breaks the identity: it passes {low:.0f} % to {high:.0f} % "
        "of the gradient's squared norm."
    )
    if min(passed) == 1:
        text = _("The ReLU after each addition passes the whole gradient.")
    return text.format(low=100 * min(passed), high=100 * max(passed))


def _not_identity(d: Decomposition) -> list[str]:
    """One sentence a kind of shortcut that is no identity."""
    places = [
        (split.shortcut, block.title)
        for split, block in zip(d.splits, blocks_of(d.net), strict=True)
        if split.shortcut != "identity"
    ]
    if not places:
        return []
    sentences = []
    for kind, found in groupby(sorted(places, key=lambda p: p[0]), key=lambda p: p[0]):
        titles = [title for _kind, title in found]
        where = "; ".join(titles)
        if len(titles) == len(d.splits):
            where = _("every block")
        elif len(titles) > _MOST_NAMED:
            where = _("{n} of {total} blocks").format(n=len(titles), total=len(d.splits))
        text = _("The shortcut is a {kind} in: {where}.")
        sentences.append(text.format(kind=shortcut_name(kind), where=where))
    return sentences


def _forks(splits: Sequence[Split]) -> str:
    shared = sum(s.shared_first for s in splits)
    if not shared:
        return ""
    text = _(
        "In {n} of {total} blocks both parts go through a norm and ReLU before the fork, "
        "which change the gradient's size too."
    )
    return text.format(n=shared, total=len(splits))
