"""The gradients of all paths, taken one by one, are the whole gradient; a path is what it says."""

from itertools import chain, combinations
from math import comb

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from resnet_viz.blockwise import PathLengths, path_counts, sampled_paths, window
from resnet_viz.nets.blocks import ShortcutBlock
from resnet_viz.nets.build import build_net
from resnet_viz.probes.paths import paths_through
from resnet_viz.specs import NetSpec

NETS = [
    NetSpec("resnet", 8, width=4),
    NetSpec("resnet", 8, width=4, shortcut="B"),
    NetSpec("preact", 8, width=4),
    NetSpec("preact", 8, width=4, shortcut="B"),
    NetSpec("highway", 5, width=4),
    NetSpec("resnet", 8, width=4, shortcut="exclusive_gate"),
    NetSpec("resnet", 8, width=4, order="norm_after_sum"),
]


def every_path(blocks):
    return list(chain.from_iterable(combinations(range(blocks), k) for k in range(blocks + 1)))


def made(spec):
    torch.manual_seed(0)
    net = build_net(spec, num_classes=5).double()
    return net, torch.randn(6, 3, 12, 12, dtype=torch.float64), torch.randint(0, 5, (6,))


def whole_gradient(net, images, labels):
    """Autograd's, at the first block's input, in training mode."""
    net.train()
    x = net.stem(images).detach().requires_grad_()
    (found,) = torch.autograd.grad(F.cross_entropy(net.head(net.stages(x)), labels), x)
    return found


def by_detaching(net, images, labels, path):
    """Autograd's along one path: in every block the other part gets no gradient."""
    net.train()
    x = start = net.stem(images).detach().requires_grad_()
    for number, block in enumerate(block for stage in net.stages for block in stage):
        parts = list(block.paths(x))
        parts[number in path] = parts[number in path].detach()
        x = block.after(sum(parts))
    (found,) = torch.autograd.grad(F.cross_entropy(net.head(x), labels), start)
    return found


@pytest.mark.parametrize("spec", NETS, ids=str)
def test_eight_paths_of_three_blocks_add_up_to_the_whole_gradient(spec):
    net, images, labels = made(spec)
    paths = every_path(3)
    assert len(paths) == 8 == sum(path_counts(spec))
    with paths_through(net, images, labels) as ways:
        alone = {path: ways.gradient(path) for path in paths}
        sums = ways.by_length()
    total = whole_gradient(net, images, labels)
    torch.testing.assert_close(sum(alone.values()), total)
    for path, gradient in alone.items():
        torch.testing.assert_close(gradient, by_detaching(net, images, labels, path))
    for length, of_length in enumerate(sums):
        expected = sum(g for path, g in alone.items() if len(path) == length)
        torch.testing.assert_close(of_length, expected)


def test_a_linear_net_is_a_product_of_sums_of_matrices():
    """Blocks x + W x without ReLU: the path through block 2 alone is W2 transposed, and so on."""

    class Block(ShortcutBlock):
        def __init__(self):
            super().__init__()
            self.branch, self.shortcut = nn.Linear(4, 4, bias=False), nn.Identity()

    net = nn.Module()
    net.stem, net.head = nn.Identity(), nn.Linear(4, 3)
    net.stages = nn.Sequential(nn.Sequential(Block(), Block()), nn.Sequential(Block()))
    net.double()
    x, labels = torch.randn(1, 4, dtype=torch.float64), torch.tensor([1])
    w = [block.branch.weight.detach() for stage in net.stages for block in stage]
    eye = torch.eye(4, dtype=torch.float64)
    out = x @ (eye + w[0]).T @ (eye + w[1]).T @ (eye + w[2]).T
    out.requires_grad_()
    (g,) = torch.autograd.grad(F.cross_entropy(net.head(out), labels), out)
    with paths_through(net, x, labels) as ways:
        torch.testing.assert_close(ways.gradient([]), g)
        torch.testing.assert_close(ways.gradient([1]), g @ w[1])
        torch.testing.assert_close(ways.gradient([0, 2]), g @ w[2] @ w[0])
        whole = g @ (eye + w[2]) @ (eye + w[1]) @ (eye + w[0])
        torch.testing.assert_close(sum(ways.by_length()), whole)


def test_a_plain_net_has_one_path_and_the_net_comes_back_as_it_was():
    net, images, labels = made(NetSpec("plain", 8, width=4))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    net.eval()
    with paths_through(net, images, labels) as ways:
        only, other = ways.gradient([0, 1, 2]), ways.gradient([0, 1])
    assert not net.training
    assert all(p.requires_grad for p in net.parameters())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    torch.testing.assert_close(only, whole_gradient(net, images, labels))
    assert not other.any()


def test_paths_are_counted_and_sampled_as_the_binomial_says():
    residual, plain = NetSpec("resnet", 20), NetSpec("plain", 20)
    assert path_counts(residual) == tuple(comb(9, k) for k in range(10))
    assert sum(path_counts(residual)) == 2**9
    assert path_counts(plain) == (0,) * 9 + (1,)
    paths = sampled_paths(residual, draws=4, seed=0)
    assert [len(path) for path in paths[:10]] == list(range(10))
    by_length = [[p for p in paths if len(p) == k] for k in range(10)]
    assert [len(found) for found in by_length] == [1, *[4] * 8, 1]
    assert sampled_paths(plain, 4, 0) == [tuple(range(9))]
    every = sampled_paths(NetSpec("resnet", 8), draws=3, seed=0)
    assert sorted(every) == sorted(every_path(3))  # no path twice where there are so few


def test_shares_weigh_a_path_by_how_many_there_are():
    found = PathLengths(NetSpec("resnet", 8), 5, 4, ((8.0,), (2.0, 4.0), (1.0,), (0.0,)))
    assert found.means == (8.0, 3.0, 1.0, 0.0)
    assert found.path_shares == (1 / 8, 3 / 8, 3 / 8, 1 / 8)
    assert found.gradient_shares == pytest.approx((8 / 20, 9 / 20, 3 / 20, 0.0))
    assert found.layers == (2, 4, 6, 8)
    assert window(found.gradient_shares, 0.8) == (0, 1)
    assert window((0.1, 0.4, 0.4, 0.1), 0.8) == (1, 2)
