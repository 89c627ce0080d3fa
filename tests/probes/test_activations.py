"""Feature maps against plain forward hooks, and an overview against sums done by hand."""

import copy

import numpy as np
import pytest
import torch

from resnet_viz.nets.build import build_net
from resnet_viz.points import Point, find_point, points_of
from resnet_viz.probes.activations import ActivationError, activations, overview, watched
from resnet_viz.specs import NetSpec

SPECS = [
    NetSpec("plain", 8, width=4),
    NetSpec("plain", 8, width=4, norm="none"),
    NetSpec("resnet", 8, width=4),
    NetSpec("resnet", 14, width=4, shortcut="B"),
    NetSpec("resnet", 11, block="bottleneck", width=4, shortcut="C"),
    NetSpec("preact", 8, width=4),
    NetSpec("preact", 14, width=4, shortcut="B"),
    NetSpec("preact", 11, block="bottleneck", width=4, shortcut="B"),
    NetSpec("resnet", 8, width=4, norm="none", init="fixup"),
    NetSpec("resnet", 18, blocks=(2, 2, 2, 2), width=4, shortcut="B", stem="imagenet"),
    NetSpec("plain", 18, blocks=(2, 2, 2, 2), width=4, stem="imagenet"),
]


def name_of(spec):
    return f"{spec.name}-{spec.shortcut}-{spec.block}-{spec.norm}-{spec.stem}"


def net_of(spec):
    """A net with statistics and weights of its own, left in training mode."""
    torch.manual_seed(0)
    net = build_net(spec, num_classes=5)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        net(torch.randn(16, 3, 32, 32))
    return net


def hooked(net, x, points):
    """The oracle: hooks as torch's documentation shows them, on a copy that nothing else sees."""
    twin = copy.deepcopy(net).eval()
    modules = dict(twin.named_modules())
    seen = {}

    def keep_output(name):
        return lambda module, args, output: seen.__setitem__(name, output.detach().clone())

    def keep_input(name):
        return lambda module, args: seen.__setitem__(name, args[0].detach().clone())

    for point in points:
        module = modules[point.module]
        if point.takes_input:
            module.register_forward_pre_hook(keep_input(point.name))
        else:
            module.register_forward_hook(keep_output(point.name))
    with torch.no_grad():
        seen["logits"] = twin(x)
    return seen


@pytest.mark.parametrize("spec", SPECS, ids=name_of)
def test_every_point_is_what_a_plain_forward_hook_sees(spec):
    net, x = net_of(spec), torch.randn(2, 3, 32, 32)
    points = points_of(spec)
    expected = hooked(net, x, points)
    found = activations(net, x, points)
    assert list(found) == [point.name for point in points]  # in the order of computation
    for name, value in found.items():
        assert torch.equal(value, expected[name]), name
        assert not value.requires_grad


@pytest.mark.parametrize("spec", [s for s in SPECS if s.family != "plain"], ids=name_of)
def test_branch_and_shortcut_add_up_to_what_comes_after(spec):
    found = activations(net_of(spec), torch.randn(1, 3, 32, 32), points_of(spec))
    for point in points_of(spec):
        if point.kind == "output":
            total = found[f"{point.name}.branch"] + found[f"{point.name}.shortcut"]
            output = total if spec.family == "preact" else total.clamp(min=0)
            assert torch.equal(found[point.name], output)


def test_the_net_comes_back_as_it_was_also_after_an_error():
    spec = SPECS[2]
    net = net_of(spec)
    net.stages[1].eval()
    before = copy.deepcopy(net.state_dict())
    modes = [module.training for module in net.modules()]
    points = points_of(spec)
    activations(net, torch.randn(1, 3, 32, 32), points)
    with pytest.raises(RuntimeError, match="channels"):
        activations(net, torch.randn(1, 4, 32, 32), points)
    with pytest.raises(AttributeError):
        activations(net, torch.randn(1, 3, 32, 32), [Point("x", "stages.9", False, 9, 1, "output")])
    with pytest.raises(ZeroDivisionError), watched(net, points, lambda point, value: 1 / 0):
        net(torch.randn(1, 3, 32, 32))
    assert [module.training for module in net.modules()] == modes
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())
    after = net.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert net(torch.randn(2, 3, 32, 32)).requires_grad  # gradients are on again


@pytest.mark.parametrize("spec", SPECS, ids=name_of)
def test_an_overview_is_what_the_hooks_see(spec):
    net, x = net_of(spec), torch.randn(1, 3, 32, 32)
    points = points_of(spec)
    blocks = [point for point in points if point.kind == "output"]
    inner = [Point(f"{b.name}!F", f"{b.module}.branch", False, 0, 0, "branch") for b in blocks]
    seen = hooked(net, x, [*points, *inner])
    found = overview(net, spec, x, strongest=3)

    logits = seen["logits"][0].numpy()
    np.testing.assert_array_equal(found.prediction.logits, logits)
    exp = np.exp(logits.astype(np.float64) - logits.max())
    np.testing.assert_allclose(found.prediction.probabilities, exp / exp.sum(), rtol=1e-5)

    def norms(suffix):
        return [np.linalg.norm(seen[b.name + suffix].double().numpy()) for b in blocks]

    assert found.branch_norm == pytest.approx(norms("!F"), rel=1e-9)
    assert found.output_norm == pytest.approx(norms(""), rel=1e-9)
    if spec.family == "plain":
        assert found.shortcut_norm == found.sum_norm == ()
    else:
        assert found.shortcut_norm == pytest.approx(norms(".shortcut"), rel=1e-9)
        total = "" if spec.family == "preact" else ".sum"
        assert found.sum_norm == pytest.approx(norms(total), rel=1e-9)

    stem = [point.name for point in points if point.stage == 0][-1]
    ends = {block.stage: block.name for block in blocks}  # the last of each stage
    assert [each.point for each in found.strip] == [stem, *ends.values()]
    for each in found.strip:
        maps = seen[each.point][0].numpy()
        strength = np.abs(maps).mean(axis=(1, 2))
        assert each.shape == maps.shape
        np.testing.assert_allclose(each.strength, strength, rtol=1e-5)
        assert len(each.channels) == min(3, len(maps))
        assert sorted(strength[list(each.channels)])[::-1] == list(strength[list(each.channels)])
        rest = np.delete(strength, list(each.channels))
        assert not len(rest) or rest.max() <= strength[list(each.channels)].min() * (1 + 1e-6)
        np.testing.assert_array_equal(each.maps, maps[list(each.channels)])


def test_an_overview_keeps_nothing_of_the_net():
    """What a page does to an answer does not reach the net, nor the other way round."""
    spec = SPECS[5]  # whose stem's output is the convolution's own
    net = net_of(spec)
    found = overview(net, spec, torch.randn(1, 3, 32, 32))
    assert all(each.maps.flags.owndata for each in found.strip)
    assert {each.maps.dtype for each in found.strip} == {np.dtype("float32")}


def test_a_net_that_went_astray_is_told_in_words():
    spec = SPECS[2]
    net = net_of(spec)
    with torch.no_grad():
        net.head.linear.bias[0] = torch.nan
    with pytest.raises(ActivationError, match=r"resnet-8.*earlier checkpoint"):
        overview(net, spec, torch.randn(1, 3, 32, 32))


def test_only_points_of_the_net_can_be_asked_for():
    spec = SPECS[0]
    one = [find_point(spec, "stage2.block1.input")]
    assert list(activations(net_of(spec), torch.randn(1, 3, 32, 32), one)) == [one[0].name]
