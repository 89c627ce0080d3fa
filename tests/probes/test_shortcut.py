"""The two parts of a gradient are those that a net without the other path would have."""

import copy
import itertools
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from resnet_viz.nets.blocks import ShortcutBlock, ZeroPadding
from resnet_viz.nets.build import build_net
from resnet_viz.probes.shortcut import GradientError, decompose, pull_back
from resnet_viz.specs import (
    BLOCKS,
    NORMS,
    PLAIN_SHORTCUTS,
    RESIDUAL_FAMILIES,
    SHORTCUTS,
    NetSpec,
    SpecError,
)

VARIANTS = [
    NetSpec("highway", 8, width=4),
    *(NetSpec("resnet", 8, shortcut=shortcut, width=4) for shortcut in SHORTCUTS[3:]),
    NetSpec("resnet", 8, width=4, order="norm_after_sum"),
    NetSpec("resnet", 8, width=4, order="relu_before_sum"),
    NetSpec("preact", 8, shortcut="B", width=4, order="relu_only"),
]


def every_kind():
    kinds = list(VARIANTS)
    for family, block, shortcut, norm in itertools.product(
        RESIDUAL_FAMILIES, BLOCKS, PLAIN_SHORTCUTS, NORMS
    ):
        depth = 14 if block == "basic" else 20
        inits = ("he", "zero_gamma") if norm == "batch" else ("he", "fixup")
        kinds += [
            NetSpec(family, depth, block, shortcut, width=4, norm=norm, init=init) for init in inits
        ]
    return kinds


def make(spec, *, seed=0, trained=True, images=4, side=12):
    """A net and a batch; `trained` moves every weight off the value that it starts with."""
    torch.manual_seed(seed)
    net = build_net(spec, num_classes=5)
    if trained:
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return net, torch.randn(images, 3, side, side), torch.arange(images) % 5


def blocks_of(net):
    return [block for stage in net.stages for block in stage]


def in_double(net):
    twin = copy.deepcopy(net).double().train()
    for module in twin.modules():
        if isinstance(module, nn.Dropout):
            module.eval()  # the split leaves chance out
    return twin


def boundary_gradients(net, images, labels):
    """Of the loss by each block's input and the last one's output, from one plain backward."""
    points = []

    def keep(_module, inputs):
        points.append(inputs[0])
        inputs[0].retain_grad()

    handles = [block.register_forward_pre_hook(keep) for block in blocks_of(net)]
    handles.append(net.head.register_forward_pre_hook(keep))
    F.cross_entropy(net(images.double()), labels).backward()
    for handle in handles:
        handle.remove()
    return [point.grad for point in points]


def gradient_without(net, number, path, images, labels):
    """At block `number`'s input, with no gradient through one path of this block alone."""
    block = blocks_of(net)[number]
    weighed = {"branch": "transformed", "shortcut": "carried"}[path]
    end = getattr(block, weighed, getattr(block, path))
    handle = end.register_forward_hook(lambda m, i, out: out.detach())
    gradient = boundary_gradients(net, images, labels)[number]
    handle.remove()
    return gradient


def cosine(a, b):
    return ((a * b).sum() / (a.norm() * b.norm())).item()


@pytest.mark.parametrize("spec", every_kind(), ids=str)
def test_parts_add_up_to_autograds_gradient_of_the_whole_net(spec):
    net, images, labels = make(spec)
    splits, loss = decompose(net, images, labels)
    twin = in_double(net)
    totals = boundary_gradients(twin, images, labels)
    assert loss == pytest.approx(F.cross_entropy(twin(images.double()), labels).item(), rel=1e-12)
    assert len(splits) == len(blocks_of(net))
    for split, total in zip(splits, totals[:-1], strict=True):
        assert split.residue < 1e-12
        assert split.total_norm == pytest.approx(total.norm().item(), rel=1e-10)


@pytest.mark.parametrize(
    "spec",
    [
        *(NetSpec(f, 8, shortcut=s, width=4) for f in RESIDUAL_FAMILIES for s in PLAIN_SHORTCUTS),
        *VARIANTS,
    ],
    ids=str,
)
def test_each_part_is_what_is_left_without_the_other_path(spec):
    net, images, labels = make(spec)
    splits, _loss = decompose(net, images, labels)
    twin = in_double(net)
    for number, split in enumerate(splits):
        by_shortcut = gradient_without(twin, number, "branch", images, labels)
        by_branch = gradient_without(twin, number, "shortcut", images, labels)
        assert split.shortcut_norm == pytest.approx(by_shortcut.norm().item(), rel=1e-10)
        assert split.branch_norm == pytest.approx(by_branch.norm().item(), rel=1e-10)
        assert split.cosine == pytest.approx(cosine(by_shortcut, by_branch), abs=1e-10)


