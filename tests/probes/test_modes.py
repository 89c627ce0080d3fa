"""A net lent to a probe comes back as it was, whatever went wrong inside."""

import copy

import pytest
import torch

from resnet_viz.nets.build import build_net
from resnet_viz.probes.modes import preserved
from resnet_viz.specs import NetSpec

HOOKS = (
    *("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks"),
    *("_forward_hooks_with_kwargs", "_forward_pre_hooks_with_kwargs"),
    "_forward_hooks_always_called",
)


class ProbeError(Exception):
    pass


def fail(*_):
    raise ProbeError


def ignore(*_):
    return None


@pytest.fixture
def net():
    """A net in a state of its own: mixed modes, frozen weights, gradients, statistics, hooks."""
    torch.manual_seed(0)
    net = build_net(NetSpec("resnet", 8, shortcut="B", width=4))
    net(torch.randn(4, 3, 8, 8)).square().mean().backward()
    net.stages[1].eval()
    net.stem.conv.weight.requires_grad_(False)
    net.head.linear.bias.grad = None
    net.stages.register_forward_hook(ignore)
    return net


def state(net):
    return {
        "training": [m.training for m in net.modules()],
        "buffers": [b.clone() for b in net.buffers()],
        "parameters": [p.detach().clone() for p in net.parameters()],
        "requires_grad": [p.requires_grad for p in net.parameters()],
        "grads": [p.grad for p in net.parameters()],
        "grad_values": [None if p.grad is None else p.grad.clone() for p in net.parameters()],
        "hooks": [{name: dict(getattr(m, name)) for name in HOOKS} for m in net.modules()],
    }


def assert_same(before, net):
    after = state(net)
    for name in ("training", "requires_grad", "hooks"):
        assert after[name] == before[name], name
    for old, new in zip(before["grads"], after["grads"], strict=True):
        assert new is old
    for name in ("buffers", "parameters", "grad_values"):
        for old, new in zip(before[name], after[name], strict=True):
            assert (old is None and new is None) or torch.equal(old, new), name


def disturb(net):
    """All that a probe may do: modes, flags, every kind of hook, a training step's passes."""
    net.eval()
    net.train()
    net.requires_grad_(True)
    net.stages[0][0].eval()
    for module in net.modules():
        module.register_forward_pre_hook(lambda _m, args, _kwargs: None, with_kwargs=True)
        module.register_forward_hook(lambda *_: None, with_kwargs=True, always_call=True)
        module.register_full_backward_pre_hook(ignore)
        module.register_full_backward_hook(ignore)
    net(torch.randn(4, 3, 8, 8, requires_grad=True)).sum().backward()


def test_nothing_stays_of_a_probe(net):
    before = state(net)
    with preserved(net):
        assert all(p.grad is None for p in net.parameters())
        disturb(net)
        assert net.stages[1].training
        assert not torch.equal(net.stem.norm.running_mean, before["buffers"][0])
        assert net.stem.conv.weight.grad is not None
    assert_same(before, net)


@pytest.mark.parametrize(
    "register",
    ["register_forward_pre_hook", "register_forward_hook", "register_full_backward_hook"],
)
def test_nothing_stays_of_a_probe_that_fails_half_way(net, register):
    """In the middle of the forward or of the backward pass, when half the state has changed."""
    before = state(net)

    def probe():
        with preserved(net):
            getattr(net.stages[1][0].branch.conv2, register)(fail)
            disturb(net)

    with pytest.raises(ProbeError):
        probe()
    assert_same(before, net)


def test_nothing_stays_after_a_tensor_hook_fails(net):
    before = state(net)

    def watch(_module, _args, out):
        out.register_hook(fail)

    def probe():
        with preserved(net):
            net.stages[0].register_forward_hook(watch)
            disturb(net)

    with pytest.raises(ProbeError):
        probe()
    assert_same(before, net)


def test_the_net_still_trains_as_if_no_probe_had_been(net):
    """Same gradients afterwards as a copy that was never lent."""
    other = copy.deepcopy(net)
    with preserved(net):
        disturb(net)
    images = torch.randn(4, 3, 8, 8)
    for each in (net, other):
        each.zero_grad()
        each(images).logsumexp(1).sum().backward()
    for a, b in zip(net.parameters(), other.parameters(), strict=True):
        assert (a.grad is None and b.grad is None) or torch.equal(a.grad, b.grad)
