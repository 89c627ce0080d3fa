import math

import pytest

from resnet_viz.figures.spread import (
    by_net,
    net_labels,
    number_text,
    signed,
    spread,
    spread_text,
    spreads,
)
from resnet_viz.specs import NetSpec
from tests.figures.making_signals import signal


def test_the_mean_is_geometric():
    found = spread([1.0, 100.0])
    assert found.mean == pytest.approx(10)
    assert (found.low, found.high, found.n, found.zeros, found.overflows) == (1, 100, 2, 0, 0)


def test_zero_and_overflow_are_counted_and_not_averaged():
    found = spread([0.0, 4.0, math.inf, math.nan])
    assert found.mean == pytest.approx(4)
    assert (found.n, found.zeros, found.overflows) == (1, 1, 2)
    assert spread([0.0]).mean is None


def test_places_of_unequal_vectors_are_not_mixed():
    assert [s.n for s in spreads([(1.0, 2.0), (3.0, 4.0)])] == [2, 2]
    with pytest.raises(ValueError, match="zip"):
        spreads([(1.0, 2.0), (3.0,)])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (1.2149, "1.21"),
        (171.4, "171"),
        (999.6, "1,000"),
        (12345.0, "12,300"),
        (0.0123, "0.0123"),
        (1.234e7, "1.23·10⁷"),
        (9.9e-17, "9.90·10⁻¹⁷"),
        (-2.5, "−2.5"),
        (math.inf, "overflow"),
        (math.nan, "overflow"),
    ],
)
def test_numbers_have_three_digits(value, text):
    assert number_text(value) == text


def test_a_cosine_of_nearly_zero_has_no_sign():
    assert [signed(v) for v in (-0.001, -0.04, 1.0)] == ["0.00", "−0.04", "1.00"]


def test_a_spread_says_what_of_it_is_no_number():
    assert spread_text(spread([2.0])) == "2"
    assert spread_text(spread([1.0, 4.0])) == "2 (1 to 4, 2 seeds)"
    assert spread_text(spread([0.0, 0.0])) == "exactly zero"
    assert spread_text(spread([math.inf])) == "overflow"
    assert spread_text(spread([2.0, 0.0])) == "2, exactly zero in 1 of 2 seeds"
    assert spread_text(spread([math.nan]), "not defined") == "not defined"


def test_seeds_of_a_net_come_together_and_nets_keep_their_order():
    signals = [signal("resnet"), signal("plain"), signal("resnet", seed=1)]
    assert [(g.label, len(g.signals)) for g in by_net(signals)] == [("resnet-8", 2), ("plain-8", 1)]


def test_nets_of_one_name_are_told_apart():
    nets = [NetSpec("resnet", 8), NetSpec("resnet", 8, init="zero_gamma")]
    assert list(net_labels(nets).values()) == ["resnet-8 (init he)", "resnet-8 (init zero_gamma)"]


def test_a_plain_net_says_nothing_of_shortcuts():
    nets = [NetSpec("plain", 8), NetSpec("resnet", 8), NetSpec("resnet", 8, shortcut="B")]
    labels = ["plain-8", "resnet-8 (shortcut A)", "resnet-8 (shortcut B)"]
    assert list(net_labels(nets).values()) == labels
