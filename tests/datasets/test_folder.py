"""Image folders as people have them: every kind of file, and every way to be wrong."""

import os
import struct
import tarfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from resnet_viz.datasets.errors import DataError
from resnet_viz.datasets.folder import UnusableImageError, read_image
from resnet_viz.datasets.load import load
from resnet_viz.datasets.scan import scan
from resnet_viz.specs import DataSpec

CIFAR_JPEG = Path(__file__).parents[3] / "shared" / "data" / "cifar10-jpeg.tar.xz"


def picture(value=0, size=(12, 12), mode="RGB"):
    return Image.new(mode, size, value)


def make(root, files):
    """Write images (or bytes) by their paths under `root`."""
    for name, image in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(image, bytes):
            path.write_bytes(image)
        else:
            image.save(path)
    return root


def two_classes(root, count=5):
    colours = {"day": (250, 250, 0), "night": (0, 0, 100)}
    files = {f"{n}/{i}.png": picture(c) for n, c in colours.items() for i in range(count)}
    return make(root, files)


def of(folder, **options):
    return DataSpec("folder", folder=str(folder), **options)


# What an image becomes


def test_centre_is_cut_out_and_scaled(tmp_path):
    pixels = np.zeros((20, 60, 3), np.uint8)
    pixels[:, 20:40] = (10, 200, 30)
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    assert (read_image(str(tmp_path / "wide.png"), 8) == (10, 200, 30)).all()
    Image.fromarray(pixels.transpose(1, 0, 2)).save(tmp_path / "high.png")
    assert (read_image(str(tmp_path / "high.png"), 8) == (10, 200, 30)).all()


def test_a_photograph_is_turned_upright(tmp_path):
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[:8] = 255  # light above
    upright = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held so that the picture has to be turned clockwise
    upright.rotate(90).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    ours = read_image(str(tmp_path / "turned.jpg"), 16)
    assert ours[:7].min() > 200
    assert ours[9:].max() < 50


@pytest.mark.parametrize("extension", ["jpg", "png", "webp", "bmp", "gif", "tiff"])
def test_kinds_of_files(tmp_path, extension):
    path = tmp_path / f"x.{extension}"
    picture((200, 100, 50)).save(path)
    assert np.abs(read_image(str(path), 8).astype(int) - (200, 100, 50)).max() <= 5


def test_first_frame_of_an_animation(tmp_path):
    red, blue = picture((255, 0, 0)), picture((0, 0, 255))
    red.save(tmp_path / "x.gif", save_all=True, append_images=[blue])
    assert (read_image(str(tmp_path / "x.gif"), 8) == (255, 0, 0)).all()


def test_cmyk(tmp_path):
    picture((0, 255, 255, 0), mode="CMYK").save(tmp_path / "x.jpg", quality=95)
    ours = read_image(str(tmp_path / "x.jpg"), 8).astype(int)
    assert np.abs(ours - (255, 0, 0)).max() <= 5


def test_palette_and_its_transparent_colour(tmp_path):
    image = picture((0, 128, 255)).quantize(4)
    image.save(tmp_path / "x.png")
    assert (read_image(str(tmp_path / "x.png"), 8) == (0, 128, 255)).all()
    image.save(tmp_path / "clear.png", transparency=image.getpixel((0, 0)))
    assert (read_image(str(tmp_path / "clear.png"), 8) == 255).all()


def test_grey_of_16_bits_is_scaled_and_not_clipped(tmp_path):
    values = np.full((12, 12), 0x8080, np.uint16)
    Image.fromarray(values).save(tmp_path / "x.png")
    assert (read_image(str(tmp_path / "x.png"), 8) == 128).all()


def test_transparent_pixels_show_white(tmp_path):
    picture((0, 0, 0, 0), mode="RGBA").save(tmp_path / "clear.png")
    picture((0, 0, 0, 128), mode="RGBA").save(tmp_path / "half.png")
    picture((40, 255), mode="LA").save(tmp_path / "grey.png")
    assert (read_image(str(tmp_path / "clear.png"), 8) == 255).all()
    assert (read_image(str(tmp_path / "half.png"), 8) == 127).all()
    assert (read_image(str(tmp_path / "grey.png"), 8) == 40).all()


