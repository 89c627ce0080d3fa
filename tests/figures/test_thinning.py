import random

import pytest

from resnet_viz.figures.thinning import MAX_POINTS, thinned


def curve(count, seed=0):
    random_ = random.Random(seed)
    return list(range(1, count + 1)), [random_.random() for _ in range(count)]


@pytest.mark.parametrize("count", [0, 1, 2, 1999, 2000])
def test_a_short_curve_is_kept_whole(count):
    x, y = curve(count)
    assert thinned(x, y) == (x, y)


@pytest.mark.parametrize("count", [2001, 2048, 4097, 63_999, 64_000])
def test_a_long_curve_keeps_its_ends_its_extremes_and_the_limit(count):
    x, y = curve(count)
    kept_x, kept_y = thinned(x, y)
    assert len(kept_x) == len(kept_y) <= MAX_POINTS
    assert (kept_x[0], kept_x[-1]) == (x[0], x[-1])
    assert (min(kept_y), max(kept_y)) == (min(y), max(y))
    assert kept_x == sorted(set(kept_x))
    measured = dict(zip(x, y, strict=True))
    assert all(measured[s] == v for s, v in zip(kept_x, kept_y, strict=True))


def test_a_spike_of_one_step_is_seen():
    x, y = list(range(50_000)), [0.1] * 50_000
    y[31_337] = 0.9
    kept_x, kept_y = thinned(x, y)
    assert kept_y[kept_x.index(31_337)] == 0.9


def test_a_growing_curve_keeps_what_it_had_but_for_its_end():
    x, y = curve(40_000)
    before, after = (thinned(x[:n], y[:n])[0] for n in (36_000, 36_010))
    same = next(i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b)
    assert same >= len(before) - 3


@pytest.mark.parametrize("limit", [4, 10, 101])
def test_any_limit_holds(limit):
    x, y = curve(5000)
    assert len(thinned(x, y, limit)[0]) <= limit
