"""Nets are those of the papers: parameter counts, shapes, shortcuts, and fit for captum."""

import itertools
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import ResNet50_Weights

from resnet_viz.nets.blocks import PreactBlock, ResidualBlock, ZeroPadding
from resnet_viz.nets.build import build_net, count_parameters
from resnet_viz.nets.costs import count_costs
from resnet_viz.specs import BLOCKS, FAMILIES, NORMS, SHORTCUTS, NetSpec

PARAMETERS = {20: 269_722, 32: 464_154, 44: 658_586, 56: 853_018, 110: 1_727_962}


def every_kind():
    kinds = []
    for family, block, shortcut, norm in itertools.product(FAMILIES, BLOCKS, SHORTCUTS, NORMS):
        if family != "plain" or shortcut == "A":
            depth = 14 if block == "basic" else 20
            kinds.append(NetSpec(family, depth, block, shortcut, width=4, norm=norm))
            if family != "plain" and norm == "none":
                kinds.append(replace(kinds[-1], init="fixup"))
            if family != "preact":
                kinds.append(NetSpec(family, depth, block, shortcut, 4, norm=norm, stem="imagenet"))
    return kinds


@pytest.mark.parametrize("depth", PARAMETERS)
@pytest.mark.parametrize("family", ["plain", "resnet"])
def test_parameters_are_the_papers(family, depth):
    spec = NetSpec(family, depth)
    assert count_parameters(build_net(spec)) == PARAMETERS[depth] == count_costs(spec).parameters


def test_option_b_adds_two_projections():
    assert count_parameters(build_net(NetSpec("resnet", 20, shortcut="B"))) - 269_722 == 2_752


def test_preact_164_has_the_published_size():
    spec = NetSpec("preact", 164, block="bottleneck", shortcut="B")
    assert round(count_costs(spec).parameters / 1e6, 1) == 1.7  # He et al. 2016, Table 3


@pytest.mark.parametrize("spec", every_kind(), ids=str)
def test_every_kind_of_net_counts_and_trains_at_any_size(spec):
    torch.manual_seed(0)
    net = build_net(spec, num_classes=7, in_channels=2)
    costs = count_costs(spec, in_channels=2, image_size=15, num_classes=7)
    assert costs.parameters == count_parameters(net)
    assert costs.multiply_adds == multiply_adds(net, torch.randn(1, 2, 15, 15))
    net(torch.randn(2, 2, 15, 15)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())


def test_the_imagenet_stem_is_the_papers():
    torch.manual_seed(0)
    stem = build_net(NetSpec("resnet", 8, width=4, stem="imagenet")).eval().stem
    x = torch.randn(2, 3, 32, 32)
    conv = torch.relu(stem.norm(F.conv2d(x, stem.conv.weight, stride=2, padding=3)))
    assert list(dict(stem.named_children())) == ["conv", "norm", "relu", "pool"]
    assert torch.equal(stem(x), F.max_pool2d(conv, 3, 2, padding=1))


def test_resnet_50_costs_what_is_published():
    net = NetSpec("resnet", 50, "bottleneck", "B", 64, blocks=(3, 4, 6, 3), stem="imagenet")
    costs = count_costs(net, image_size=224, num_classes=1000)
    published = ResNet50_Weights.DEFAULT.meta
    assert costs.parameters == published["num_params"]
    assert round(costs.multiply_adds / 1e9, 3) == published["_ops"]  # 4.089


def multiply_adds(net, x):
    """Counted from what the convolutions and the head really see."""
    total = 0

    def count(module, inputs, output):
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += output[0].numel() * module.weight[0].numel()
        else:
            total += module.weight.numel()

    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(count)
    net.eval()(x)
    return total


@pytest.mark.parametrize("spec", every_kind(), ids=str)
def test_no_relu_is_in_place_or_used_twice(spec):
    net = build_net(spec)
    calls = dict.fromkeys((m for m in net.modules() if isinstance(m, nn.ReLU)), 0)
    for relu in calls:
        assert not relu.inplace
        relu.register_forward_hook(lambda m, i, o: calls.update({m: calls[m] + 1}))
    net(torch.randn(2, 3, 16, 16))
    assert set(calls.values()) == {1}


def test_an_identity_block_is_its_input_plus_its_branch():
    torch.manual_seed(0)
    net = build_net(NetSpec("resnet", 8, width=4)).eval()
    block, x = net.stages[0][0], torch.randn(2, 4, 8, 8)
    assert torch.equal(block(x), torch.relu(x + block.branch(x)))


def test_zero_padding_keeps_every_second_pixel_and_adds_zeros():
    x = torch.arange(2 * 4 * 4.0).view(1, 2, 4, 4)
    y = ZeroPadding(2, 4, 2)(x)
    assert torch.equal(y[:, :2], x[:, :, ::2, ::2])
    assert y.shape == (1, 4, 2, 2)
    assert not y[:, 2:].any()


def test_preact_shares_norm_and_relu_at_the_first_block_and_at_projections():
    net = build_net(NetSpec("preact", 14, shortcut="B", width=4))
    forks = [len(block.fork) for stage in net.stages for block in stage]
    assert forks == [2, 0, 2, 0, 2, 0]
    assert net.stages[1][0].branch[0] is net.stages[1][0].branch.conv1


@pytest.mark.parametrize("family", ["resnet", "preact"])
def test_zero_gamma_makes_every_identity_block_the_identity(family):
    net = build_net(NetSpec(family, 14, init="zero_gamma", width=4)).eval()
    x = torch.rand(2, 4, 8, 8)  # not negative, so that ReLU after addition keeps it
    blocks = [b for b in net.stages[0] if isinstance(b, ResidualBlock | PreactBlock)]
    assert blocks
    for block in blocks:
        assert torch.equal(block(x), block.fork(x) if family == "preact" else x)
