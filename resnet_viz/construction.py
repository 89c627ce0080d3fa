"""A net made deeper by inserted blocks: where they can be inserted, and what then was measured.

He et al. 2015, arXiv:1512.03385, section 1. Standard library only; `nets.surgery` does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from resnet_viz.checks import SpecError, check_integer
from resnet_viz.i18n import _
from resnet_viz.layers import blocks_of
from resnet_viz.specs import DEFAULT_STAGES, PLAIN_SHORTCUTS, NetSpec

FAMILIES = ("plain", "resnet", "preact")
MOST_INSERTED = 100


@dataclass(frozen=True)
class Errors:
    """A net's errors, as fractions.

    Attributes:
        train, test: in evaluation mode, on training and on test images.
        train_mode: on the same training images in training mode, batch by batch.
    """

    train: float
    test: float
    train_mode: float


@dataclass(frozen=True)
class Constructed:
    """A net before and after blocks that compute the identity were inserted.

    Attributes:
        before, after: errors.
        net, deeper: specs.
        train_images, test_images: on which the errors were measured.
        batch: images in a batch of training mode.
        difference: largest absolute difference between the logits of both nets in evaluation
            mode; `train_mode_difference` in training mode.
        logit: largest absolute logit, to judge the differences by.
    """

    net: NetSpec
    deeper: NetSpec
    before: Errors
    after: Errors
    train_images: int
    test_images: int
    batch: int
    difference: float
    train_mode_difference: float
    logit: float


@dataclass(frozen=True)
class Place:
    """A block of the deeper net.

    Attributes:
        number: of the block of the shallower net that it copies, or after which it is inserted.
        copied: which of the two.
    """

    number: int
    copied: bool


def stage_ends(net: NetSpec) -> dict[int, int]:
    """Number (from 0) of the last block of every stage, by the stage's number from 1."""
    last: dict[int, int] = {}
    for number, block in enumerate(blocks_of(net)):
        last[block.stage] = number
    return last


def check_insertion(net: NetSpec, where: Sequence[int], k: int) -> None:
    """Refuse blocks that cannot compute the identity, with a SpecError that says why."""
    check_integer("blocks to insert", k, 1, MOST_INSERTED)
    count = sum(net.stage_blocks)
    if not where or len(set(where)) < len(where) or not set(where) <= set(range(count)):
        text = _("{net} has blocks 0 to {last}; blocks are inserted after some of them, not {at}")
        raise SpecError(text.format(net=net.name, last=count - 1, at=list(where)))
    if net.family not in FAMILIES:
        text = _("No identity is built for {net}; choose a net of these families: {known}.")
        raise SpecError(text.format(net=net.name, known=", ".join(FAMILIES)))
    if net.family == "plain" and net.block == "bottleneck":
        raise SpecError(
            _(
                "A plain bottleneck block cannot be the identity: its first layer has a quarter of "
                "the channels, and what it drops nothing brings back. Choose basic blocks."
            )
        )
    changed = net.shortcut not in PLAIN_SHORTCUTS or net.order == "norm_after_sum"
    if changed or net.aux_heads:
        raise SpecError(
            _(
                "{net} has gates, factors, dropout, a norm after the addition or auxiliary "
                "classifiers, so a branch of zero does not make a block the identity. Choose a "
                "net without them."
            ).format(net=net.name)
        )
    if net.shortcut == "C":
        raise SpecError(
            _(
                "With option C every shortcut is a projection, so no block has an identity "
                "shortcut to fall back on. Choose a net with option A or B."
            )
        )


def deeper(net: NetSpec, where: Sequence[int], k: int) -> NetSpec:
    """The spec of the net with k blocks more after each of the blocks `where`.

    Raises:
        SpecError: it would be too deep.
    """
    stages = [block.stage for block in blocks_of(net)]
    counts = list(net.stage_blocks)
    for number in where:
        counts[stages[number] - 1] += k
    depth = net.block_layers * sum(counts) + 2
    equal = len(counts) == DEFAULT_STAGES and len(set(counts)) == 1
    return replace(net, depth=depth, blocks=None if equal else tuple(counts))


def places_after(count: int, where: Sequence[int], k: int) -> list[Place]:
    """What every block of the deeper net is.

    Args:
        count: blocks of the shallower net.
    """
    places = []
    for number in range(count):
        places.append(Place(number, copied=True))
        if number in where:
            places += [Place(number, copied=False)] * k
    return places


@dataclass(frozen=True)
class Share:
    """Some images through a net and through the deeper one made of it.

    Attributes:
        images: so many.
        before, after: wrong ones, of the net and of the deeper one.
        difference: largest absolute difference between their logits.
        logit: largest absolute logit of the net.
    """

    images: int
    before: int
    after: int
    difference: float
    logit: float


def combine(net: NetSpec, made: NetSpec, shares: Sequence[Sequence[Share]]) -> Constructed:
    """What was measured, from shares of three kinds.

    Args:
        shares: of training images, of test images, and of training images in training mode, one
            share a batch; at least one of each.
    """
    train, test, mode = shares
    errors = [_fractions(kind) for kind in shares]
    return Constructed(
        net=net,
        deeper=made,
        before=Errors(*(before for before, _after in errors)),
        after=Errors(*(after for _before, after in errors)),
        train_images=sum(share.images for share in train),
        test_images=sum(share.images for share in test),
        batch=mode[0].images,
        difference=max(share.difference for share in (*train, *test)),
        train_mode_difference=max(share.difference for share in mode),
        logit=max(share.logit for share in (*train, *test)),
    )


def _fractions(shares: Sequence[Share]) -> tuple[float, float]:
    images = sum(share.images for share in shares)
    return (
        sum(share.before for share in shares) / images,
        sum(share.after for share in shares) / images,
    )