@pytest.mark.parametrize(
    "spec",
    [NetSpec("resnet", 8, shortcut="B", width=2), NetSpec("preact", 8, width=2)],
    ids=str,
)
def test_parts_of_a_block_agree_with_finite_differences(spec):
    net, images, labels = make(spec, images=2, side=6)
    number = 1  # where stage 2 begins
    split = decompose(net, images, labels)[0][number]
    with torch.no_grad():
        twin = in_double(net)
        *before, block, last = blocks_of(twin)
        x = twin.stem(images.double())
        for earlier in before:
            x = earlier(x)

        def loss_at(by_shortcut, by_branch):
            fork = getattr(block, "fork", nn.Identity())
            out = block.shortcut(fork(by_shortcut)) + block.branch(fork(by_branch))
            out = F.relu(out) if spec.family == "resnet" else out
            return F.cross_entropy(twin.head(last(out)), labels).item()

        parts = torch.zeros(2, x.numel(), dtype=torch.float64)
        step = 1e-6
        for i in range(x.numel()):
            move = torch.zeros_like(x)
            move.view(-1)[i] = step
            parts[0, i] = (loss_at(x + move, x) - loss_at(x - move, x)) / (2 * step)
            parts[1, i] = (loss_at(x, x + move) - loss_at(x, x - move)) / (2 * step)
    assert split.shortcut_norm == pytest.approx(parts[0].norm().item(), rel=1e-6)
    assert split.branch_norm == pytest.approx(parts[1].norm().item(), rel=1e-6)
    assert split.total_norm == pytest.approx(parts.sum(0).norm().item(), rel=1e-6)
    assert split.cosine == pytest.approx(cosine(*parts), abs=1e-6)


class HandMade(nn.Module):
    """x + a x a block, with or without ReLU after it, on one pixel; the head is given."""

    class Block(ShortcutBlock):
        def __init__(self, a, relu):
            super().__init__()
            self.branch = nn.Conv2d(len(a), len(a), 1, groups=len(a), bias=False)
            self.branch.weight.data = torch.tensor(a).view(-1, 1, 1, 1)
            self.shortcut = nn.Identity()
            if relu:
                self.relu = nn.ReLU()

        def after(self, total):
            return self.relu(total) if hasattr(self, "relu") else total

    def __init__(self, factors, head, *, relu):
        super().__init__()
        self.stem = nn.Identity()
        self.stages = nn.Sequential(nn.Sequential(*(self.Block(a, relu) for a in factors)))
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(len(head[0]), len(head), bias=False))
        self.head[1].weight.data = torch.tensor(head)


def test_two_linear_blocks_split_as_calculated():
    net = HandMade([[0.5], [-3.0]], [[2.0], [0.0]], relu=False)
    x, label = torch.full((1, 1, 1, 1), 0.25), torch.tensor([0])
    (first, second), loss = decompose(net, x, label)
    at_end = 1.5 * -2.0 * 0.25  # through both blocks
    p = 1 / (1 + math.exp(-2 * at_end))  # of label 0, whose logit is twice that
    g = 2 * (p - 1)
    assert loss == pytest.approx(-math.log(p))
    assert second.shortcut_norm == pytest.approx(abs(g))
    assert second.branch_norm == pytest.approx(abs(3 * g))
    assert second.total_norm == pytest.approx(abs(2 * g))
    assert second.cosine == pytest.approx(-1)
    assert first.shortcut_norm == pytest.approx(abs(2 * g))
    assert first.branch_norm == pytest.approx(abs(g))
    assert first.total_norm == pytest.approx(abs(3 * g))
    assert first.cosine == pytest.approx(1)
    assert (first.arrived, second.arrived) == (1.0, 1.0)
    assert first.arrived_cosine == pytest.approx(-1)
    assert (first.passed, first.blocked) == (1.0, 0.0)
    assert not first.shared_first


