import numpy as np
import pytest
from skimage.color import rgb2lab

from resnet_viz.figures.maps.scales import (
    NOTHING,
    Limits,
    coloured,
    indices,
    legend_png,
    legend_values,
    limits_of,
    palette_png,
    table,
)
from tests.figures.maps.making import pixels


def lightness(colours):
    return rgb2lab(colours[None].astype(float) / 255)[0, :, 0]


def steps(colours):
    """Distances between neighbours as an eye sees them, over 16 colours at a time."""
    lab = rgb2lab(colours[None].astype(float) / 255)[0][::16]
    return np.linalg.norm(np.diff(lab, axis=0), axis=1)


def test_the_sequential_scale_only_grows_lighter_in_even_steps():
    colours = table(signed=False)[1:]
    assert (np.diff(lightness(colours)[::4]) > 0).all()
    assert steps(colours).max() < 2 * steps(colours).min()


def test_the_diverging_scale_is_neutral_at_zero_and_equally_dark_at_both_ends():
    colours = table(signed=True)[1:]
    red, green, blue = (int(c) for c in colours[127])
    assert red == green == blue > 235
    light = lightness(colours)
    assert (np.diff(light[:128:4]) > 0).all()
    assert (np.diff(light[127::4]) < 0).all()
    assert np.abs(light - light[::-1]).max() < 4
    assert colours[0][2] > colours[0][0]  # blue below
    assert colours[-1][0] > colours[-1][2]  # red above
    assert steps(colours).max() < 2 * steps(colours).min()


@pytest.mark.parametrize("page", ["#ffffff", "#12161c"])
def test_the_strong_end_of_the_sequential_scale_and_its_zero_differ_from_both_pages(page):
    background = np.array([[int(page[i : i + 2], 16) for i in (1, 3, 5)]], float)
    lab = rgb2lab(background[None] / 255)[0, 0]
    for colour in (table(False)[1], table(False)[255]):
        assert np.linalg.norm(rgb2lab(colour[None, None] / 255)[0, 0] - lab) > 20


def test_a_value_has_the_colour_of_its_share_of_the_limit():
    values = np.array([-9.0, -2.0, -1.0, 0.0, 1.0, 2.0, 9.0])
    assert indices(values, Limits(2.0, True)).tolist() == [1, 1, 64, 128, 192, 255, 255]
    assert indices(values, Limits(2.0, False)).tolist() == [1, 1, 1, 1, 128, 255, 255]
    assert (coloured(values, Limits(2.0, True))[3] == table(True)[128]).all()


@pytest.mark.parametrize("signed", [True, False])
def test_what_is_not_finite_is_nothing_or_the_end(signed):
    values = np.array([np.nan, np.inf, -np.inf])
    low = 1
    for limits in (Limits(1.0, signed), Limits(0.0, signed)):
        assert indices(values, limits).tolist() == [NOTHING, 255, low]
    picture = pixels(palette_png(indices(values[None], Limits(1.0, signed)), signed=signed))
    assert picture[0, :, 3].tolist() == [0, 255, 255]


@pytest.mark.parametrize("signed", [True, False])
def test_a_map_of_nothing_but_zero_has_the_colour_of_zero(signed):
    limits = limits_of(np.zeros((3, 4, 4)), signed=signed)
    assert limits.high == 0
    assert "zero" in limits.text
    assert set(indices(np.zeros((4, 4)), limits).ravel()) == {128 if signed else 1}


def test_limits_are_the_percentile_of_the_sizes_that_are_not_zero():
    values = np.concatenate([np.zeros(10_000), np.arange(1, 101), [np.nan, np.inf]])
    limits = limits_of(values, percentile=90)
    assert not limits.signed
    assert limits.high == pytest.approx(np.percentile(np.arange(1, 101), 90))
    assert limits.low == 0
    assert "90th percentile" in limits.text
    signed = limits_of(-values, percentile=100)
    assert signed.signed
    assert (signed.low, signed.high) == (-100, 100)
    assert "percentile" not in signed.text
    assert limits_of(np.full(5, np.nan)).high == 0


def test_one_outlier_does_not_blacken_the_rest():
    values = np.ones(1000)
    values[0] = 1e6
    assert limits_of(values).high == 1
    assert limits_of(values, percentile=100).high == 1e6


def test_a_sign_can_be_left_out():
    assert limits_of(np.array([-5.0, 1.0]), signed=False, percentile=100).high == 1


@pytest.mark.parametrize("signed", [True, False])
def test_the_legend_runs_from_end_to_end(signed):
    limits = Limits(2.0, signed)
    bar = pixels(legend_png(limits, width=255, height=3))
    assert bar.shape == (3, 255, 4)
    assert (bar[1, :, :3] == table(signed)[1:]).all()
    assert legend_values(limits) == (["−2", "0", "2"] if signed else ["0", "1", "2"])
