"""Lesions: a trained net without some of its blocks, or with two of them exchanged.

Veit et al. 2016, arXiv:1605.06431, sections 4.1 and 4.2. What can be done to a net is known from
its spec alone, and is said here; `probes.lesions` does it. Standard library only.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from resnet_viz.checks import SpecError
from resnet_viz.i18n import _
from resnet_viz.layers import Block, blocks_of
from resnet_viz.specs import SHORTCUT_FAMILIES, NetSpec

FAMILIES = ("plain", *SHORTCUT_FAMILIES)  # whose blocks can go one by one

# At every place of a net the number of the block that computes there; None where none does.
Plan = tuple[int | None, ...]


@dataclass(frozen=True)
class Lesion:
    """What is done to a net.

    Attributes:
        removed: names of the blocks that go, such as "2.3" (stage 2, block 3).
        swapped: two blocks that change places; empty for none.
    """

    removed: tuple[str, ...] = ()
    swapped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tally:
    """Wrong images of some nets on the same images.

    Attributes:
        images: so many were looked at.
        wrong: a plan; how many of them it got wrong.
    """

    images: int
    wrong: tuple[int, ...]

    @property
    def errors(self) -> tuple[float, ...]:
        """A plan; fractions."""
        return tuple(wrong / self.images for wrong in self.wrong)


@dataclass(frozen=True)
class Singles:
    """A net's error without each of its blocks.

    Attributes:
        net: the net.
        images: test images, the same for every number.
        error: of the net as it is; a fraction.
        without: a block; None where it cannot go.
    """

    net: NetSpec
    images: int
    error: float
    without: tuple[float | None, ...]


@dataclass(frozen=True)
class Randoms:
    """A net's error without several blocks drawn at random.

    Attributes:
        net: the net.
        images: test images, the same for every number.
        error: of the net as it is; a fraction.
        counts: how many blocks were removed, ascending.
        errors: a count; the error of every draw.
        removable: from so many blocks they were drawn.
    """

    net: NetSpec
    images: int
    error: float
    counts: tuple[int, ...]
    errors: tuple[tuple[float, ...], ...]
    removable: int

    @property
    def means(self) -> tuple[float, ...]:
        """A count; mean over the draws."""
        return tuple(fmean(found) for found in self.errors)

    @property
    def spreads(self) -> tuple[float, ...]:
        """A count; sample standard deviation over the draws, 0 for one draw."""
        return tuple(stdev(found) if len(found) > 1 else 0.0 for found in self.errors)


def block_name(block: Block) -> str:
    """ "2.3" for the third block of stage 2."""
    return f"{block.stage}.{block.block}"


def check_family(net: NetSpec) -> None:
    """Refuse a net whose blocks cannot be taken out one by one, with a SpecError."""
    if net.family not in FAMILIES:
        text = _("Blocks of {net} cannot be taken out; choose a net of these families: {known}.")
        raise SpecError(text.format(net=net.name, known=", ".join(FAMILIES)))


def removable(net: NetSpec) -> tuple[bool, ...]:
    """A block; whether it can go.

    A residual block leaves its shortcut behind, whatever that does to the shape. Without a plain
    block nothing stands in its place, so what comes out of the block before has to fit.
    """
    check_family(net)
    return tuple(net.family in SHORTCUT_FAMILIES or not b.changes for b in blocks_of(net))


def why_some_stay(net: NetSpec) -> str:
    """Why some blocks of a net cannot go, for a person; "" where all can."""
    stay = [block_name(b) for b, may in zip(blocks_of(net), removable(net), strict=True) if not may]
    if not stay:
        return ""
    text = _(
        "{net}: {blocks} cannot go. They change resolution and channels, and a plain net has no "
        "shortcut that would do it in their place."
    )
    return text.format(net=net.name, blocks=", ".join(stay))


def swappable(net: NetSpec, name: str) -> list[str]:
    """Names of the blocks that can change places with a block: those of equal shape."""
    blocks = {block_name(b): b for b in blocks_of(net)}
    if name not in blocks:
        return []
    shape = _shape(blocks[name])
    return [n for n, block in blocks.items() if n != name and _shape(block) == shape]


def _shape(block: Block) -> tuple[int, int, int]:
    return block.c_in, block.c_out, block.stride


def intact(net: NetSpec) -> Plan:
    """The plan that changes nothing."""
    return tuple(range(sum(net.stage_blocks)))


def plan_of(net: NetSpec, lesion: Lesion) -> Plan:
    """The plan of a lesion: first two blocks change places, then what is removed goes.

    Raises:
        SpecError: there is no such block, it cannot go, or the two have another shape.
    """
    check_family(net)
    numbers = {block_name(b): i for i, b in enumerate(blocks_of(net))}
    for name in (*lesion.removed, *lesion.swapped):
        if name not in numbers:
            text = _("{net} has no block {name}; its last one is {last}")
            raise SpecError(text.format(net=net.name, name=name, last=list(numbers)[-1]))
    plan: list[int | None] = list(range(len(numbers)))
    if lesion.swapped:
        if len(lesion.swapped) != 2 or lesion.swapped[1] not in swappable(net, lesion.swapped[0]):
            text = _("{net}: blocks that change places must be two of equal shape, not {names}")
            raise SpecError(text.format(net=net.name, names=", ".join(lesion.swapped)))
        a, b = (numbers[name] for name in lesion.swapped)
        plan[a], plan[b] = b, a
    may = removable(net)
    for name in lesion.removed:
        if not may[numbers[name]]:
            raise SpecError(why_some_stay(net))
        plan[plan.index(numbers[name])] = None
    return tuple(plan)


def single_plans(net: NetSpec) -> list[Plan]:
    """The net as it is, then without each of the blocks that can go."""
    may = [i for i, can in enumerate(removable(net)) if can]
    return [intact(net), *(without(net, [i]) for i in may)]


def without(net: NetSpec, numbers: Sequence[int]) -> Plan:
    """The plan that removes the blocks of these numbers, from 0."""
    return tuple(None if i in numbers else i for i in intact(net))


def random_counts(net: NetSpec, most: int = 8) -> tuple[int, ...]:
    """How many blocks to remove: at most `most` numbers from 1 to all that can go but one."""
    highest = max(1, sum(removable(net)) - 1)
    found = {1, *(round(1 + (highest - 1) * (i / (most - 1)) ** 1.5) for i in range(most))}
    return tuple(sorted(found))


def random_plans(net: NetSpec, count: int, draws: int, seed: int) -> list[Plan]:
    """Plans that remove `count` blocks, drawn anew for each.

    Nets with the same blocks that can go get the same draws.
    """
    may = [i for i, can in enumerate(removable(net)) if can]
    generator = random.Random(f"{seed} {count}")
    return [without(net, generator.sample(may, min(count, len(may)))) for _draw in range(draws)]
