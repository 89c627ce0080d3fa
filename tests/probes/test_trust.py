"""Curves by hand, and captum's own infidelity on the same squares."""

import math

import numpy as np
import pytest
import torch
from captum.attr import InputXGradient, Saliency
from captum.metrics import infidelity
from torch import nn

from resnet_viz.nets.build import build_net
from resnet_viz.probes.trust import (
    SQUARES,
    infidelity_parts,
    mixed_probabilities,
    pixel_order,
    random_order,
    random_squares,
)
from resnet_viz.specs import NetSpec


class Linear(nn.Module):
    """Two classes; the first one's logit is w · x, the other's is zero."""

    def __init__(self, weights):
        super().__init__()
        self.weights = torch.tensor(weights)

    def forward(self, x):
        logit = (x * self.weights).flatten(1).sum(1)
        return torch.stack([logit, torch.zeros_like(logit)], 1)


def sigmoid(value):
    return 1 / (1 + math.exp(-value))


def test_pixels_are_ordered_by_value_summed_over_channels():
    values = torch.tensor([[[1.0, -5.0], [0.0, 2.0]], [[0.0, 1.0], [1.0, 2.0]]])
    assert pixel_order(values).tolist() == [3, 0, 2, 1]  # 4, 1, 1 and -4: the earlier of equals


def test_a_large_tie_is_ordered_row_by_row():
    assert pixel_order(torch.zeros(1, 40, 40)).tolist() == list(range(1600))


def test_deletion_and_insertion_of_a_linear_net_by_hand():
    weights = [[[1.0, 3.0], [-2.0, 0.5]]]
    net, x = Linear(weights), torch.ones(1, 1, 2, 2)
    order = pixel_order(x[0] * net.weights)
    assert order.tolist() == [1, 0, 3, 2]
    zeros, counts = torch.zeros_like(x), [0, 1, 2, 3, 4]
    deleted = mixed_probabilities(net, x, zeros, order, counts, 0)
    assert deleted == pytest.approx([sigmoid(s) for s in (2.5, -0.5, -1.5, -2, 0)], abs=1e-6)
    inserted = mixed_probabilities(net, zeros, x, order, counts, 0)
    assert inserted == pytest.approx([sigmoid(s) for s in (0, 3, 4, 4.5, 2.5)], abs=1e-6)
    other = mixed_probabilities(net, x, zeros, order, [2], 1)
    assert other == pytest.approx([1 - sigmoid(-1.5)], abs=1e-6)


def test_all_channels_of_a_pixel_go_together():
    x = torch.arange(12.0).reshape(1, 3, 2, 2) + 1
    seen = []

    class Seeing(nn.Module):
        def forward(self, images):
            seen.append(images)
            return images.new_zeros(len(images), 2)

    mixed_probabilities(Seeing(), x, -x, torch.tensor([2, 0, 1, 3]), [0, 1, 3], 0)
    signs = seen[0].sign().reshape(3, 3, 4)
    gone = [[1, 1, 1, 1], [1, 1, -1, 1], [-1, -1, -1, 1]]
    assert signs.tolist() == [[row] * 3 for row in gone]


def test_an_order_by_lot_is_every_pixel_once_and_the_seeds():
    assert sorted(random_order(64, 3).tolist()) == list(range(64))
    assert torch.equal(random_order(64, 3), random_order(64, 3))
    assert not torch.equal(random_order(64, 3), random_order(64, 4))


@pytest.mark.parametrize("side", [1, 3, 16, 33])
def test_squares_lie_inside_and_are_the_same_in_any_number(side):
    squares = random_squares(side, 50, 7)
    assert squares.shape == (50, 1, side, side)
    least, most = (max(1, round(share * side)) for share in SQUARES)
    for square in squares[:, 0]:
        rows, columns = square.any(1).sum().item(), square.any(0).sum().item()
        assert rows == columns
        assert least <= rows <= most
        assert square.sum() == rows * columns
    assert torch.equal(random_squares(side, 20, 7), squares[:20])


@pytest.fixture(scope="module")
def case():
    torch.manual_seed(0)
    net = build_net(NetSpec("resnet", 8, width=4)).eval().requires_grad_(False)
    return net, torch.randn(1, 3, 16, 16), random_squares(16, 12, 0)


def captums(net, x, values, squares, *, local, normalize=False):
    """captum asked directly, about the same squares."""

    def cover(images):
        covered = squares.expand(-1, 3, -1, -1)
        removed = torch.where(covered, images, torch.zeros_like(images))
        return (removed if local else covered.to(images.dtype)), images - removed

    found = infidelity(
        net, cover, x, values, target=2, n_perturb_samples=len(squares), normalize=normalize
    )
    return found.item()


@pytest.mark.parametrize("local", [True, False])
def test_infidelity_is_captums(case, local):
    net, x, squares = case
    values = InputXGradient(net).attribute(x.clone().requires_grad_(), target=2).detach()
    own, zero, opposite = infidelity_parts(net, x, values[0], squares, 2, local=local)
    assert own == pytest.approx(captums(net, x, values, squares, local=local), rel=1e-5)
    assert opposite == pytest.approx(captums(net, x, -values, squares, local=local), rel=1e-5)
    nothing = captums(net, x, torch.zeros_like(values), squares, local=local)
    assert zero == pytest.approx(nothing, rel=1e-5)


def test_a_pixels_value_is_shared_by_its_channels(case):
    net, x, squares = case
    values = Saliency(net).attribute(x.clone().requires_grad_(), target=2)[0].sum(0, keepdim=True)
    whole = (values / 3).expand(3, -1, -1)
    a = infidelity_parts(net, x, values, squares, 2, local=False)
    assert a == pytest.approx(infidelity_parts(net, x, whole, squares, 2, local=False))


def test_a_linear_nets_own_map_tells_every_change():
    torch.manual_seed(1)
    net, x = Linear(torch.randn(1, 8, 8).tolist()), torch.randn(1, 1, 8, 8)
    squares = random_squares(8, 20, 0)
    gradient, product = net.weights, x[0] * net.weights
    for values, local in ((gradient, True), (product, False)):
        own, zero, _opposite = infidelity_parts(net, x, values, squares, 0, local=local)
        falls = [product[s].sum().item() ** 2 for s in squares]
        assert own == pytest.approx(0, abs=1e-9)
        assert zero == pytest.approx(np.mean(falls), rel=1e-5)