def test_relu_after_addition_blocks_as_calculated():
    # Sums: (1.5, -1) of x = (1, 1), then (3, 0) of (1.5, 0); the second value is held back.
    net = HandMade([[0.5, -2.0], [1.0, 1.0]], [[1.0, 3.0], [0.0, 0.0]], relu=True)
    (first, second), _loss = decompose(net, torch.ones(1, 2, 1, 1), torch.tensor([0]))
    g = 1 / (1 + math.exp(-3)) - 1  # by the logit of label 0; by the last output: (g, 3 g)
    assert second.passed == pytest.approx(1 / 10)
    assert second.blocked == 0.5
    assert second.shortcut_norm == second.branch_norm == pytest.approx(abs(g))
    assert second.arrived == pytest.approx(math.sqrt(1 / 10))
    assert second.arrived_cosine == pytest.approx(1)
    assert first.passed == 1.0  # the second value receives no gradient any more
    assert first.blocked == 0.5
    assert first.total_norm == pytest.approx(abs(1.5 * 2 * g))
    assert first.arrived == pytest.approx(math.sqrt(1 / 10))


@pytest.mark.parametrize("norm", NORMS)
def test_what_the_relu_passes_is_the_gradient_before_it_over_that_after_it(norm):
    net, images, labels = make(NetSpec("resnet", 14, width=4, norm=norm))
    splits, _loss = decompose(net, images, labels)
    twin, sums, outputs = in_double(net), [], []

    def keep(_module, inputs, output):
        for values, value in ((sums, inputs[0]), (outputs, output)):
            value.retain_grad()
            values.append(value)

    for block in blocks_of(twin):
        block.relu.register_forward_hook(keep)
    boundary_gradients(twin, images, labels)
    for split, before, after in zip(splits, sums, outputs, strict=True):
        assert split.passed == pytest.approx((before.grad.norm() / after.grad.norm()).item() ** 2)
        assert split.blocked == pytest.approx((before <= 0).double().mean().item())
        assert 0 < split.blocked < 1


def test_kinds_of_shortcut_and_forks_are_named():
    kinds = {}
    for shortcut in PLAIN_SHORTCUTS:
        splits, _loss = decompose(*make(NetSpec("preact", 14, shortcut=shortcut, width=4)))
        kinds[shortcut] = [s.shortcut for s in splits]
        assert [s.shared_first for s in splits] == [
            i == 0 or kind == "projection" for i, kind in enumerate(kinds[shortcut])
        ]
        assert all(s.passed == 1.0 and s.blocked == 0.0 for s in splits)
    same, pad, project = "identity", "zero_padding", "projection"
    assert kinds == {
        "A": [same, same, pad, same, pad, same],
        "B": [same, same, project, same, project, same],
        "C": [project] * 6,
    }


def test_pulling_back_through_zero_padding_scatters_and_drops_the_new_channels():
    vector = torch.randn(2, 8, 3, 3)
    product = pull_back(ZeroPadding(4, 8, 2), torch.randn(2, 4, 5, 5), vector)
    by_hand = torch.zeros(2, 4, 5, 5)
    by_hand[:, :, ::2, ::2] = vector[:, :4]
    assert torch.equal(product, by_hand)


def test_identity_shortcuts_carry_the_whole_gradient_and_zero_padding_a_part():
    net, images, labels = make(NetSpec("preact", 20, width=4))
    splits, _loss = decompose(net, images, labels)
    gradients = boundary_gradients(in_double(net), images, labels)
    at_end = gradients[-1]
    assert [s.arrived for s in splits[7:]] == [1.0, 1.0]  # exactly: nothing was done to it
    for split, whole in zip(splits[7:], gradients[7:-1], strict=True):
        assert split.arrived_cosine == pytest.approx(cosine(at_end, whole), abs=1e-12)
    into_stage_3 = (at_end[:, :8].norm() / at_end.norm()).item()  # of 16 channels, 8 are not new
    assert [s.arrived for s in splits[4:7]] == pytest.approx([into_stage_3] * 3, rel=1e-12)
    into_stage_2 = (at_end[:, :4].norm() / at_end.norm()).item()
    assert [s.arrived for s in splits[1:4]] == pytest.approx([into_stage_2] * 3, rel=1e-12)


def test_a_chain_of_identity_shortcuts_adds_one_to_the_branches_sum():
    """He et al. 2016, eq. 5: dL/dx_l = dL/dx_L (1 + d/dx_l of the sum of F)."""
    net, images, labels = make(NetSpec("preact", 20, width=4))
    splits, _loss = decompose(net, images, labels)
    twin = in_double(net)
    first = 7  # the first identity of stage 3
    gradients = boundary_gradients(twin, images, labels)
    with torch.no_grad():
        x = twin.stem(images.double())
        for block in blocks_of(twin)[:first]:
            x = block(x)
    start = x.requires_grad_()
    branches = []
    for block in blocks_of(twin)[first:]:
        branches.append(block.branch(x))
        x = x + branches[-1]
    (by_branches,) = torch.autograd.grad(sum(branches), start, gradients[-1])
    torch.testing.assert_close(gradients[first], gradients[-1] + by_branches, rtol=1e-10, atol=0)
    expected = cosine(gradients[-1], gradients[-1] + by_branches)
    assert splits[first].arrived_cosine == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("family", RESIDUAL_FAMILIES)
