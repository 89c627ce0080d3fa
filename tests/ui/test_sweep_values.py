"""Widget values and sweeps are the same thing said twice."""

import pytest

from resnet_viz.specs import SpecError
from resnet_viz.sweeps import PRESETS
from resnet_viz.ui.sweep_values import parse_rates, spec_of, spread_depths, values_of
from resnet_viz.ui.words import duration, quantity, size


@pytest.mark.parametrize("name", PRESETS)
def test_values_and_sweep_round_trip(name):
    assert spec_of(values_of(PRESETS[name])) == PRESETS[name]


@pytest.mark.parametrize("alike", ["growth_rate", "parameters", "multiply_adds"])
def test_dense_nets_as_large_as_others_round_trip(alike):
    values = {**values_of(PRESETS["quick"]), "families": ["resnet", "densenet"], "alike": alike}
    sweep = spec_of(values)
    assert len(sweep.growth_rates) == (1 if alike == "growth_rate" else len(sweep.depths))
    assert values_of(sweep)["alike"] == alike


def test_flip_is_dropped_for_digits_and_zero_gamma_without_norm():
    values = values_of(PRESETS["quick"])
    assert not spec_of({**values, "flip": True}).data.flip
    assert not spec_of({**values, "zero_gamma": True, "norm": "none"}).zero_gamma


@pytest.mark.parametrize("text", ["", "abc", "0.1;0.2", "1e", ","])
def test_a_rate_that_is_no_number_is_refused(text):
    with pytest.raises(SpecError, match=r"0\.1"):
        parse_rates(text)


def test_an_empty_number_is_named():
    with pytest.raises(SpecError, match="steps is empty"):
        spec_of({**values_of(PRESETS["quick"]), "steps": None})


def test_depths_are_spread_from_the_shallowest_to_the_deepest():
    assert spread_depths(56, "basic") == ["8", "26", "38", "56"]
    assert spread_depths(8, "basic") == ["8"]
    assert spread_depths(110, "bottleneck")[-1] == "110"


def test_numbers_read_well():
    assert [duration(s) for s in (40, 720, 12600, 260000)] == [
        "40 s",
        "12 min",
        "3.5 h",
        "3.0 days",
    ]
    assert [size(n) for n in (2500, 12e6, 1.23e9)] == ["2 kB", "12.0 MB", "1.2 GB"]
    assert [quantity(n) for n in (840_000, 12_000, 7)] == ["0.84 M", "12 k", "7"]
