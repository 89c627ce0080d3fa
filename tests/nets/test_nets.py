"""Nets are those of the papers: parameter counts, shapes, shortcuts, and fit for captum."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import DenseNet, ResNet50_Weights, get_model_weights

from resnet_viz.nets.blocks import PreactBlock, ResidualBlock, ZeroPadding
from resnet_viz.nets.build import build_net, count_parameters
from resnet_viz.nets.costs import count_costs
from resnet_viz.specs import (
    BLOCKS,
    NORMS,
    ORDERS,
    RESIDUAL_FAMILIES,
    SHORTCUTS,
    STEMS,
    NetSpec,
)


def dense_bc(depth, growth_rate):
    width = 2 * growth_rate  # Huang et al. 2017, section 3
    return NetSpec(
        *("densenet", depth, "bottleneck"),
        width=width,
        growth_rate=growth_rate,
        compression=0.5,
    )


PARAMETERS = {20: 269_722, 32: 464_154, 44: 658_586, 56: 853_018, 110: 1_727_962}


def every_kind():
    kinds = []
    families = ("plain", "resnet", "preact")
    for family, block, shortcut, norm in itertools.product(families, BLOCKS, "ABC", NORMS):
        if family != "plain" or shortcut == "A":
            depth = 14 if block == "basic" else 20
            kinds.append(NetSpec(family, depth, block, shortcut, width=4, norm=norm))
            if family != "plain" and norm == "none":
                kinds.append(replace(kinds[-1], init="fixup"))
            if family != "preact":
                kinds.append(NetSpec(family, depth, block, shortcut, 4, norm=norm, stem="imagenet"))
    for family, orders in ORDERS.items():
        for order, shortcut, block in itertools.product(orders[1:], "AB", BLOCKS):
            depth = 14 if block == "basic" else 20
            kinds.append(NetSpec(family, depth, block, shortcut, 4, order=order))
    for norm in NORMS:
        kinds.append(NetSpec("highway", 11, width=4, norm=norm))
        kinds.append(NetSpec("plain", 14, width=4, norm=norm, aux_heads=2))
        for block, compression, stem in itertools.product(BLOCKS, (1.0, 0.5), STEMS):
            depth = 13 if block == "basic" else 22
            net = NetSpec("densenet", depth, block, width=4, norm=norm, growth_rate=3, stem=stem)
            kinds.append(replace(net, compression=compression))
        kinds += [
            NetSpec("resnet", 14, shortcut=shortcut, width=4, norm=norm)
            for shortcut in SHORTCUTS[3:]
        ]
    kinds.append(NetSpec("resnet", 14, shortcut="scaled", width=4, branch_scale=0.5))
    kinds += [NetSpec(family, 14, width=4, survival=0.5) for family in RESIDUAL_FAMILIES]
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
    size = 15 if spec.stem == "cifar" else 35
    costs = count_costs(spec, in_channels=2, image_size=size, num_classes=7)
    assert costs.parameters == count_parameters(net)
    assert costs.multiply_adds == multiply_adds(net, torch.randn(1, 2, size, size))
    sum(net.outputs(torch.randn(2, 2, size, size))).sum().backward()
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


@pytest.mark.parametrize(
    ("spec", "millions"),
    [
        (NetSpec("densenet", 40), 1.0),
        (NetSpec("densenet", 100), 7.0),
        (NetSpec("densenet", 100, growth_rate=24), 27.2),
        (dense_bc(100, 12), 0.8),
        (dense_bc(250, 24), 15.3),
        (dense_bc(190, 40), 25.6),
    ],
    ids=str,
)
def test_densenets_have_the_published_sizes(spec, millions):
    assert round(count_costs(spec).parameters / 1e6, 1) == millions  # Huang et al. 2017, Table 2


@pytest.mark.parametrize(
    ("name", "width", "growth_rate", "blocks"),
    [
        ("densenet121", 64, 32, (6, 12, 24, 16)),
        ("densenet169", 64, 32, (6, 12, 32, 32)),
        ("densenet201", 64, 32, (6, 12, 48, 32)),
        ("densenet161", 96, 48, (6, 12, 36, 24)),
    ],
)
def test_imagenet_s_densenets_are_torchvision_s(name, width, growth_rate, blocks):
    spec = NetSpec(
        *("densenet", int(name[-3:]), "bottleneck"),
        width=width,
        blocks=blocks,
        stem="imagenet",
        growth_rate=growth_rate,
        compression=0.5,
    )
    costs = count_costs(spec, image_size=224, num_classes=1000)
    published = get_model_weights(name).DEFAULT.meta
    assert costs.parameters == published["num_params"]
    assert round(costs.multiply_adds / 1e9, 3) == published["_ops"]


def test_a_densenet_with_torchvision_s_weights_has_its_logits():
    spec = NetSpec(
        *("densenet", 27, "bottleneck"),
        width=8,
        blocks=(2, 3, 4, 2),
        stem="imagenet",
        growth_rate=4,
        compression=0.5,
    )
    torch.manual_seed(0)
    theirs = DenseNet(4, (2, 3, 4, 2), 8, num_classes=7).eval()
    ours = build_net(spec, num_classes=7).eval()
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    x = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(ours(x), theirs(x))


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
    net.eval().outputs(x)
    return total


@pytest.mark.parametrize("spec", every_kind(), ids=str)
def test_no_relu_is_in_place_or_used_twice(spec):
    net = build_net(spec)
    calls = dict.fromkeys((m for m in net.modules() if isinstance(m, nn.ReLU)), 0)
    for relu in calls:
        assert not relu.inplace
        relu.register_forward_hook(lambda m, i, o: calls.update({m: calls[m] + 1}))
    net(torch.randn(2, 3, 32, 32))
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


def test_dense_layers_add_to_what_is_there():
    torch.manual_seed(0)
    net = build_net(NetSpec("densenet", 13, width=4, growth_rate=3)).eval()
    x, layer = torch.randn(2, 7, 8, 8), net.stages[0][1]
    assert torch.equal(layer(x)[:, :7], x)
    assert torch.equal(layer(x)[:, 7:], layer.branch(x))


def by_hand(block, x, gate):
    """Sum of T(x)·F(x) or F(x) and (1 - T(x))·x, of numpy's own exponential."""
    conv = gate.conv
    t = F.conv2d(x, conv.weight, conv.bias, conv.stride, conv.padding)
    t = torch.from_numpy(1 / (1 + np.exp(-t.numpy(force=True))))
    weight = t if hasattr(block, "transformed") else 1
    return weight * block.branch(x) + (1 - t) * x


