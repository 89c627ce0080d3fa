"""Initial weights are those of the papers, layer by layer, from formulas stated here again."""

import itertools
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from resnet_viz.layers import all_layers
from resnet_viz.nets.blocks import Bias, Scale
from resnet_viz.nets.build import build_net
from resnet_viz.specs import (
    BLOCKS,
    FAMILIES,
    NORMS,
    PLAIN_SHORTCUTS,
    RESIDUAL_FAMILIES,
    NetSpec,
    valid_depths,
)

VARIANCES = {
    "he": lambda layer: 2 / (layer.kernel**2 * layer.c_out),  # He et al. 2015b, eq. 14
    "zero_gamma": lambda layer: 2 / (layer.kernel**2 * layer.c_out),
    "xavier": lambda layer: 2 / (layer.kernel**2 * (layer.c_in + layer.c_out)),  # Glorot, eq. 12
    "normal": lambda layer: 0.05**2,
}


def net_of(family, block="basic", shortcut="A", *, init, norm="none", width=8):
    (depth, *_more) = valid_depths(block, 14, family=family)
    std = 0.05 if init == "normal" else 0.01
    torch.manual_seed(0)
    return build_net(NetSpec(family, depth, block, shortcut, width, None, norm, init, std))


def fixup_nets():
    kinds = itertools.product(RESIDUAL_FAMILIES, BLOCKS, PLAIN_SHORTCUTS)
    return [pytest.param(*kind, id="-".join(kind)) for kind in kinds]


def assert_normal(weight, variance):
    """Mean, variance and kurtosis of a normal draw, within five standard errors each."""
    w, n = weight.detach().double().flatten(), weight.numel()
    assert abs(w.mean()) < 5 * math.sqrt(variance / n)
    assert abs(w.square().mean() / variance - 1) < 5 * math.sqrt(2 / n)
    assert abs(w.pow(4).mean() / variance**2 - 3) < 5 * math.sqrt(96 / n)  # Var(x⁴) = 105 - 9


def drawn_nets():
    kinds = itertools.product(VARIANCES, FAMILIES, NORMS)
    return [
        k for k in kinds if k[0] != "zero_gamma" or (k[1] in RESIDUAL_FAMILIES and k[2] == "batch")
    ]


@pytest.mark.parametrize(("init", "family", "norm"), drawn_nets())
def test_every_convolution_has_the_variance_of_its_rule(init, family, norm):
    shortcut = "B" if family in RESIDUAL_FAMILIES else "A"
    block = "basic" if family == "highway" else "bottleneck"
    net = net_of(family, block, shortcut, init=init, norm=norm)
    for layer in all_layers(net.spec)[:-1]:
        module = net.get_submodule(layer.module)
        assert_normal(module.weight, VARIANCES[init](layer))
        if layer.role == "gate":
            assert set(module.bias.tolist()) == {net.spec.gate_bias}
        else:
            assert module.bias is None or not module.bias.any()


@pytest.mark.parametrize("init", VARIANCES)
def test_the_head_is_the_framework_s(init):
    head = net_of("resnet", init=init, norm="batch", width=32).head.linear
    bound = 1 / math.sqrt(128)  # torch.nn.Linear's documented default: uniform in ±1/sqrt(fan in)
    assert 0.9 * bound < head.weight.abs().max() <= bound


@pytest.mark.parametrize(("family", "block", "shortcut"), fixup_nets())
def test_fixup_scales_the_branches_and_zeroes_their_ends(family, block, shortcut):
    net = net_of(family, block, shortcut, init="fixup")
    branches, weighted = (6, 2) if block == "basic" else (6, 3)  # the paper's L and m
    for layer in all_layers(net.spec):
        module = net.get_submodule(layer.module)
        he = VARIANCES["he"](layer)
        in_branch = layer.stage > 0 and layer.role != "projection"
        if layer.stage < 0:
            assert not module.weight.any()
            assert not module.bias.any()
        elif in_branch and layer.number == weighted:
            assert not module.weight.any()
        elif in_branch:
            assert_normal(module.weight, he * branches ** (-2 / (2 * weighted - 2)))
        else:
            assert_normal(module.weight, he)


