"""A probed step says what happened in it, told by a second net that takes the same step."""

import copy
import math

import pytest
import torch
from torch.nn import functional as F

from resnet_viz import DataSpec, NetSpec, RunSpec, TrainSpec
from resnet_viz.layers import blocks_of, weighted_layers
from resnet_viz.nets.costs import Machine
from resnet_viz.probes.recorder import BLOCK_IMAGES, StepProbe
from resnet_viz.records import BLOCK_COLUMNS, LAYER_COLUMNS
from resnet_viz.training.training import DivergedError, Training

NETS = [
    NetSpec("plain", 8, width=4),
    NetSpec("plain", 8, width=4, norm="none"),
    NetSpec("resnet", 8, width=4),
    NetSpec("resnet", 8, width=4, shortcut="B"),
    NetSpec("resnet", 11, width=4, block="bottleneck"),
    NetSpec("resnet", 8, width=4, norm="none", init="fixup"),
    NetSpec("preact", 14, width=4),
    NetSpec("preact", 8, width=4, shortcut="C"),
]
PROBED = 4  # steps: the first ones are taken too, so that momentum and weights are no start's


def name(net):
    return f"{net.name}-{net.shortcut}-{net.norm}-{net.init}-{net.block}"


def make_training(net, dtype="float32", **recipe):
    spec = RunSpec(
        net,
        DataSpec("digits", image_size=16),
        TrainSpec(**{"steps": 40, "batch_size": 48, "lr": 0.02, **recipe}),
    )
    machine = Machine("cpu", dtype, dtype == "bfloat16", 0, 0, 0, 0)
    return Training(spec, device="cpu", threads=1, machine=machine, probe_every=1)


def last_step(training):
    """Net before, profile of, and net after one step; and the step's batch."""
    for _ in range(PROBED - 1):
        training.advance()
    before = copy.deepcopy(training.net)
    images, labels = training._batches.at(training.step)
    (profile,) = [r for r in training.advance() if r.kind == "profile"]
    return before, profile.values, training.net, images, labels


def block_by_hand(block, x):
    """F(x), shortcut(x) + F(x) (None if plain) and the output of a block, in the papers' words."""
    if hasattr(block, "fork"):
        x = block.fork(x)
    branch = block.branch(x)
    if not hasattr(block, "shortcut"):
        return branch, None, torch.relu(branch)
    total = branch + block.shortcut(x)
    return branch, total, total if hasattr(block, "fork") else torch.relu(total)


@pytest.mark.parametrize("net", NETS, ids=name)
def test_layers_are_measured_as_an_independent_copy_measures_them(net):
    before, values, after, images, labels = last_step(make_training(net))
    layers = weighted_layers(net)
    assert all(len(values[c]) == net.depth for c in LAYER_COLUMNS)
    weights = [before.get_submodule(layer.module).weight for layer in layers]
    loss = F.cross_entropy(before(images), labels)
    gradients = torch.autograd.grad(loss, weights)
    new = after.state_dict()
    for i, (layer, weight, gradient) in enumerate(zip(layers, weights, gradients, strict=True)):
        old = weight.detach().double()
        change = new[f"{layer.module}.weight"].double() - old
        expected = (
            gradient.double().square().sum().sqrt().item(),
            old.square().sum().sqrt().item(),
            (change.square().sum().sqrt() / old.square().sum().sqrt()).item(),
        )
        found = tuple(values[c][i] for c in LAYER_COLUMNS)
        assert found == pytest.approx(expected, rel=1e-4), layer.module


@pytest.mark.parametrize("net", NETS, ids=name)
def test_blocks_are_measured_as_they_are_by_hand(net):
    before, values, _after, images, _labels = last_step(make_training(net))
    assert ("sum_norm" in values) == (net.family != "plain")
    with torch.no_grad():
        x = before.stem(images)
        for i, place in enumerate(blocks_of(net)):
            branch, total, out = block_by_hand(before.get_submodule(place.module), x)
            seen = [t[:BLOCK_IMAGES].double() for t in (x, branch)]
            per_image = [t.flatten(1).norm(dim=1) for t in seen]
            expected = [seen[1].std(correction=0), *(n.square().mean().sqrt()
                        for n in per_image)]  # fmt: skip
            found = [values[c][i] for c in BLOCK_COLUMNS[:3]]
            if total is not None:
                expected.append(
                    total[:BLOCK_IMAGES].double().flatten(1).norm(dim=1).square().mean().sqrt()
                )
                found.append(values["sum_norm"][i])
            assert found == pytest.approx([e.item() for e in expected], rel=1e-4), place.module
            x = out