@pytest.mark.parametrize("shortcut", ["exclusive_gate", "shortcut_gate"])
def test_a_gate_weighs_the_shortcut(shortcut):
    torch.manual_seed(0)
    block = build_net(NetSpec("resnet", 8, shortcut=shortcut, width=4)).eval().stages[0][0]
    x = torch.randn(2, 4, 8, 8)
    assert hasattr(block, "transformed") == (shortcut == "exclusive_gate")
    torch.testing.assert_close(block(x), by_hand(block, x, block.transform_gate).relu())


def test_a_highway_layer_lets_x_pass_by_its_bias():
    torch.manual_seed(0)
    block = build_net(NetSpec("highway", 8, width=4, gate_bias=-3)).eval().stages[0][0]
    x = torch.randn(2, 4, 8, 8)
    assert set(block.transform_gate.conv.bias.tolist()) == {-3.0}
    torch.testing.assert_close(block(x), by_hand(block, x, block.transform_gate))
    block.transform_gate.conv.bias.data.fill_(-40)
    torch.testing.assert_close(block(x), x)


def test_constant_scaling_scales_both_ways():
    net = NetSpec("resnet", 8, shortcut="scaled", width=4, shortcut_scale=0.25, branch_scale=0.5)
    block = build_net(net).eval().stages[0][0]
    x = torch.randn(2, 4, 8, 8)
    standard = build_net(NetSpec("resnet", 8, width=4)).eval().stages[0][0]
    standard.load_state_dict(block.state_dict())
    torch.testing.assert_close(block(x), (0.5 * standard.branch(x) + 0.25 * x).relu())


@pytest.mark.parametrize(
    ("family", "order", "computed"),
    [
        ("resnet", "standard", lambda b, x: (b.branch(x) + x).relu()),
        ("resnet", "norm_after_sum", lambda b, x: b.norm(b.branch(x) + x).relu()),
        ("resnet", "relu_before_sum", lambda b, x: b.branch(x) + x),
        ("preact", "relu_only", lambda b, x: b.branch(x) + x),
        ("preact", "standard", lambda b, x: b.branch(x) + x),
    ],
)
def test_the_five_orders_are_the_papers(family, order, computed):
    # The modules of the branch as in He et al. 2016, Fig. 4 a to e.
    branches = {
        "standard": "conv norm relu conv norm",
        "norm_after_sum": "conv norm relu conv",
        "relu_before_sum": "conv norm relu conv norm relu",
        "relu_only": "relu conv norm relu conv norm",
    }
    if family == "preact" and order == "standard":
        branches["standard"] = "norm relu conv norm relu conv"
    torch.manual_seed(0)
    block = build_net(NetSpec(family, 14, order=order, width=4)).eval().stages[0][1]
    assert " ".join(name[:-1] for name, _ in block.branch.named_children()) == branches[order]
    x = torch.randn(2, 4, 8, 8)
    assert torch.equal(block(x), computed(block, x))


def test_stochastic_depth_drops_whole_branches_as_often_as_it_says():
    torch.manual_seed(0)
    net = build_net(NetSpec("resnet", 14, width=4, survival=0.4))
    ends = [block.branch.survive for stage in net.stages for block in stage]
    chances = [end.probability for end in ends]
    assert chances == pytest.approx([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])  # Huang et al. 2016, eq. 4
    x = torch.ones(3, 2, 2, 2)
    kept = sum(bool(ends[-1](x).all()) for _ in range(1000))
    assert 350 < kept < 450  # 3 standard deviations
    assert set(ends[-1](x).unique().tolist()) <= {0.0, 1.0}
    assert torch.equal(ends[-1].eval()(x), 0.4 * x)


def test_auxiliary_classifiers_stand_evenly_and_change_no_logit():
    torch.manual_seed(0)
    net = build_net(NetSpec("plain", 20, width=4, aux_heads=2)).eval()
    x = torch.randn(2, 3, 16, 16)
    logits, *others = net.outputs(x)
    assert torch.equal(logits, net(x))
    ends = [net.stages[:1](net.stem(x)), net.stages[:2](net.stem(x))]  # blocks 3 and 6 of 9
    for found, maps, head in zip(others, ends, net.auxiliary, strict=True):
        torch.testing.assert_close(found, head.linear(maps.mean((2, 3))))


@pytest.mark.parametrize("family", ["resnet", "preact"])
def test_zero_gamma_makes_every_identity_block_the_identity(family):
    net = build_net(NetSpec(family, 14, init="zero_gamma", width=4)).eval()
    x = torch.rand(2, 4, 8, 8)  # not negative, so that ReLU after addition keeps it
    blocks = [b for b in net.stages[0] if isinstance(b, ResidualBlock | PreactBlock)]
    assert blocks
    for block in blocks:
        assert torch.equal(block(x), block.fork(x) if family == "preact" else x)
