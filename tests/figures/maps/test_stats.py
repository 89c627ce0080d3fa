import numpy as np
import pytest

from resnet_viz.figures.maps.stats import (
    dead_channels,
    map_statistics,
    maps_caption,
    strip_caption,
    strip_legend,
)
from tests.figures.maps.making import strongest


def test_statistics_of_a_map():
    values = np.array([[0.0, 0.0], [1.0, -3.0]])
    found = map_statistics(values)
    assert (found.mean, found.minimum, found.maximum) == (-0.5, -3, 1)
    assert found.std == pytest.approx(np.std([0, 0, 1, -3]))
    assert (found.zeros, found.positive, found.not_finite) == (0.5, 0.25, 0)
    assert dict(found.rows()) == {
        "mean": "−0.5",
        "standard deviation": "1.5",
        "minimum": "−3",
        "maximum": "1",
        "exactly zero": "50 %",
        "positive": "25 %",
    }


def test_what_is_not_finite_is_counted_and_left_out():
    found = map_statistics(np.array([1.0, np.inf, np.nan, 3.0]))
    assert (found.mean, found.maximum, found.not_finite) == (2, 3, 0.5)
    assert found.rows()[-1] == ("not finite", "50 %")
    nothing = map_statistics(np.array([np.nan]))
    assert np.isnan(nothing.mean)
    assert nothing.rows()[0] == ("mean", "none")


def test_the_caption_counts_zeros_dead_channels_and_how_few_hold_half():
    maps = np.zeros((10, 4, 4))
    maps[0] = 8
    maps[1:9, 0, 0] = 1
    assert dead_channels(maps) == 1
    caption = maps_caption(maps)
    assert "85 % of all values at this point are exactly zero" in caption
    assert "1 of 10 channels are zero everywhere" in caption
    assert "The strongest of 10 channels alone holds half" in caption
    even = maps_caption(np.ones((10, 4, 4)))
    assert "100 % of all values at this point are positive" in even
    assert "The 5 strongest of 10 channels hold half" in even
    assert "zero everywhere" not in even


def test_a_share_is_called_all_or_nothing_only_where_it_is():
    maps = np.ones((1, 100, 100))
    maps[0, 0, 0] = 0
    assert "less than 0.1 %" in maps_caption(maps)
    assert "more than 99.9 %" in maps_caption(1 - maps)


def test_the_strip_says_how_resolution_falls_and_sparsity_changes():
    first, last = np.ones((4, 8, 8)), np.ones((6, 2, 2))
    last[:, 0] = 0
    last[5] = 0
    caption = strip_caption(
        [strongest("stem.relu", first), strongest("stage1.block1", last, count=2)]
    )
    assert "From stem to stage 1: 4 channels of 8×8 become 6 channels of 2×2." in caption
    assert "0 % are exactly zero at stem, 50 % at stage 1" in caption
    assert "1 of 6 at stage 1" in caption
    assert strip_caption([strongest("stem.relu", first)]) == ""


def test_the_strip_s_legend_names_the_scales_that_are_drawn():
    positive = [strongest("stem.relu", np.ones((4, 8, 8)))]
    assert "red" not in strip_legend(positive)
    negative = [*positive, strongest("stage1.block1", -np.ones((4, 8, 8)))]
    assert "blue negative" in strip_legend(negative)
    assert "99th percentile" in strip_legend(positive)
