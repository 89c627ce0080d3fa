"""Signal and gradient of fresh nets, against computations that use no hooks."""

import copy
import itertools
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from resnet_viz.layers import weighted_layers
from resnet_viz.nets.build import build_net
from resnet_viz.probes.signal import measure
from resnet_viz.specs import NetSpec

SPECS = [
    NetSpec("plain", 14, width=4),
    NetSpec("plain", 8, width=4, norm="none"),
    NetSpec("resnet", 14, width=4),
    NetSpec("resnet", 14, width=4, shortcut="C"),
    NetSpec("resnet", 8, width=4, norm="none", shortcut="B"),
    NetSpec("resnet", 11, width=2, block="bottleneck", shortcut="B"),
    NetSpec("preact", 14, width=4),
    NetSpec("preact", 14, width=4, shortcut="C"),
    NetSpec("preact", 11, width=2, block="bottleneck", shortcut="B"),
]


def name(spec):
    return f"{spec.name}-{spec.block}-{spec.shortcut}-{spec.norm}"


every_net = pytest.mark.parametrize("spec", SPECS, ids=name)


def given(spec, dtype=torch.float64, images=6):
    """A fresh net and a batch."""
    torch.manual_seed(3)
    net = build_net(spec).to(dtype)
    return net, torch.randn(images, 3, 8, 8, dtype=dtype), torch.randint(0, 10, (images,))


def blocks(net):
    return [block for stage in net.stages for block in stage]


def modules(net, spec):
    return [net.get_submodule(layer.module) for layer in weighted_layers(spec)]


def passed(net, block, branch_convs, x):
    """A block's forward pass written out from the papers' figures.

    Returns its output, the branch's output, and the inputs of the branch's convolutions, each as
    a tensor that nothing else takes.
    """
    if hasattr(block, "fork"):
        x = block.fork(x)
    inputs, y = [], x
    for module in block.branch:
        if module in branch_convs:
            y = y * 1.0
            inputs.append(y)
        y = module(y)
    out = y + block.shortcut(x) if hasattr(block, "shortcut") else y
    return (block.relu(out) if hasattr(block, "relu") else out), y, inputs


def by_hand(net, spec, images, labels):
    """Every norm and std of a Signal from `torch.autograd.grad` on a copy, without hooks."""
    net = copy.deepcopy(net).train()
    convs = {m for m in modules(net, spec) if isinstance(m, nn.Conv2d)}
    points, ends, inputs = [net.stem(images)], [], []
    for block in blocks(net):
        out, end, own = passed(net, block, convs, points[-1])
        points.append(out)
        ends.append(end)
        inputs.append(own)
    loss = F.cross_entropy(net.head(points[-1]), labels)
    weights = [module.weight for module in modules(net, spec)]

    def norms(tensors):
        return [float(g.norm()) for g in torch.autograd.grad(loss, tensors, retain_graph=True)]

    gains = []
    for own, end in zip(inputs, ends, strict=True):
        chain = norms([*own, end])
        gains += [a / b for a, b in itertools.pairwise(chain)]
    return norms(weights), norms(points), gains


@every_net
def test_gradients_and_gains_are_those_of_autograd_on_a_copy(spec):
    net, images, labels = given(spec)
    found = measure(net, images, labels, spec=spec, seed=5)
    gradients, boundaries, gains = by_hand(net, spec, images, labels)
    assert found.gradient_norm == pytest.approx(gradients, rel=1e-9)
    assert found.boundary_norm == pytest.approx(boundaries, rel=1e-9)
    assert found.branch_gains == pytest.approx(gains, rel=1e-9)
    assert (len(gradients), len(boundaries), len(gains)) == (
        spec.depth,
        sum(spec.stage_blocks) + 1,
        spec.depth - 2,
    )
    assert (found.net, found.seed) == (spec, 5)


