import numpy as np
import pytest

from resnet_viz.figures.attributions.overlay import (
    VIEWS,
    attribution_limits,
    attribution_png,
    comparison_png,
    pixel_values,
    view_name,
)
from resnet_viz.figures.maps.pictures import Picture
from resnet_viz.figures.maps.scales import Limits, coloured, table
from tests.figures.maps.making import pixels

RNG = np.random.default_rng(7)
IMAGE = RNG.integers(0, 256, (8, 8, 3), np.uint8)
VALUES = RNG.normal(size=(3, 8, 8)).astype(np.float32)


def drawn(values, limits, view, **options):
    return pixels(attribution_png(values, IMAGE, limits, view=view, least_pixels=8, **options))


def test_channels_are_summed():
    assert pixel_values(VALUES) == pytest.approx(VALUES[0] + VALUES[1] + VALUES[2])


def test_limits_are_of_the_sums_and_shared_over_what_is_compared():
    sums = np.abs([VALUES.sum(0), 10 * VALUES.sum(0)])
    one = attribution_limits([VALUES], signed=True)
    assert (one.signed, one.percentile) == (True, 99)
    assert one.high == pytest.approx(np.percentile(sums[0], 99))
    both = attribution_limits([VALUES, 10 * VALUES], signed=True, percentile=50)
    assert both.high == pytest.approx(np.percentile(sums, 50))
    assert not attribution_limits([np.abs(VALUES)], signed=False).signed


def test_alone_it_is_a_heat_map():
    limits = attribution_limits([VALUES], signed=True)
    found = drawn(VALUES, limits, "heat")[..., :3]
    assert (found == coloured(VALUES.sum(0, dtype=float), limits)).all()


def test_over_the_image_opacity_decides_how_much_it_covers():
    values = np.zeros((1, 8, 8))
    values[0, 0, 0] = 1
    limits = Limits(1.0, True)
    assert (drawn(values, limits, "over", opacity=1.0)[0, 0, :3] == table(True)[255]).all()
    clear = drawn(values, limits, "over", opacity=0.0)[..., :3]
    assert (clear[..., 0] == clear[..., 1]).all()  # the greyed image
    assert (drawn(values, limits, "over")[1:, :, :3] == clear[1:]).all()


def test_a_mask_shows_what_speaks_for_the_class():
    values = np.zeros((1, 8, 8))
    values[0, 0], values[0, 1] = 1, -1
    found = drawn(values, Limits(1.0, True), "mask")[..., :3]
    assert (found[0] == IMAGE[0]).all()
    assert (found[1:] == 128).all()


def test_every_view_has_a_name_and_another_is_refused():
    assert len({view_name(view) for view in VIEWS}) == 3
    with pytest.raises(ValueError, match="use one of"):
        attribution_png(VALUES, IMAGE, Limits(1.0, True), view="glow")


def test_a_comparison_is_a_table_with_titles():
    cell = Picture(attribution_png(VALUES, IMAGE, Limits(1.0, True)), "", "delta 0.01", "")
    bare = pixels(comparison_png([[cell, None], [cell, cell]], [], []))
    titled = pixels(comparison_png([[cell, None], [cell, cell]], ["a", "b"], ["plain", "resnet"]))
    assert titled.shape[0] > bare.shape[0] > 640
    assert titled.shape[1] == bare.shape[1] > 416