def test_shortcuts_alone_deliver_what_a_net_with_dead_branches_would(family):
    net, images, labels = make(NetSpec(family, 14, shortcut="B", width=4))
    splits, _loss = decompose(net, images, labels)
    twin = in_double(net)
    whole = boundary_gradients(twin, images, labels)
    for block in blocks_of(twin):
        block.branch.register_forward_hook(lambda m, i, out: out.detach())
    alone = boundary_gradients(twin, images, labels)
    for split, part, total in zip(splits, alone, whole[:-1], strict=False):
        assert split.arrived == pytest.approx((part.norm() / whole[-1].norm()).item(), rel=1e-10)
        assert split.arrived_cosine == pytest.approx(cosine(part, total), abs=1e-10)


@pytest.mark.parametrize("family", RESIDUAL_FAMILIES)
def test_with_zero_gamma_everything_comes_through_the_shortcut(family):
    splits, _loss = decompose(*make(NetSpec(family, 14, width=4, init="zero_gamma"), trained=False))
    for split in splits:
        assert split.branch_norm == 0.0
        assert split.shortcut_norm == split.total_norm > 0
        assert split.residue == 0.0
        assert math.isnan(split.cosine)
        assert split.arrived_cosine == pytest.approx(1)


def test_fixups_zero_head_sends_no_gradient_at_all():
    spec = NetSpec("resnet", 8, width=4, norm="none", init="fixup")
    splits, loss = decompose(*make(spec, trained=False))
    assert loss == pytest.approx(math.log(5))
    for split in splits:
        assert split.shortcut_norm == split.branch_norm == split.total_norm == split.residue == 0
        assert math.isnan(split.passed)
        assert math.isnan(split.arrived)


def state_of(net):
    return {
        "values": {name: value.clone() for name, value in net.state_dict().items()},
        "modes": [m.training for m in net.modules()],
        "wanted": [p.requires_grad for p in net.parameters()],
        "gradients": [None if p.grad is None else p.grad.clone() for p in net.parameters()],
        "hooks": [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in net.modules()],
    }


def assert_same(before, after):
    for name, value in before["values"].items():
        assert value.dtype == after["values"][name].dtype
        assert torch.equal(value, after["values"][name])
    for part in ("modes", "wanted", "hooks"):
        assert before[part] == after[part]
    for a, b in zip(before["gradients"], after["gradients"], strict=True):
        assert (a is None and b is None) or torch.equal(a, b)


@pytest.mark.parametrize("labels", [[0, 1, 2, 3], [0, 1, 2, 99]], ids=["good", "error"])
def test_the_net_is_left_as_it_was(labels):
    net, images, _labels = make(NetSpec("resnet", 8, width=4))
    net.head.linear.weight.grad = torch.ones_like(net.head.linear.weight)
    net.stem.conv.weight.requires_grad_(False)
    net.stages[1].eval()
    before, random = state_of(net), torch.get_rng_state()
    if labels[-1] == 99:
        with pytest.raises(IndexError):
            decompose(net, images, torch.tensor(labels))
    else:
        with torch.no_grad():  # as a caller may have it
            decompose(net, images, torch.tensor(labels))
    assert_same(before, state_of(net))
    assert torch.equal(random, torch.get_rng_state())


def test_a_net_in_evaluation_mode_is_measured_in_training_mode():
    net, images, labels = make(NetSpec("resnet", 8, width=4))
    assert decompose(net.eval(), images, labels) == decompose(net.train(), images, labels)


def test_a_plain_net_is_refused():
    with pytest.raises(SpecError, match=r"no shortcuts.*resnet"):
        decompose(*make(NetSpec("plain", 8, width=4)))


def test_a_gradient_that_is_not_finite_is_refused():
    net, images, labels = make(NetSpec("resnet", 8, width=4))
    net.stages[0][0].branch.conv1.weight.data.fill_(math.inf)
    with pytest.raises(GradientError, match="not finite"):
        decompose(net, images, labels)
