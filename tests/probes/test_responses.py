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


@pytest.mark.parametrize(
    "spec",
    [
        NetSpec("highway", 8, width=4),
        NetSpec("resnet", 8, width=4, shortcut="exclusive_gate"),
        NetSpec("resnet", 8, width=4, shortcut="shortcut_gate"),
    ],
    ids=lambda spec: f"{spec.family} {spec.shortcut}",
)
def test_with_a_gate_the_terms_are_those_that_are_added_up(spec):
    torch.manual_seed(0)
    net, x = build_net(spec), torch.randn(8, 3, 12, 12)
    found = measure_responses(net, x, spec=spec, step=0)
    with torch.no_grad():
        a, block = net.stem(x), net.stages[0][0]
        gate, f = block.transform_gate(a), block.branch(a)
        carried = (1 - gate) * a
        added = f if spec.shortcut == "shortcut_gate" else gate * f
        assert torch.equal(block.after(added + carried), block(a))
    assert found.ratios[0] == pytest.approx((added.norm() / carried.norm()).item(), rel=1e-5)


@pytest.mark.parametrize(
    "options", [{"survival": 0.05}, {"shortcut": "dropout", "shortcut_dropout": 0.9}]
)
def test_nothing_is_drawn_by_chance(options):
    spec = NetSpec("resnet", 8, width=4, **options)
    net, x = build_net(spec), torch.randn(8, 3, 12, 12)
    found = [measure_responses(net, x, spec=spec, step=0) for _time in range(3)]
    assert found[0] == found[1] == found[2]
    assert all(ratio > 0 for ratio in found[0].ratios)
    assert net.training


def test_a_dense_layer_adds_nothing_up():
    spec = NetSpec("densenet", 10)
    found = measure_responses(build_net(spec), torch.randn(4, 3, 12, 12), spec=spec, step=0)
    assert (len(found.response_std), found.ratios) == (9, ())