@pytest.mark.parametrize("net", [NETS[2], NETS[6]], ids=name)
def test_with_bfloat16_activations_they_are_measured_in_float32(net):
    training = make_training(net, "bfloat16")
    seen, places = {}, blocks_of(net)

    def keep(key, tensor):
        seen[key] = tensor.detach()[:BLOCK_IMAGES].double()

    for place in places:
        block, key = training.net.get_submodule(place.module), place.module
        block.branch.register_forward_hook(lambda _m, _x, out, key=key: keep(key, out))
        block.register_forward_pre_hook(lambda _m, x, key=key: keep(f"{key} x", x[0]))
    (profile,) = [r for r in training.advance() if r.kind == "profile"]
    for i, place in enumerate(places):
        branch, x = seen[place.module], seen[f"{place.module} x"]
        root = BLOCK_IMAGES**0.5
        expected = (branch.std(correction=0), x.norm() / root, branch.norm() / root)
        found = [profile.values[c][i] for c in BLOCK_COLUMNS[:3]]
        assert found == pytest.approx([e.item() for e in expected], rel=1e-5)


def hooks(net):
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in net.modules())


@pytest.mark.parametrize("net", [NETS[0], NETS[2], NETS[6]], ids=name)
def test_hooks_are_gone_and_modes_kept_after_a_step_and_after_an_error(net):
    training = make_training(net)
    norm = next(m for m in training.net.modules() if isinstance(m, torch.nn.BatchNorm2d))
    norm.eval()  # somebody's choice, which no probe may touch
    modes = {n: m.training for n, m in training.net.named_modules()}
    training.advance()
    assert hooks(training.net) == 0
    own = training.net.stages[1][0].branch.register_forward_pre_hook(broken)
    with pytest.raises(RuntimeError, match="broken"):
        training.advance()
    assert hooks(training.net) == 1  # the one that broke it
    own.remove()
    training.advance()
    assert hooks(training.net) == 0
    assert {n: m.training for n, m in training.net.named_modules()} == modes


def broken(_module, _inputs):
    raise RuntimeError("broken")


def test_a_diverged_step_leaves_no_hook_and_no_profile():
    training = make_training(NETS[1], lr=1e6, steps=50)
    found = []

    def go_on():
        while True:
            found.extend(training.advance())

    with pytest.raises(DivergedError):
        go_on()
    assert hooks(training.net) == 0
    assert max(r.step for r in found if r.kind == "profile") == training.step


def test_what_is_not_finite_is_nan():
    """A Fixup branch ends in zero weights, whose change over themselves is no number."""
    training = make_training(NETS[5])
    (profile,) = [r for r in training.advance() if r.kind == "profile"]
    layers = weighted_layers(NETS[5])
    last = [layer.stage > 0 and layer.number == 2 for layer in layers]
    assert [v == 0 for v in profile.values["weight_norm"]][:-1] == last[:-1]
    assert [math.isnan(v) for v in profile.values["update_ratio"]][:-1] == last[:-1]


def test_any_modules_of_that_shape_can_be_probed():
    """The recorder knows no family: a block is what has a branch."""
    block = torch.nn.Module()
    block.branch = torch.nn.Conv2d(2, 2, 3, padding=1)
    block.forward = lambda x: block.branch(x)
    optimizer = torch.optim.SGD(block.parameters(), lr=0.5)
    x = torch.randn(3, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    probe = StepProbe([block.branch], [block])
    with probe.forward():
        y = block(x)
    y.square().mean().backward()
    weight, gradient = block.branch.weight.detach().clone(), block.branch.weight.grad.clone()
    with probe.update():
        optimizer.step()
    values = probe.values(probe.measured().tolist())
    assert set(values) == {*LAYER_COLUMNS, *BLOCK_COLUMNS} - {"sum_norm"}
    assert values["update_ratio"][0] == pytest.approx(
        (0.5 * gradient.norm() / weight.norm()).item(), rel=1e-4
    )
    assert values["response_std"][0] == pytest.approx(y.std(correction=0).item(), rel=1e-4)
