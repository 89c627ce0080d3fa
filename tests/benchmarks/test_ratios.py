"""What the benchmark makes of its rounds: quartiles, ratios, warm-up counted in, intervals."""

import pytest

from benchmarks.ratios import Paired, Spread, ratios, with_warm_up


def test_quartiles_are_interpolated_between_the_sorted_values():
    spread = Spread.of([5.0, 1.0, 4.0, 2.0, 3.0])
    assert (spread.low, spread.median, spread.high, spread.count) == (2.0, 3.0, 4.0, 5)
    assert Spread.of([1.0, 2.0, 3.0, 4.0]).low == pytest.approx(1.75)
    assert Spread.of([7.0]) == Spread(7.0, 7.0, 7.0, 1)


def test_a_ratio_is_of_one_round_and_an_unfinished_round_has_none():
    assert ratios([4.0, 9.0, 5.0], [2.0, 3.0]) == [2.0, 3.0]


def test_warm_up_is_paid_once():
    assert with_warm_up(10.0, [0.1, 0.2, 0.9], 300) == pytest.approx(70.0)


def test_paired_interval_by_hand():
    # Differences 1, 2, 3: mean 2, deviation 1, t(0.975; 2) = 4.3027 of a table.
    paired = Paired.of([0.0, 0.0, 0.0], [1.0, 2.0, 3.0])
    assert paired.mean == pytest.approx(2.0)
    assert paired.high - paired.mean == pytest.approx(4.3027 / 3**0.5, rel=1e-4)
    assert paired.mean - paired.low == pytest.approx(4.3027 / 3**0.5, rel=1e-4)
    with pytest.raises(ValueError, match="two pairs"):
        Paired.of([1.0], [2.0])
