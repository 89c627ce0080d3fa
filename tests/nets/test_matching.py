"""DenseNets as large as the residual nets beside them: nearest of all growth rates."""

from dataclasses import replace

import pytest

from resnet_viz.nets.costs import count_costs
from resnet_viz.nets.matching import QUANTITIES, matching_growth_rates
from resnet_viz.specs import SpecError
from resnet_viz.sweeps import PRESETS

SWEEP = replace(PRESETS["quick"], families=("resnet", "densenet"), depths=(8, 20, 56))


@pytest.mark.parametrize("dense_bc", [False, True])
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_no_other_growth_rate_is_nearer(quantity, dense_bc):
    sweep = replace(SWEEP, dense_bc=dense_bc)
    images = {"in_channels": 1, "image_size": 16}

    def cost(net):
        return getattr(count_costs(net, **images), quantity)

    rates = matching_growth_rates(sweep, quantity, **images)
    for depth, rate in zip(sweep.depths, rates, strict=True):
        target = cost(sweep.net("resnet", depth))
        off = [
            abs(cost(replace(sweep, growth_rates=(k,)).net("densenet", depth)) - target)
            for k in range(1, 60)
        ]
        assert off[rate - 1] == min(off)
    matched = replace(sweep, growth_rates=rates)
    assert [matched.net("densenet", d).growth_rate for d in sweep.depths] == list(rates)


def test_another_quantity_is_refused():
    with pytest.raises(SpecError, match="parameters"):
        matching_growth_rates(SWEEP, "depth")