@every_net
def test_the_norm_of_every_layers_gradient_is_the_slope_of_the_loss(spec):
    """Along the gradient itself the loss rises by its norm: by finite differences in float64."""
    net, images, labels = given(spec)
    found = measure(net, images, labels, spec=spec, seed=0)
    net.train()
    loss = F.cross_entropy(net(images), labels)
    weights = [module.weight for module in modules(net, spec)]
    directions = [g / g.norm() for g in torch.autograd.grad(loss, weights)]
    for weight, direction, norm in zip(weights, directions, found.gradient_norm, strict=True):
        assert norm == pytest.approx(slope(net, images, labels, weight, direction), rel=1e-3)


@torch.no_grad()
def slope(net, images, labels, weight, direction, step=1e-6):
    """Central difference of the loss along a direction in one layer's weights."""
    losses = []
    for sign in (1, -1):
        weight += sign * step * direction
        losses.append(float(F.cross_entropy(net(images), labels)))
        weight -= sign * step * direction
    return (losses[0] - losses[1]) / (2 * step)


@pytest.mark.parametrize("family", ["plain", "resnet", "preact"])
@pytest.mark.parametrize("path", ["stem.conv", "stages.1.0.branch.conv2", "head.linear"])
def test_gradient_norms_without_any_autograd(family, path):
    """The norm from a finite difference for every single weight of a layer."""
    spec = NetSpec(family, 8, width=2)
    net, images, labels = given(spec)
    found = measure(net, images, labels, spec=spec, seed=0)
    number = [layer.module for layer in weighted_layers(spec)].index(path)
    weight = net.train().get_submodule(path).weight
    squares = 0.0
    for i in range(weight.numel()):
        direction = torch.zeros_like(weight)
        direction.view(-1)[i] = 1
        squares += slope(net, images, labels, weight, direction) ** 2
    assert found.gradient_norm[number] == pytest.approx(math.sqrt(squares), rel=1e-5)


@every_net
def test_gains_telescope(spec):
    """Along the chain of blocks, and along the convolutions of each branch of a plain net."""
    net, images, labels = given(spec)
    found = measure(net, images, labels, spec=spec, seed=0)
    total = found.boundary_norm[0] / found.boundary_norm[-1]
    assert math.prod(found.block_gains) == pytest.approx(total, rel=1e-12)
    per_block = len(found.branch_gains) // len(found.block_gains)
    if spec.family == "plain":
        for number, block in enumerate(blocks(net)):
            gains = found.branch_gains[number * per_block : (number + 1) * per_block]
            branch = found.boundary_norm[number] / math.prod(gains)  # gradient at its output
            assert branch <= found.boundary_norm[number + 1] * (1 + 1e-12), block  # after a ReLU


def test_response_is_after_the_own_norm_and_before_relu_and_addition():
    """As in He et al. 2015, Fig. 7: batch norm makes it 1 where its gamma is 1."""
    for family, own in (("plain", 1.0), ("resnet", 1.0), ("preact", None)):
        spec = NetSpec(family, 14, width=4)
        net, images, labels = given(spec)
        gammas = {}
        for path, module in net.named_modules():
            if isinstance(module, nn.BatchNorm2d):
                gammas[path] = 0.5 + len(gammas) / 10
                nn.init.constant_(module.weight, gammas[path])
                nn.init.constant_(module.bias, 0.7)  # a shift is no spread
        found = measure(net, images, labels, spec=spec, seed=0)
        if own is not None:
            assert found.response_std[:-1] == pytest.approx(list(gammas.values()), rel=1e-3)
        else:  # each norm comes before its convolution: the convolution's own output
            assert found.response_std[:-1] != pytest.approx(list(gammas.values()), rel=0.05)
            first = net.stem.conv(images).detach()
            assert found.response_std[0] == pytest.approx(float(first.std(correction=0)))
            block = net.stages[0][0].train()
            between = block.branch.conv1(block.fork(first)).detach()
            assert found.response_std[1] == pytest.approx(float(between.std(correction=0)))
        logits = net.train()(images).detach()
        assert found.response_std[-1] == pytest.approx(float(logits.std(correction=0)))


