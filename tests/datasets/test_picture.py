"""Every kind and mode of picture becomes the RGB that numpy says it should be."""

import base64
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from resnet_viz.datasets import picture_file
from resnet_viz.datasets.errors import PictureError
from resnet_viz.datasets.picture import (
    Picture,
    Square,
    centre_square,
    cut,
    cut_for,
    open_picture,
    picture_text,
    png_bytes,
)

HEIGHT, WIDTH = 12, 20
LOSSY = {"JPEG": 12, "WEBP": 12}  # grey levels, on a smooth picture


def smooth(channels=3, height=HEIGHT, width=WIDTH):
    """uint8 (height, width, channels): ramps in several directions."""
    y, x = np.mgrid[0:height, 0:width]
    ramps = [x / width, y / height, (x + y) / (width + height), 1 - x / width]
    return np.rint(20 + 200 * np.stack(ramps[:channels], -1)).astype(np.uint8)


def file_of(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def opened(image, kind="PNG", **options):
    return open_picture(file_of(image, kind, **options), f"x.{kind.lower()}")


def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png(values, colour_type):
    """A PNG of 16 bits, which Pillow does not write but for grey. `values`: (H, W, channels)."""
    height, width = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    chunks = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


# Kinds and modes


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_kinds(kind):
    found = opened(Image.fromarray(smooth()), kind, quality=95)
    assert found.pixels.dtype == np.uint8
    assert np.abs(found.pixels.astype(int) - smooth()).max() <= LOSSY.get(kind, 0)
    assert found.notes == ()


def test_the_name_decides_nothing():
    found = open_picture(file_of(Image.fromarray(smooth()), "BMP"), "folder/photo.jpeg")
    assert (found.pixels == smooth()).all()
    assert found.name == "photo.jpeg"


@pytest.mark.parametrize("kind", ["GIF", "PNG", "BMP", "TIFF"])
def test_a_palette(kind):
    colours = smooth()[0]
    index = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) * 7 % WIDTH
    image = Image.fromarray(index.astype(np.uint8), "L")
    image.putpalette(colours.tobytes())
    assert (opened(image, kind).pixels == colours[index]).all()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_grey(kind):
    grey = smooth()[..., 0]
    found = opened(Image.fromarray(grey), kind).pixels.astype(int)
    assert np.abs(found - grey[..., None]).max() <= LOSSY.get(kind, 0)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF"])
def test_one_bit(kind):
    bits = smooth()[..., 2] > 120
    found = opened(Image.fromarray(bits), kind).pixels
    assert (found == np.where(bits, 255, 0)[..., None]).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_grey_of_16_bits_is_scaled(kind):
    values = np.linspace(0, 65535, HEIGHT * WIDTH).astype(np.uint16).reshape(HEIGHT, WIDTH)
    found = opened(Image.fromarray(values), kind)
    assert (found.pixels == np.rint(values / 65535 * 255)[..., None]).all()
    assert "65535" in found.notes[0]


