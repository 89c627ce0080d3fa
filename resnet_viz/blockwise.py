"""What is measured of a trained net's blocks without changing them: paths, and responses.

Standard library only; every number is a plain float.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

from resnet_viz.checks import SpecError
from resnet_viz.i18n import _
from resnet_viz.specs import SHORTCUT_FAMILIES, NetSpec

FAMILIES = ("plain", *SHORTCUT_FAMILIES)  # whose paths can be told apart


@dataclass(frozen=True)
class PathLengths:
    """The gradient that paths of each length carry (Veit et al. 2016, section 4.3).

    A path goes through every block by its branch or by its shortcut; its length is the number of
    branches. A plain net has one path, through every branch.

    Attributes:
        net: the net.
        step: training steps behind it; None where not known.
        images: in the batch.
        norms: by length from 0; norm of the gradient that each sampled path brings to the input
            of the first block. Empty where a net has no path of that length.
    """

    net: NetSpec
    step: int | None
    images: int
    norms: tuple[tuple[float, ...], ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """How many paths there are, by length."""
        return path_counts(self.net)

    @property
    def layers(self) -> tuple[int, ...]:
        """Weighted layers on a path, by length: stem, head, and those of its branches."""
        per_block = self.net.block_layers
        return tuple(2 + per_block * length for length in range(len(self.norms)))

    @property
    def means(self) -> tuple[float | None, ...]:
        """Mean norm of one path, by length; None without a path."""
        return tuple(fmean(found) if found else None for found in self.norms)

    @property
    def path_shares(self) -> tuple[float, ...]:
        """Share of all paths, by length."""
        total = sum(self.counts)
        return tuple(count / total for count in self.counts)

    @property
    def gradient_shares(self) -> tuple[float, ...]:
        """Number of paths times the mean norm of one, by length, over the sum of these.

        Norms of single paths are added, as Veit et al. do, so what cancels between paths is not
        taken away.
        """
        parts = [count * (mean or 0.0) for count, mean in zip(self.counts, self.means, strict=True)]
        total = sum(parts)
        return tuple(part / total if total else math.nan for part in parts)


def path_counts(net: NetSpec) -> tuple[int, ...]:
    """Number of paths by length from 0: binomial for a residual net, one for a plain one.

    Raises:
        SpecError: of this family it is not known.
    """
    blocks = sum(net.stage_blocks)
    if net.family not in FAMILIES:
        text = _("The paths of {net} cannot be told apart; choose one of these families: {known}.")
        raise SpecError(text.format(net=net.name, known=", ".join(FAMILIES)))
    if net.family in SHORTCUT_FAMILIES:
        return tuple(math.comb(blocks, length) for length in range(blocks + 1))
    return (*[0] * blocks, 1)


def sampled_paths(net: NetSpec, draws: int, seed: int) -> list[tuple[int, ...]]:
    """Paths of every length that there is, as the numbers of the blocks whose branch they take.

    One of each length, then another one of each, up to `draws` of a length; where there are no
    more paths of a length than that, each of them once.
    """
    counts = path_counts(net)
    blocks = len(counts) - 1
    by_length = []
    for length, count in enumerate(counts):
        if count <= draws:
            paths = list(combinations(range(blocks), length)) if count else []
        else:
            generator = random.Random(f"{seed} {length}")
            paths = [
                tuple(sorted(generator.sample(range(blocks), length))) for _draw in range(draws)
            ]
        by_length.append(paths)
    return [paths[draw] for draw in range(draws) for paths in by_length if draw < len(paths)]


def window(shares: Sequence[float], least: float) -> tuple[int, int]:
    """First and last place of the shortest stretch of `shares` that holds `least` of their sum."""
    total = sum(shares)
    best = (0, len(shares) - 1)
    for first in range(len(shares)):
        held = 0.0
        for last in range(first, len(shares)):
            held += shares[last]
            if held >= least * total - 1e-12:
                if last - first < best[1] - best[0]:
                    best = (first, last)
                break
    return best


@dataclass(frozen=True)
class Responses:
    """How large the parts of a net's blocks are, on one batch in training mode.

    Attributes:
        net: the net.
        step: training steps behind it; 0 at initialisation, None where not known.
        images: in the batch.
        response_std: a weighted layer but the head; standard deviation of its response: after the
            batch norm that directly follows it, if one does, before any ReLU or addition (He et
            al. 2015, Fig. 7).
        branch_norm, shortcut_norm: a block; L2 norm of the two terms that it adds up: F(x) and what
            the shortcut gives, each as a gate has weighed it where one does. Empty for a net whose
            blocks add nothing up.
    """

    net: NetSpec
    step: int | None
    images: int
    response_std: tuple[float, ...]
    branch_norm: tuple[float, ...]
    shortcut_norm: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """‖F(x)‖ / ‖x‖ of what is added up, a block; NaN where the shortcut gives zero."""
        return tuple(
            f / x if x else math.nan
            for f, x in zip(self.branch_norm, self.shortcut_norm, strict=True)
        )
