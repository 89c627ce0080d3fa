"""DenseNets as large, or as costly, as the residual nets beside them. No torch.

A DenseNet of a given depth has one free size, its growth rate (Huang et al. 2017, section 3); the
rate at which its parameters or multiply-adds come nearest to a residual net's makes the two
comparable at equal depth *and* equal size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from resnet_viz.checks import check_choice
from resnet_viz.nets.costs import count_costs
from resnet_viz.specs import NetSpec
from resnet_viz.sweeps import SweepSpec

QUANTITIES = ("parameters", "multiply_adds")
MOST = 256  # the largest growth rate of a `NetSpec`


def matching_growth_rates(
    sweep: SweepSpec,
    quantity: str,
    *,
    in_channels: int = 3,
    image_size: int = 32,
    num_classes: int = 10,
) -> tuple[int, ...]:
    """A growth rate for each depth of a sweep, at which DenseNet and ResNet are alike.

    Args:
        sweep: its DenseNets may have any growth rates.
        quantity: one of `QUANTITIES`.

    Raises:
        SpecError: another quantity, or no ResNet or DenseNet of a depth can be built.
    """

    check_choice("quantity", quantity, QUANTITIES)

    def cost(net: NetSpec) -> int:
        costs = count_costs(
            net, in_channels=in_channels, image_size=image_size, num_classes=num_classes
        )
        return costs.parameters if quantity == "parameters" else costs.multiply_adds

    def dense_cost(depth: int, rate: int) -> int:
        return cost(replace(sweep, growth_rates=(rate,)).net("densenet", depth))

    return tuple(
        _nearest(partial(dense_cost, depth), cost(sweep.net("resnet", depth)))
        for depth in sweep.depths
    )


def _nearest(cost: Callable[[int], int], target: int) -> int:
    """The rate in 1..`MOST` whose cost, which grows with it, is nearest to `target`."""
    low, high = 1, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if cost(middle) <= target else (low, middle)
    return min((low, high), key=lambda rate: abs(cost(rate) - target))