def png_header(width, height):
    """A PNG file that promises width × height pixels in a few bytes."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (png_header(20_000, 20_000), "too many|bomb"),
        (png_header(9_000, 9_000), "9000×9000 pixels are too many"),
        (png_header(100, 100), "truncated|broken|incomplete"),
        (b"", "not an image"),
        (b"<html>404</html>", "not an image"),
    ],
    ids=["bomb", "too large", "cut short", "empty", "another kind"],
)
def test_files_that_cannot_be_used(tmp_path, content, reason):
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(UnusableImageError, match=reason):
        read_image(str(path), 8)


def test_floating_point_pixels_are_refused(tmp_path):
    picture(0.5, mode="F").save(tmp_path / "x.tiff")
    with pytest.raises(UnusableImageError, match="8 or 16 bits"):
        read_image(str(tmp_path / "x.tiff"), 8)


# What a folder becomes


def test_train_and_test_folders(tmp_path):
    two_classes(tmp_path / "train", 6)
    two_classes(tmp_path / "test", 2)
    data = load(of(tmp_path))
    assert data.classes == ("day", "night")
    assert data.train_images.shape == (12, 3, 32, 32)
    assert torch.bincount(data.test_labels).tolist() == [2, 2]
    for images, labels in (
        (data.train_images, data.train_labels),
        (data.test_images, data.test_labels),
    ):
        for image, label in zip(images, labels, strict=True):
            colour = (250, 250, 0) if label == 0 else (0, 0, 100)
            assert image.amax((1, 2)).tolist() == image.amin((1, 2)).tolist() == list(colour)


@pytest.mark.parametrize("base", ["", "train"])
def test_without_a_test_folder_a_fifth_of_each_class_is_held_out(tmp_path, base):
    two_classes(tmp_path / base, 10)
    first, again = scan(str(tmp_path)), scan(str(tmp_path))
    assert (first.train, first.test) == (again.train, again.test)
    assert [label for _path, label in first.test] == [0, 0, 1, 1]
    assert not {*first.train} & {*first.test}
    assert len(first.train) == 16


def test_a_class_of_one_image_keeps_it_for_training(tmp_path):
    make(tmp_path, {"one/a.png": picture(), "two/a.png": picture(), "two/b.png": picture()})
    data = load(of(tmp_path, image_size=8))
    assert sorted(data.train_labels.tolist()) == [0, 1]
    assert data.test_labels.tolist() == [1]


def test_broken_images_are_left_out_counted_and_named(tmp_path):
    two_classes(tmp_path, 10)
    make(tmp_path, {f"day/bad{i}.jpg": b"nothing" for i in range(7)})
    data = load(of(tmp_path, image_size=8))
    assert len(data.train_labels) + len(data.test_labels) == 20
    for images, labels in (
        (data.train_images, data.train_labels),
        (data.test_images, data.test_labels),
    ):
        assert (images[:, 0, 0, 0] == torch.where(labels == 0, 250, 0)).all()
    (note,) = data.notes
    assert "7 of 27" in note
    assert note.count("not an image") == 5
    assert os.path.join("day", "bad") in note
    assert load(of(tmp_path, image_size=8, val_images=1)).notes == data.notes  # from the cache


def test_a_class_of_broken_images_is_refused(tmp_path):
    two_classes(tmp_path)
    make(tmp_path, {f"dusk/{i}.png": b"" for i in range(5)})
    with pytest.raises(DataError, match=r"dusk.*no usable training image.*5 of 15"):
        load(of(tmp_path))


def test_other_files_and_hidden_ones_are_passed_over(tmp_path):
    two_classes(tmp_path)
    make(tmp_path, {"day/notes.txt": b"x", "day/.a.png": b"x", ".git/a.png": b"x", "b.png": b"x"})
    data = load(of(tmp_path))
    assert data.classes == ("day", "night")
    assert data.notes == ()


@pytest.mark.parametrize("name", ["x" * 5000, "~nobody_of_this_name/x", "a/b", "sky"])
def test_a_name_that_is_no_folder_is_refused_and_named(name):
    with pytest.raises(DataError, match="There is no folder '" + name[:20]):
        scan(name)


def test_missing_empty_and_lonely_folders_are_refused(tmp_path):
    with pytest.raises(DataError, match="There is no folder"):
        load(of(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="at least two"):
        load(of(tmp_path))
    make(tmp_path, {"only/a.png": picture()})
    with pytest.raises(DataError, match="1 class folders; at least two"):
        load(of(tmp_path))
    (tmp_path / "void").mkdir()
    with pytest.raises(DataError, match=r"void .* has no images"):
        load(of(tmp_path))


def test_a_test_class_that_is_not_trained_is_refused(tmp_path):
    two_classes(tmp_path / "train")
    make(tmp_path, {"test/dusk/a.png": picture()})
    with pytest.raises(DataError, match="dusk, which train has not"):
        load(of(tmp_path))


def test_links_that_lead_out_are_not_followed(tmp_path):
    outside = two_classes(tmp_path / "outside")
    inside = two_classes(tmp_path / "inside")
    try:
        (inside / "day" / "secret.png").symlink_to(outside / "day" / "0.png")
        (inside / "dusk").symlink_to(outside / "day", target_is_directory=True)
        (inside / "day" / "same.png").symlink_to(inside / "day" / "1.png")
    except OSError:
        pytest.skip("this system does not let us make links")
    listing = scan(str(inside))
    names = [Path(path).name for path, _label in (*listing.train, *listing.test)]
    assert listing.classes == ("day", "night")
    assert "secret.png" not in names
    assert "same.png" in names
    assert "2 links" in listing.notes[0]
    assert "dusk" in listing.notes[0]


def test_a_name_means_a_folder_of_the_data_folder(home, tmp_path, monkeypatch):
    two_classes(home / "folders" / "sky")
    monkeypatch.chdir(tmp_path)
    assert scan("sky").root == (home / "folders" / "sky").resolve()


def test_a_changed_folder_is_read_again_and_an_unchanged_one_is_not(tmp_path, monkeypatch):
    folder = two_classes(tmp_path / "sky")
    spec = of(folder, image_size=8)
    assert len(load(spec).train_labels) == 8
    make(folder, {"day/new.png": picture((1, 2, 3)), "day/new2.png": picture((1, 2, 3))})
    data = load(spec)
    assert len(data.train_labels) + len(data.test_labels) == 12

    def fail(*_args):
        raise AssertionError("decoded again")

    monkeypatch.setattr("resnet_viz.datasets.folder.read_images", fail)
    again = load(of(folder, image_size=8, val_images=1))  # not in memory, but in the cache
    assert len(again.train_labels) + len(again.val_labels) == len(data.train_labels)
    assert load(spec) is data


def test_three_hundred_real_photographs(tmp_path):
    """Needs the CIFAR-10 JPEG archive beside the checkout; reads a few hundred files of it."""
    if not CIFAR_JPEG.is_file():
        pytest.skip("no CIFAR-10 JPEG archive beside the checkout")
    with tarfile.open(CIFAR_JPEG) as archive:
        for member in archive:
            wanted = member.isfile() and member.name.startswith("test/")
            if wanted and int(Path(member.name).stem) < 30:
                target = tmp_path / member.name.removeprefix("test/")
                target.parent.mkdir(exist_ok=True)
                source = archive.extractfile(member)
                assert source is not None
                target.write_bytes(source.read())
    data = load(of(tmp_path))
    assert torch.bincount(data.train_labels).tolist() == [24] * 10
    assert torch.bincount(data.test_labels).tolist() == [6] * 10
    # CIFAR-10's published statistics, within what a sample of 240 may differ
    torch.testing.assert_close(data.mean, torch.tensor([0.491, 0.482, 0.447]), atol=0.06, rtol=0)
    torch.testing.assert_close(data.std, torch.tensor([0.247, 0.243, 0.262]), atol=0.04, rtol=0)
