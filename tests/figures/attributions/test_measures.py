import math

import numpy as np
import pytest
import torch
from captum.metrics import sensitivity_max
from scipy.stats import spearmanr

from resnet_viz.figures.attributions.measures import (
    rank_correlation,
    relative_change,
    share_inside,
    strongest_inside,
)

MASK = np.array([[True, False], [False, False]])


def test_rank_correlation_is_spearmans_of_absolute_values_with_ties():
    rng = np.random.default_rng(0)
    a = rng.integers(-4, 5, (3, 12, 12)).astype(np.float32)
    b = (a + rng.normal(0, 3, a.shape)).astype(np.float32)
    expected = spearmanr(np.abs(a).sum(0).ravel(), np.abs(b).sum(0).ravel()).statistic
    assert rank_correlation(a, b) == pytest.approx(expected, abs=1e-12)
    assert rank_correlation(a, -2 * a) == pytest.approx(1)


def test_rank_correlation_of_opposite_orders_and_of_a_flat_map():
    rising = np.arange(1.0, 10).reshape(1, 3, 3)
    assert rank_correlation(rising, 10 - rising) == pytest.approx(-1)
    assert math.isnan(rank_correlation(rising, np.ones_like(rising)))


def test_relative_change_is_captums_sensitivity():
    torch.manual_seed(0)
    maps = torch.randn(5, 3, 4, 4)
    explained = iter([(maps[:1],), (maps[1:],)])
    captums = sensitivity_max(
        lambda _inputs: next(explained), maps[:1], lambda x: x, n_perturb_samples=4
    )
    changes = [relative_change(maps[0].numpy(), other.numpy()) for other in maps[1:]]
    assert max(changes) == pytest.approx(captums.item(), rel=1e-5)


def test_the_change_of_a_map_of_zeros_is_not_divided():
    assert relative_change(np.zeros((1, 2, 2)), np.full((1, 2, 2), 3.0)) == pytest.approx(6)


def test_share_inside_by_hand():
    values = np.array([[[3, -1], [0, 0]], [[-3, 1], [2, 0]]], np.float32)
    assert share_inside(values, MASK) == pytest.approx(6 / 10)
    assert share_inside(values, ~MASK) == pytest.approx(4 / 10)
    assert math.isnan(share_inside(np.zeros((1, 2, 2), np.float32), MASK))


def test_the_pointing_game_by_hand():
    signed = np.array([[[3, -9], [0, 0]]], np.float32)  # what speaks against does not count
    assert strongest_inside(signed, MASK)
    assert not strongest_inside(-signed, MASK)
    assert not strongest_inside(np.ones((3, 2, 2), np.float32), np.ones((2, 2), bool))
