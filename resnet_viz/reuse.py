"""What a DenseNet's layers take from those before them. Standard library only.

Huang et al. 2017, arXiv:1608.06993, section 5 ("Feature reuse") and Fig. 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean

from resnet_viz.checks import SpecError
from resnet_viz.i18n import _
from resnet_viz.layers import Block, blocks_of
from resnet_viz.specs import NetSpec


@dataclass(frozen=True)
class StageReuse:
    """Weights within one stage (the paper's dense block), by where they come from.

    Attributes:
        stage: from 1.
        weights: a target, then a source: mean absolute weight of the target's first convolution
            (or linear layer) over the channels that the source made; None for what comes later.
            Targets are the stage's layers, then its transition or the head; sources are what came
            into the stage, then its layers.
    """

    stage: int
    weights: tuple[tuple[float | None, ...], ...]

    @property
    def relative(self) -> tuple[tuple[float | None, ...], ...]:
        """The same over the mean of each target's sources: all 1 where none is preferred."""
        rows = []
        for row in self.weights:
            mean = fmean(w for w in row if w is not None)
            rows.append(tuple(None if w is None else w / mean if mean else 0.0 for w in row))
        return tuple(rows)


@dataclass(frozen=True)
class Reuse:
    """A net's feature reuse.

    Attributes:
        net: a DenseNet.
        step: training steps behind it; None where not known.
        stages: in order.
    """

    net: NetSpec
    step: int | None
    stages: tuple[StageReuse, ...]


def check_dense(net: NetSpec) -> None:
    """Refuse a net that does not keep its layers' outputs apart, with a SpecError."""
    if net.family != "densenet":
        text = _(
            "{net} adds its blocks up, so no layer sees an earlier one apart from the rest. "
            "Choose a run of a DenseNet, or train one: family “densenet” on “Error against depth”."
        )
        raise SpecError(text.format(net=net.name))


def connections(net: NetSpec) -> int:
    """Direct connections in the stages of a DenseNet: L (L + 1) / 2 for each of L layers."""
    return sum(count * (count + 1) // 2 for count in net.stage_blocks)


def sources(net: NetSpec, stage: int) -> Iterator[tuple[int, int]]:
    """First and last-but-one channel of every source of a stage: what came in, then its layers."""
    layers: list[Block] = [block for block in blocks_of(net) if block.stage == stage]
    yield 0, layers[0].c_in
    for layer in layers:
        yield layer.c_in, layer.c_out