def test_fixup_s_scale_is_a_third_in_resnet_20():
    torch.manual_seed(0)
    fixup = build_net(NetSpec("resnet", 20, norm="none", init="fixup")).stages[2][2].branch
    he = (2 / (9 * 64)) ** 0.5
    assert fixup.conv1.weight.std().item() == pytest.approx(he / 3, rel=0.02)  # nine blocks


@pytest.mark.parametrize(("family", "block", "shortcut"), fixup_nets())
def test_fixup_s_scalars_stand_where_the_paper_has_them(family, block, shortcut):
    net = net_of(family, block, shortcut, init="fixup")
    made_by, inputs = {}, {}

    def note(module, args, out):
        inputs[module] = args[0]
        made_by[out] = module

    for module in net.modules():
        if not list(module.children()):
            module.register_forward_hook(note)
    net(torch.randn(2, 3, 16, 16))
    blocks = [b for stage in net.stages for b in stage]
    after_addition = {b.relu for b in blocks if family == "resnet"}
    biases = set()
    for module, x in inputs.items():
        if isinstance(module, nn.Conv2d | nn.Linear | nn.ReLU) and module not in after_addition:
            assert isinstance(made_by[x], Bias)
            biases.add(made_by[x])
    for b in blocks:
        *_, last = (m for m in b.branch if isinstance(m, nn.Conv2d))
        (scale,) = (m for m in b.branch if isinstance(m, Scale))
        assert made_by[inputs[scale]] is last
        if family == "resnet":  # the bias before the ReLU after the addition
            assert isinstance(b.branch[-1], Bias)
            biases.add(b.branch[-1])
    assert biases == {m for m in net.modules() if isinstance(m, Bias)}  # and nowhere else
    scalars = {n: p for n, p in net.named_parameters() if p.dim() == 0}
    assert all(p == n.endswith("scale") for n, p in scalars.items())
    others = {n for n, _ in net.named_parameters()} - set(scalars)
    layers = all_layers(net.spec)
    assert others == {f"{layer.module}.weight" for layer in layers} | {"head.linear.bias"}


@pytest.mark.parametrize(("family", "block", "shortcut"), fixup_nets())
def test_a_fixup_net_wakes_from_its_ends(family, block, shortcut):
    net = net_of(family, block, shortcut, init="fixup")
    sgd = torch.optim.SGD(net.parameters(), lr=0.1)
    images, labels = torch.randn(8, 3, 16, 16), torch.arange(8)
    assert not net(images).any()
    for b in (b for stage in net.stages for b in stage):
        assert not b.branch(torch.randn(2, first_conv(b).in_channels, 8, 8)).any()

    def moved():
        before = {n: p.detach().clone() for n, p in net.named_parameters()}
        sgd.zero_grad()
        F.cross_entropy(net(images), labels).backward()
        sgd.step()
        return {n for n, p in net.named_parameters() if not torch.equal(p, before[n])}

    weights = {n for n, _ in net.named_parameters() if n.endswith("weight")}
    last = f"branch.conv{2 if block == 'basic' else 3}.weight"
    inside = {n for n in weights if ".branch." in n and not n.endswith(last)}
    # The loss reaches the net through the head, and a branch through its last convolution.
    assert moved() == {"head.linear.weight", "head.linear.bias"}
    assert moved() & weights == weights - inside
    assert moved() >= weights


def first_conv(block):
    return next(m for m in block.branch if isinstance(m, nn.Conv2d))


def test_scalars_keep_half_precision():
    x = torch.randn(2, 4, 3, 3, dtype=torch.bfloat16)
    for module in (Bias(), Scale()):
        assert torch.equal(module(x), x)
        assert module(x).dtype == torch.bfloat16
