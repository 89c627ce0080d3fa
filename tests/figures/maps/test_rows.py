import numpy as np
import pytest

from resnet_viz.figures.maps.rows import (
    block_limits,
    block_pictures,
    block_row,
    depth_strip,
    place_title,
)
from resnet_viz.figures.maps.scales import coloured, limits_of
from resnet_viz.inside import BlockMaps
from tests.figures.maps.making import pixels, strongest

RNG = np.random.default_rng(6)


def maps(channels, side):
    return RNG.normal(size=(channels, side, side)).astype(np.float32)


def block(x=None, shortcut=None):
    x = maps(4, 8) if x is None else x
    shortcut = x if shortcut is None else shortcut
    branch = maps(*shortcut.shape[:2])
    return BlockMaps("stage1.block2", x, shortcut, branch, shortcut + branch)


def test_the_strip_shows_every_place_equally_large_so_that_pixels_grow():
    strip = [strongest("stem.relu", maps(8, 32)), strongest("stage3.block3", maps(64, 8))]
    first, last = depth_strip(strip, count=2, columns=2)
    assert pixels(first.png).shape == pixels(last.png).shape
    assert (first.title, first.caption) == ("stem", "8 maps of 32×32")
    assert (last.title, last.caption) == ("stage 3", "64 maps of 8×8")
    channels = strip[1].channels[:2]
    assert f"channels {channels[0]}, {channels[1]}" in last.alt
    top = pixels(last.png)[:96:12, :96:12, :3]
    assert (top == coloured(strip[1].maps[0], limits_of(strip[1].maps[:2]))).all()


def test_a_strip_has_no_more_maps_than_there_are():
    (picture,) = depth_strip([strongest("stem.conv", maps(1, 4))], count=6, columns=2)
    assert picture.caption == "1 map of 4×4"
    assert pixels(picture.png).shape[:2] == (96, 96)


def test_places_are_named():
    assert place_title("stem.pool") == "stem"
    assert place_title("stage2.block3") == "stage 2"


def test_an_identity_block_shows_x_branch_and_sum_of_the_same_channels_in_one_scale():
    found = block()
    pictures = block_pictures(found)
    titles = [p.title for p in pictures]
    assert titles == ["x, by the identity shortcut", "F(x), residual branch", "x + F(x)"]
    assert len({p.alt.split("channels")[1] for p in pictures}) == 1
    limits = block_limits(found)
    assert limits.signed
    row = block_row(found, 2)
    for picture, values in zip(row, (found.x, found.branch, found.total), strict=True):
        small = pixels(picture.png)[::24, ::24, :3]
        assert (small == coloured(values[2], limits)).all()
        assert picture.caption == f"norm {np.linalg.norm(values[2]):.3g}"


def test_a_block_that_changes_shape_shows_its_input_apart():
    found = block(x=maps(2, 16), shortcut=maps(4, 8))
    pictures = block_pictures(found, count=3)
    assert [p.title for p in pictures] == [
        *("x, input", "shortcut of x", "F(x), residual branch", "sum")
    ]
    assert pictures[0].caption.endswith("2 maps of 16×16")
    assert [p.title for p in block_row(found, 3)] == [p.title for p in pictures[1:]]


def test_a_channel_that_is_not_there_is_refused():
    for channel in (-1, 4):
        with pytest.raises(ValueError, match="the block has 4"):
            block_row(block(), channel)
