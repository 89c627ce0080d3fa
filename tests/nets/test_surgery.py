"""Inserted blocks change nothing: exactly in a residual net, in evaluation mode in a plain one."""

import pytest
import torch
from torch.nn import functional as F

from resnet_viz.construction import deeper, stage_ends
from resnet_viz.nets.build import build_net
from resnet_viz.nets.surgery import insert_blocks
from resnet_viz.specs import NetSpec, SpecError

RESIDUAL = [
    NetSpec("resnet", 14, width=4),
    NetSpec("resnet", 14, width=4, init="zero_gamma"),
    NetSpec("resnet", 14, width=4, norm="none"),
    NetSpec("resnet", 14, width=4, norm="none", init="fixup"),
    NetSpec("resnet", 20, "bottleneck", "B", width=4),
    NetSpec("preact", 14, width=4),
    NetSpec("preact", 14, width=4, norm="none"),
    NetSpec("preact", 20, "bottleneck", "B", width=4),
]
PLAIN = [NetSpec("plain", 14, width=4), NetSpec("plain", 14, width=4, norm="none")]


def made(spec):
    torch.manual_seed(0)
    net = build_net(spec, num_classes=5, in_channels=2)
    for _ in range(3):
        net(torch.randn(16, 2, 16, 16))
    if spec.init == "fixup":  # else its head is zero and says nothing
        torch.nn.init.normal_(net.head.linear.weight)
    return net


@pytest.mark.parametrize("spec", RESIDUAL, ids=str)
def test_a_residual_net_says_the_same_in_both_modes(spec):
    net, x = made(spec), torch.randn(12, 2, 16, 16)
    state = {name: value.clone() for name, value in net.state_dict().items()}
    new, new_spec = insert_blocks(net, spec, list(stage_ends(spec).values()), 2, seed=3)
    assert sum(new_spec.stage_blocks) == sum(spec.stage_blocks) + 6
    assert all(torch.equal(v, state[name]) for name, v in net.state_dict().items())
    for mode in (False, True):
        net.train(mode)
        new.train(mode)
        with torch.no_grad():
            assert torch.equal(new(x), net(x))
        assert net(x).abs().max() > 0


@pytest.mark.parametrize("spec", PLAIN, ids=str)
def test_a_plain_net_says_the_same_in_evaluation_mode(spec):
    net = made(spec).eval()
    x = torch.randn(40, 2, 16, 16)
    new, new_spec = insert_blocks(net, spec, [1, 3], 3, seed=0, images=torch.randn(30, 2, 16, 16))
    assert (new_spec.depth, new_spec.blocks) == (26, (5, 5, 2))
    with torch.no_grad():
        torch.testing.assert_close(new(x), net(x), rtol=1e-4, atol=1e-5)
        assert torch.equal(new(x).argmax(1), net(x).argmax(1))
        net.train()
        new.train()
        difference = (new(x) - net(x)).abs().max()
    if spec.norm == "none":
        assert difference < 1e-5
    else:
        assert difference > 1e-3  # the statistics of a batch break it


@pytest.mark.parametrize("spec", [*RESIDUAL, *PLAIN], ids=str)
def test_every_inserted_block_can_learn(spec):
    net = made(spec)
    where = [stage_ends(spec)[2]]
    new, _spec = insert_blocks(net, spec, where, 1, seed=0, images=torch.randn(30, 2, 16, 16))
    block = new.stages[1][-1]
    labels = torch.randint(0, 5, (12,))
    F.cross_entropy(new.train()(torch.randn(12, 2, 16, 16)), labels).backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in block.parameters())


def test_the_deeper_net_is_named_as_the_usual_one_where_it_is_one():
    spec = NetSpec("resnet", 14, width=4)
    assert deeper(spec, [1, 3, 5], 2) == NetSpec("resnet", 26, width=4)
    assert deeper(spec, [1], 2) == NetSpec("resnet", 18, width=4, blocks=(4, 2, 2))


@pytest.mark.parametrize(
    ("spec", "where", "k", "message"),
    [
        (NetSpec("plain", 20, "bottleneck"), [1], 1, "a quarter of the channels"),
        (NetSpec("resnet", 14, shortcut="C"), [1], 1, "option A or B"),
        (NetSpec("resnet", 14), [6], 1, "blocks 0 to 5"),
        (NetSpec("resnet", 14), [], 1, "blocks 0 to 5"),
        (NetSpec("resnet", 14), [1], 0, "out of range"),
        (NetSpec("resnet", 1202), [1], 1, "nearest: 1202"),
    ],
)
def test_what_cannot_be_inserted_is_refused(spec, where, k, message):
    with pytest.raises(SpecError, match=message):
        insert_blocks(torch.nn.Module(), spec, where, k, seed=0)