@pytest.mark.parametrize(("colour_type", "channels"), [(2, 3), (6, 4)])
def test_colour_of_16_bits_keeps_the_upper_8_and_says_so(colour_type, channels):
    values = smooth(channels).astype(np.uint16) * 256 + 77
    if channels == 4:
        values[..., 3] = 65535
    found = open_picture(png(values, colour_type), "x.png")
    assert (found.pixels == values[..., :3] // 256).all()
    assert any("16 bits" in note for note in found.notes)


def test_whole_numbers_of_32_bits_are_stretched():
    values = np.linspace(-70_000, 900_000, HEIGHT * WIDTH).astype(np.int32).reshape(HEIGHT, WIDTH)
    found = opened(Image.fromarray(values), "TIFF")
    oracle = np.rint((values + 70_000) / 970_000 * 255)
    assert (found.pixels == oracle[..., None]).all()
    assert "-70000" in found.notes[0]


@pytest.mark.parametrize("span", [1.0, 30.0])
def test_fractions_of_0_to_1_are_scaled_and_others_stretched(span):
    values = np.linspace(0.25, 1, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
    found = opened(Image.fromarray(values * span), "TIFF")
    oracle = values if span == 1 else (values - 0.25) / 0.75
    assert np.abs(found.pixels[..., 0] - oracle * 255).max() <= 0.51


def test_what_is_not_a_number_is_black_and_only_that_is_refused():
    values = np.linspace(0, 1, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
    values[3, 4] = np.nan
    found = opened(Image.fromarray(values), "TIFF").pixels
    assert found[3, 4].tolist() == [0, 0, 0]
    assert found.max() == 255
    with pytest.raises(PictureError, match="finite"):
        opened(Image.fromarray(np.full_like(values, np.nan)), "TIFF")


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_alpha_shows_white(kind):
    values = smooth(4)
    found = opened(Image.fromarray(values), kind, lossless=True)
    alpha = values[..., 3:] / 255
    oracle = values[..., :3] * alpha + 255 * (1 - alpha)
    assert np.abs(found.pixels - oracle).max() <= 1
    assert any("white" in note for note in found.notes)


def test_alpha_of_grey_and_of_palettes_shows_white():
    values = smooth(2)
    found = opened(Image.fromarray(values))
    alpha = values[..., 1:] / 255
    assert np.abs(found.pixels - (values[..., :1] * alpha + 255 * (1 - alpha))).max() <= 1
    index = (np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) % 3).astype(np.uint8)
    image = Image.fromarray(index, "L")
    image.putpalette([200, 0, 0, 0, 100, 0, 0, 0, 50])
    for kind in ("PNG", "GIF"):
        found = opened(image, kind, transparency=1)
        colours = np.array([(200, 0, 0), (255, 255, 255), (0, 0, 50)])
        assert (found.pixels == colours[index]).all()


def test_one_transparent_colour_shows_white():
    values = smooth()
    found = opened(Image.fromarray(values), transparency=tuple(int(v) for v in values[2, 3]))
    assert found.pixels[2, 3].tolist() == [255, 255, 255]
    assert (found.pixels[2, 4] == values[2, 4]).all()


def test_alpha_that_hides_nothing_is_not_mentioned():
    values = np.concatenate([smooth(), np.full((HEIGHT, WIDTH, 1), 255, np.uint8)], -1)
    found = opened(Image.fromarray(values))
    assert (found.pixels == smooth()).all()
    assert found.notes == ()


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_printing_colours(kind):
    inks = smooth(4)
    inks[..., 3] //= 4
    found = opened(Image.fromarray(inks, "CMYK"), kind, quality=100)
    oracle = (255 - inks[..., :3].astype(float)) * (255 - inks[..., 3:]) / 255
    assert np.abs(found.pixels - oracle).max() <= LOSSY.get(kind, 1)
    assert any("CMYK" in note for note in found.notes)


def test_lab_is_refused_with_a_way_out():
    with pytest.raises(PictureError, match="save it as RGB"):
        opened(Image.fromarray(smooth(), "LAB"), "TIFF")


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_of_several_frames(kind):
    first, second = Image.new("RGB", (16, 16), (250, 0, 0)), Image.new("RGB", (16, 16), (0, 0, 9))
    options = {"lossless": True, "save_all": True, "append_images": [second, second]}
    found = opened(first, kind, **options)
    assert (found.pixels == (250, 0, 0)).all()
    assert any("first" in note for note in found.notes)
    assert opened(first, kind).notes == ()


# Upright

# Where the upper left and the upper right corner of the upright picture lie in the file, as
# (bottom?, right?), by what EXIF 2.32 says of the tag's values.
CORNERS = {
    1: ((0, 0), (0, 1)),
    2: ((0, 1), (0, 0)),
    3: ((1, 1), (1, 0)),
    4: ((1, 0), (1, 1)),
    5: ((0, 0), (1, 0)),
    6: ((1, 0), (0, 0)),
    7: ((1, 1), (0, 1)),
    8: ((0, 1), (1, 1)),
}


@pytest.mark.parametrize("orientation", CORNERS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_orientation(kind, orientation):
    values = np.zeros((16, 32, 3), np.uint8)
    colours = [[(250, 0, 0), (0, 250, 0)], [(0, 0, 250), (250, 250, 250)]]
    for row in (0, 1):
        for column in (0, 1):
            values[row * 8 : row * 8 + 8, column * 16 : column * 16 + 16] = colours[row][column]
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = opened(Image.fromarray(values), kind, exif=exif, quality=100).pixels
    assert found.shape == ((16, 32, 3) if orientation < 5 else (32, 16, 3))
    for corner, (row, column) in zip(((2, 2), (2, -3)), CORNERS[orientation], strict=True):
        assert np.abs(found[corner].astype(int) - colours[row][column]).max() < 30


# Sizes


def test_a_large_picture_is_reduced_and_says_so():
    values = smooth(3, 1500, 5000)
    for kind in ("PNG", "JPEG"):
        found = opened(Image.fromarray(values), kind)
        assert max(found.pixels.shape) == picture_file.LONGEST
        assert found.pixels.shape[0] == round(1500 * 2048 / 5000)
        small = Image.fromarray(values).resize((found.width, found.height), Image.Resampling.BOX)
        assert np.abs(found.pixels.astype(int) - np.asarray(small)).max() <= 4
        assert "5000×1500" in found.notes[-1]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_a_picture_of_many_bytes_is_opened(kind):
    """The bound on what a header may have does not count the pixels."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (2600, 2048, 3), np.uint8))
    noise = noise.convert("L") if kind == "GIF" else noise
    exif = Image.Exif()
    exif[0x0112] = 3
    options = {} if kind in ("GIF", "BMP") else {"exif": exif}
    if kind == "PNG":
        options["compress_level"] = 1
    data = file_of(noise, kind, quality=95, method=0, **options)
    assert len(data) > 4_100_000
    assert open_picture(data, "x").height == picture_file.LONGEST


def test_a_long_picture_keeps_a_side_that_can_be_cut():
    found = opened(Image.fromarray(smooth(3, 8, 20_000)))
    assert min(found.pixels.shape[:2]) == picture_file.MIN_SIDE


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 20_000), (20_000, 7)])
def test_too_small_is_refused(width, height):
    with pytest.raises(PictureError, match=f"{width}×{height} pixels.*at least 8"):
        opened(Image.new("RGB", (width, height)))


def test_too_many_bytes_are_refused():
    with pytest.raises(PictureError, match="at most 50 MB"):
        open_picture(b"\xff\xd8\xff" + bytes(picture_file.MAX_BYTES), "x.jpg")


# The square


def picture(width=60, height=40):
    return Picture(np.ascontiguousarray(smooth(3, height, width)), "x.png")


@pytest.mark.parametrize(
    ("square", "fitted"),
    [
        (Square(5, 6, 20), Square(5, 6, 20)),
        (Square(-5, -6, 20), Square(0, 0, 20)),
        (Square(55, 39, 20), Square(40, 20, 20)),
        (Square(10, 10, 500), Square(10, 0, 40)),
        (Square(10, 10, -3), Square(10, 10, 8)),
    ],
)
def test_a_square_is_brought_into_the_picture(square, fitted):
    assert square.fit(picture()) == fitted


def test_the_middle():
    assert centre_square(picture()) == Square(10, 0, 40)
    assert centre_square(picture(40, 60)) == Square(0, 10, 40)


def test_a_square_of_the_right_size_is_the_pixels_themselves():
    part = cut(picture(), Square(7, 3, 32), 32)
    assert (part == picture().pixels[3:35, 7:39]).all()


def test_a_square_sees_all_of_its_pixels_and_no_others():
    values = np.zeros((64, 64, 3), np.uint8)
    values[::2, ::2] = 200  # a quarter of all pixels
    values[:, 32:] = 255
    part = cut(Picture(values, "x"), Square(0, 0, 32), 4)
    assert part.shape == (4, 4, 3)
    assert np.abs(part.astype(int) - 50).max() <= 6


def test_the_text_of_a_square_is_its_pixels():
    part = cut(picture(), Square(7, 3, 30), 32)
    data = base64.b64decode(picture_text(part))
    assert (np.asarray(Image.open(io.BytesIO(data))) == part).all()
    assert data == png_bytes(part)
    assert data.startswith(b"\x89PNG")


def test_a_net_of_one_channel_sees_grey():
    picture = Picture(np.random.default_rng(0).integers(0, 256, (12, 12, 3), np.uint8), "x")
    square = Square(0, 0, 12)
    colour, grey = (cut_for(picture, square, 8, channels) for channels in (3, 1))
    assert (colour == cut(picture, square, 8)).all()
    luma = colour @ [0.299, 0.587, 0.114]  # ITU-R BT.601
    np.testing.assert_allclose(grey, np.repeat(luma[..., None], 3, 2), atol=1)