def test_response_without_a_norm_is_the_convolutions_own():
    spec = NetSpec("plain", 8, width=4, norm="none")
    net, images, labels = given(spec)
    found = measure(net, images, labels, spec=spec, seed=0)
    x, expected = images, []
    for module in modules(net, spec)[:-1]:
        y = module(x)
        expected.append(float(y.detach().std(correction=0)))
        x = y.relu()
    assert found.response_std[:-1] == pytest.approx(expected, rel=1e-9)


def test_zero_gamma_shows_branches_that_say_nothing_yet():
    spec = NetSpec("resnet", 14, width=4, init="zero_gamma")
    found = measure(*given(spec), spec=spec, seed=0)
    assert found.response_std[2:-1:2] == (0.0,) * 6
    assert found.gradient_norm[1:-1] == (0.0,) * 12
    assert all(gain == 0 or math.isnan(gain) for gain in found.branch_gains)
    assert found.block_gains[-1] > 0
    assert math.isnan(found.ratio)


def test_fixup_lets_gradient_into_the_head_alone():
    spec = NetSpec("resnet", 14, width=4, norm="none", init="fixup")
    found = measure(*given(spec), spec=spec, seed=0)
    assert found.gradient_norm[:-1] == (0.0,) * 13
    assert found.gradient_norm[-1] > 0
    assert found.response_std[2:-1:2] == (0.0,) * 6


def test_float32_agrees_with_float64_where_it_holds():
    spec = NetSpec("resnet", 14, width=4)
    net, images, labels = given(spec)
    exact = measure(net, images, labels, spec=spec, seed=0)
    single = measure(net.float(), images.float(), labels, spec=spec, seed=0)
    for column in ("response_std", "gradient_norm", "boundary_norm", "branch_gains"):
        assert getattr(single, column) == pytest.approx(getattr(exact, column), rel=1e-3)


def test_what_overflows_float32_stays_visible_and_float64_holds_it():
    spec = NetSpec("plain", 44, width=4, norm="none", init="normal", init_std=5.0)
    exact = measure(*given(spec), spec=spec, seed=0)
    assert all(map(math.isfinite, (*exact.response_std, *exact.gradient_norm)))
    assert exact.response_std[-2] > 1e39
    single = measure(*given(spec, torch.float32), spec=spec, seed=0)
    assert not math.isfinite(single.response_std[-2])
    assert not math.isfinite(single.gradient_norm[0])


def test_norms_whose_squares_leave_float32_are_found_all_the_same():
    spec = NetSpec("plain", 14, width=4, norm="none")
    net, images, labels = given(spec, torch.float32)
    with torch.no_grad():
        net.stages[0][0].branch.conv1.weight.mul_(1e-25)
        for layer in modules(net, spec):
            layer.bias.zero_()
    found = measure(net, images, labels, spec=spec, seed=0)
    exact = measure(net.double(), images.double(), labels, spec=spec, seed=0)
    assert 0 < exact.gradient_norm[0] < 1e-23
    assert found.gradient_norm == pytest.approx(exact.gradient_norm, rel=1e-3, abs=0)
    assert found.response_std == pytest.approx(exact.response_std, rel=1e-3, abs=0)


def test_the_net_comes_back_as_it_was():
    spec = NetSpec("resnet", 8, width=4)
    net, images, labels = given(spec)
    net.eval().requires_grad_(False)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    with torch.no_grad():
        measure(net, images, labels, spec=spec, seed=0)
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert not any(module.training for module in net.modules())
    assert all(p.grad is None and not p.requires_grad for p in net.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())
    with pytest.raises(IndexError):  # no such class
        measure(net, images, labels + 10, spec=spec, seed=0)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())
