"""Images of a folder, decoded: any size and kind of file to square RGB of one size."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from resnet_viz.datasets.errors import DataError
from resnet_viz.datasets.images import Images
from resnet_viz.datasets.scan import Listing
from resnet_viz.i18n import _

Pixels = NDArray[np.uint8]

FINGERPRINT = "folder-1"  # change it with anything that changes decoded pixels
MAX_PIXELS = 64_000_000  # a 50-megapixel photograph is welcome, a decompression bomb is not
BACKGROUND = (255, 255, 255)  # shows through transparent pixels
NAMED_FAILURES = 5
_CHUNK = 256  # images a thread takes at a time


class UnusableImageError(Exception):
    """An image that cannot be decoded; the text says why."""


def read_image(path: str, size: int) -> Pixels:
    """One image file as a square: turned upright, cropped at its centre, scaled.

    Orientation is the camera's (EXIF); of an animation the first frame counts; grey of 16 bits is
    scaled to 8; transparent pixels show `BACKGROUND`.

    Returns:
        uint8 (size, size, 3), RGB.

    Raises:
        UnusableImageError: broken, too large, or of a kind that has no obvious colours.
    """
    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                reason = _("{width}×{height} pixels are too many")
                raise UnusableImageError(reason.format(width=image.width, height=image.height))
            image.draft(None, (2 * size, 2 * size))  # a large JPEG is decoded at 1/2, 1/4 or 1/8
            return np.asarray(_square(_to_rgb(ImageOps.exif_transpose(image)), size))
    except UnidentifiedImageError:
        raise UnusableImageError(_("not an image")) from None
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise UnusableImageError(str(error)) from None


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("RGB", "L", "CMYK", "YCbCr", "1", "LAB", "HSV"):
        if "transparency" not in image.info:
            return image.convert("RGB")
    elif image.mode.startswith("I"):
        return _from_16_bits(image).convert("RGB")
    elif image.mode == "F":
        raise UnusableImageError(_("values are fractions; save it with 8 or 16 bits"))
    image = image.convert("RGBA")
    ground = Image.new("RGBA", image.size, (*BACKGROUND, 255))
    return Image.alpha_composite(ground, image).convert("RGB")


def _from_16_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.int64)  # PIL's own conversion clips at 255
    if values.min() < 0 or values.max() > 65535:
        raise UnusableImageError(_("values have over 16 bits; save it with 8 or 16 bits"))
    return Image.fromarray(np.rint(values / 257).astype(np.uint8))


def _square(image: Image.Image, size: int) -> Image.Image:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    if image.width != image.height:
        image = image.crop((left, top, left + side, top + side))
    return image if side == size else image.resize((size, size), Image.Resampling.BILINEAR)


def read_images(paths: Sequence[str], size: int) -> tuple[Pixels, dict[int, str]]:
    """Many image files at once, by as many threads as there are processors.

    Returns:
        uint8 (N, 3, size, size), and the reason by position in `paths` of each image that cannot
        be used, whose pixels are then undefined.
    """
    images = np.empty((len(paths), 3, size, size), np.uint8)
    failures: dict[int, str] = {}

    def read(start: int) -> None:
        for i in range(start, min(start + _CHUNK, len(paths))):
            try:
                images[i] = read_image(paths[i], size).transpose(2, 0, 1)
            except UnusableImageError as error:
                failures[i] = str(error)

    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        # The size is judged in read_image; PIL's own warnings would only reach a terminal.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        list(pool.map(read, range(0, len(paths), _CHUNK)))
    return images, failures


def make_folder(listing: Listing, size: int) -> Images:
    """All images of a folder; those that cannot be used are left out and named in the notes.

    Raises:
        DataError: a class has no usable training image.
    """
    labelled = [*listing.train, *listing.test]
    pixels, failures = read_images([path for path, _label in labelled], size)
    broken = set(failures)
    rows = [i for i in range(len(labelled)) if i not in broken]
    n_train = sum(i < len(listing.train) for i in rows)
    images = torch.from_numpy(pixels if not broken else pixels[rows])
    labels = torch.tensor([labelled[i][1] for i in rows], dtype=torch.int64)
    notes = listing.notes + _failure_notes(listing, failures)
    _check_classes(listing, labels[:n_train], notes)
    return Images(
        train_images=images[:n_train],
        train_labels=labels[:n_train],
        test_images=images[n_train:],
        test_labels=labels[n_train:],
        classes=listing.classes,
        notes=notes,
    )


def _failure_notes(listing: Listing, failures: dict[int, str]) -> tuple[str, ...]:
    if not failures:
        return ()
    paths = [path for path, _label in (*listing.train, *listing.test)]
    named = [f"{os.path.relpath(paths[i], listing.root)} ({failures[i]})" for i in sorted(failures)]
    more = ", …" if len(named) > NAMED_FAILURES else ""
    return (
        _("{n} of {total} images could not be used and were left out: {names}").format(
            n=len(named), total=len(paths), names=", ".join(named[:NAMED_FAILURES]) + more
        ),
    )


def _check_classes(listing: Listing, labels: torch.Tensor, notes: tuple[str, ...]) -> None:
    counts = torch.bincount(labels, minlength=len(listing.classes)).tolist()
    for name, count in zip(listing.classes, counts, strict=True):
        if count == 0:
            raise DataError(
                _(
                    "The class {name} in {folder} has no usable training image. {notes}. "
                    "Replace these files, or remove the class folder."
                ).format(name=name, folder=listing.root, notes=" ".join(notes))
            )
