import io

import numpy as np
import pytest
from PIL import Image

from resnet_viz.figures.maps.compose import composed
from resnet_viz.figures.maps.pictures import (
    Picture,
    blended,
    image_png,
    map_png,
    masked,
    overlay_png,
)
from resnet_viz.figures.maps.scales import Limits, coloured, limits_of, table
from tests.figures.maps.making import pixels

RNG = np.random.default_rng(5)
IMAGE = RNG.integers(0, 256, (8, 8, 3), np.uint8)
LUMA = np.asarray(Image.fromarray(IMAGE).convert("L"))
POSITIVE, SIGNED = Limits(1.0, False), Limits(1.0, True)


def test_an_image_keeps_its_pixels_as_blocks():
    picture = pixels(image_png(IMAGE, least_pixels=20))
    assert (picture[..., :3] == IMAGE.repeat(3, 0).repeat(3, 1)).all()


def test_an_image_that_is_large_enough_stays_as_it_is():
    assert pixels(image_png(IMAGE, least_pixels=8)).shape[:2] == (8, 8)


def test_a_map_is_drawn_in_its_own_limits_or_in_given_ones():
    values = RNG.random((4, 4))
    own = pixels(map_png(values, least_pixels=8))[::2, ::2, :3]
    assert (own == coloured(values, limits_of(values))).all()
    given = pixels(map_png(values, limits=SIGNED, least_pixels=8))[::2, ::2, :3]
    assert (given == coloured(values, SIGNED)).all()


def test_nothing_covers_where_a_map_is_zero_and_all_where_it_is_strongest():
    values = np.zeros((8, 8))
    values[0, 0] = 1
    found = blended(values, IMAGE, POSITIVE, 1.0)
    assert (found[0, 0] == table(False)[255]).all()
    assert (found[1:] == LUMA[1:, :, None]).all()
    half = blended(values, IMAGE, POSITIVE, 0.5)[0, 0].astype(float)
    assert half == pytest.approx((table(False)[255] + float(LUMA[0, 0])) / 2, abs=0.51)


def test_under_both_signs_the_image_is_pale_and_no_number_covers_nothing():
    values = np.full((8, 8), np.nan)
    found = blended(values, IMAGE, SIGNED, 1.0)
    assert found.min() >= 112
    assert (np.diff(found[..., 0].ravel()[np.argsort(LUMA.ravel())].astype(int)) >= 0).all()


def test_a_coarse_map_covers_its_blocks_of_the_image():
    values = np.array([[1.0, 0.0], [0.0, 0.0]])
    found = blended(values, IMAGE, POSITIVE, 1.0)
    assert (found[:4, :4] == table(False)[255]).all()
    assert (found[4:] == LUMA[4:, :, None]).all()
    assert pixels(overlay_png(values, IMAGE, least_pixels=16)).shape == (16, 16, 4)


def test_a_mask_shows_the_image_where_the_map_speaks_for_it():
    values = np.zeros((8, 8))
    values[0], values[1] = 1, -1
    found = masked(values, IMAGE, SIGNED)
    assert (found[0] == IMAGE[0]).all()
    assert (found[1:] == 128).all()


def framed(width, height, shade, **texts):
    file = io.BytesIO()
    Image.new("RGB", (width, height), shade).save(file, "PNG")
    return Picture(file.getvalue(), texts.get("title", ""), texts.get("caption", ""), "")


def boxes(png, shade):
    """Left, top, right, bottom of where a colour is."""
    at = np.argwhere((pixels(png)[..., :3] == shade).all(-1))
    (top, left), (bottom, right) = at.min(0), at.max(0)
    return left, top, right + 1, bottom + 1


def test_composed_pictures_stand_in_their_columns_and_rows():
    red, blue, green = (255, 0, 0), (0, 0, 255), (0, 255, 0)
    rows = [[framed(100, 50, red), framed(120, 60, blue)], [None, framed(110, 40, green)]]
    whole = composed(rows, title="what is shown", row_titles=["a", "b"], column_titles=["c", "d"])
    r, b, g = (boxes(whole, shade) for shade in (red, blue, green))
    assert (r[2] - r[0], r[3] - r[1]) == (100, 50)
    assert r[1] == b[1]  # one row
    assert b[0] == g[0]  # one column
    assert b[0] >= r[2]
    assert g[1] >= b[3]


def test_a_text_takes_room_only_where_there_is_one():
    def height(**texts):
        return pixels(composed([[framed(100, 50, (1, 2, 3), **texts)]])).shape[0]

    bare = height()
    assert bare < height(title="title") == height(caption="caption")
    long = "many words that do not fit into one line of a hundred pixels"
    assert height(caption=long) > height(caption="caption")
    assert height(title="‖F(x)‖ × −1") == height(title="title")


def test_nothing_to_compose_is_refused():
    for rows in ([], [[]], [[None]]):
        with pytest.raises(ValueError, match="no picture"):
            composed(rows)
