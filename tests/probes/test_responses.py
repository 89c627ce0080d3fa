"""Responses are those of hooks on the whole net in training mode."""

import pytest
import torch

from resnet_viz.nets.build import build_net
from resnet_viz.probes.responses import measure_responses
from resnet_viz.probes.signal import measure
from resnet_viz.specs import NetSpec


@pytest.mark.parametrize("family", ["plain", "resnet", "preact"])
def test_responses_are_those_of_a_first_training_step(family):
    torch.manual_seed(0)
    spec = NetSpec(family, 14, width=4)
    net, x = build_net(spec, num_classes=5), torch.randn(8, 3, 12, 12)
    found = measure_responses(net, x, spec=spec, step=7)
    labels = torch.zeros(8, dtype=torch.int64)
    whole = measure(net, x, labels, spec=spec, seed=0)
    assert found.response_std == pytest.approx(whole.response_std[:-1])
    assert (found.step, found.images, len(found.response_std)) == (7, 8, 13)
    assert len(found.ratios) == (0 if family == "plain" else 6)


def test_a_ratio_is_the_norm_of_the_branch_over_that_of_the_shortcut():
    torch.manual_seed(0)
    spec = NetSpec("resnet", 8, width=4)
    net, x = build_net(spec), torch.randn(8, 3, 12, 12)
    found = measure_responses(net, x, spec=spec, step=0)
    with torch.no_grad():
        a = net.stem(x)
        b = net.stages[0](a)
        f, s = net.stages[1][0].branch(b), net.stages[1][0].shortcut(b)
    assert found.ratios[1] == pytest.approx((f.norm() / s.norm()).item(), rel=1e-5)
