import numpy as np
import pytest

from resnet_viz.figures.maps.scales import Limits, coloured, limits_of
from resnet_viz.figures.maps.sprites import (
    LEAST_CELL_PIXELS,
    enlarged,
    filter_sheet,
    map_sheet,
    strongest_first,
)
from tests.figures.maps.making import cells, pixels

RNG = np.random.default_rng(4)


def maps(channels=6, side=8, *, relu=True):
    values = RNG.normal(size=(channels, side, side)).astype(np.float32)
    return np.maximum(values, 0) if relu else values


@pytest.mark.parametrize("relu", [True, False])
def test_every_cell_is_its_map_pixel_by_pixel(relu):
    values = maps(relu=relu)
    sheet = map_sheet(values, order="index")
    times = sheet.cell_pixels // 8
    limits = limits_of(values)
    for cell, one in zip(cells(sheet), values, strict=True):
        expected = coloured(one, limits).repeat(times, 0).repeat(times, 1)
        assert (cell[..., :3] == expected).all()
        assert (cell[..., 3] == 255).all()
    assert sheet.limits == (limits,)
    assert sheet.shared


@pytest.mark.parametrize("side", [1, 2, 4, 7, 8, 14, 16, 20, 28, 32, 56])
@pytest.mark.parametrize("channels", [3, 64])
def test_small_maps_are_enlarged_a_whole_number_of_times_and_can_be_seen(side, channels):
    sheet = map_sheet(maps(channels, side))
    assert sheet.cell_pixels % side == 0
    assert LEAST_CELL_PIXELS <= sheet.cell_pixels < 2 * 96


def test_large_maps_are_averages_of_values():
    values = maps(40, 112)
    sheet = map_sheet(values, order="index")
    assert sheet.cell_pixels == 56
    means = values.reshape(40, 56, 2, 56, 2).mean((2, 4))
    expected = coloured(means, limits_of(values)).astype(int)
    assert np.abs(cells(sheet)[..., :3].astype(int) - expected).max() <= 3  # a step of the table


def test_gaps_and_missing_cells_are_transparent():
    sheet = map_sheet(maps(5), columns=3)
    picture = pixels(sheet.png)
    assert picture.shape[1::-1] == sheet.size
    assert (sheet.columns, sheet.rows, sheet.count) == (3, 2, 5)
    step = sheet.cell_pixels + sheet.gap_pixels
    assert (picture[:, sheet.cell_pixels : step, 3] == 0).all()
    assert (picture[sheet.cell_pixels : step, :, 3] == 0).all()
    assert (picture[step:, 2 * step :, 3] == 0).all()
    assert (picture[..., 3] == 255).sum() == 5 * sheet.cell_pixels**2


def test_channels_come_by_strength_by_index_or_as_told():
    values = np.stack([np.full((4, 4), v) for v in (1.0, -3.0, 0.0, 2.0)])
    assert map_sheet(values).order == (1, 3, 0, 2)
    assert map_sheet(values, order="index").order == (0, 1, 2, 3)
    told = map_sheet(values, order=[2, 1])
    assert told.order == (2, 1)
    assert told.labels == ("channel 2 · zero everywhere", "channel 1 · mean −3")
    assert (cells(told)[1] == cells(map_sheet(values))[0]).all()


@pytest.mark.parametrize("order", ["size", [], [4], [-1]])
def test_an_order_that_cannot_be_is_refused(order):
    with pytest.raises(ValueError, match="numbers of channels"):
        map_sheet(maps(4), order=order)


def test_own_scales_show_weak_maps_as_strongly():
    values = maps(2)
    values[1] = values[0] / 1000
    shared, own = map_sheet(values, order="index"), map_sheet(values, order="index", shared=False)
    assert not (cells(shared)[0] == cells(shared)[1]).all()
    assert (cells(own)[0] == cells(own)[1]).all()
    assert [limits.high for limits in own.limits] == pytest.approx(
        [limits_of(values[0]).high, limits_of(values[0]).high / 1000]
    )


def test_own_scales_of_one_sheet_are_all_of_one_kind():
    values = np.stack([np.full((2, 2), 1.0), np.full((2, 2), -1.0)])
    assert all(limits.signed for limits in map_sheet(values, shared=False).limits)


def test_limits_may_come_from_elsewhere():
    values = maps(2)
    limits = Limits(100.0, True)
    assert (cells(map_sheet(values, order="index", limits=limits))[0, 0, 0, :3] > 235).all()


def test_no_number_is_a_hole_and_comes_last():
    values = maps(3, 4)
    values[0, 1, 2] = np.nan
    assert strongest_first(values)[-1] == 0
    cell = cells(map_sheet(values, order="index"))[0]
    times = len(cell) // 4
    holes = cell[::times, ::times, 3] == 0
    assert np.argwhere(holes).tolist() == [[1, 2]]


@pytest.mark.parametrize("shape", [(3, 4), (0, 4, 4), (3, 0, 0), (3, 4, 5)])
def test_what_is_no_stack_of_square_maps_is_refused(shape):
    with pytest.raises(ValueError, match="channels, side, side"):
        map_sheet(np.zeros(shape))


@pytest.mark.parametrize(("channels", "side"), [(2048, 7), (256, 56), (64, 112)])
def test_a_sheet_stays_under_a_megabyte_even_of_noise(channels, side):
    assert len(map_sheet(maps(channels, side, relu=False)).png) < 1_000_000


def test_filters_are_drawn_in_the_colours_that_they_look_for():
    filters = np.zeros((2, 3, 3, 3), np.float32)
    filters[0, 0, 1, 1] = 0.5  # red in the middle
    filters[1, :, 0, 2] = -0.5  # black in a corner
    sheet = filter_sheet(filters)
    first, second = cells(sheet)
    third = sheet.cell_pixels // 3
    assert first[third, third].tolist() == [255, 128, 128, 255]
    assert first[0, 0].tolist() == [128, 128, 128, 255]
    assert second[0, -1].tolist() == [0, 0, 0, 255]
    assert filter_sheet(filters, order=[1]).order == (1,)


def test_a_filter_on_grey_images_is_grey():
    cell = cells(filter_sheet(RNG.normal(size=(1, 1, 3, 3))))[0]
    assert (cell[..., 0] == cell[..., 1]).all()
    assert (cell[..., 1] == cell[..., 2]).all()


def test_filters_on_maps_are_no_picture():
    with pytest.raises(ValueError, match="look at an image"):
        filter_sheet(np.zeros((4, 16, 3, 3)))


def test_enlarging_repeats_pixels():
    image = RNG.integers(0, 256, (4, 4, 3), np.uint8)
    assert (enlarged(image, 12) == image.repeat(3, 0).repeat(3, 1)).all()
    uneven = enlarged(image, 7)
    assert uneven.shape == (7, 7, 3)
    assert (uneven[0, 0] == image[0, 0]).all()
    assert (uneven[-1, -1] == image[-1, -1]).all()
