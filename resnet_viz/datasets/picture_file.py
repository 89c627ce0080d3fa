"""From the bytes of any file to pixels, within bounds of time and memory. No torch.

What a file says of itself is judged before anything is decoded: its kind by its first bytes, its
size by its header, and how much a header may make Pillow read. Pillow's own guard against
decompression bombs only warns up to 179 megapixels, and lets a header be of any length.
"""

from __future__ import annotations

import io
import logging
import re
import struct
import threading

import numpy as np
from numpy.typing import NDArray
from PIL import (
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from resnet_viz.datasets.errors import PictureError
from resnet_viz.datasets.picture_kind import kind_of
from resnet_viz.datasets.picture_modes import to_rgb
from resnet_viz.i18n import _

log = logging.getLogger(__name__)

MAX_BYTES = 50_000_000
MAX_PIXELS = 64_000_000  # a 50-megapixel photograph is welcome, a decompression bomb is not
MAX_PIXELS_COSTLY = 24_000_000  # of a WebP or progressive JPEG, decoded in several whole copies
MAX_SIDE, MIN_SIDE = 65_535, 8
LONGEST = 2048  # of what is kept
MAX_SCANS = 200  # of a JPEG: each goes over all pixels; encoders write about ten
MAX_TILE_SIDE = 4096  # of a TIFF, whose tiles may be larger than the picture
NAME_LENGTH = 60
_HEADER_BYTES = 4_000_000  # colour profile, EXIF and texts together
_READ_COST = 256  # bytes that a call counts as, since many short ones take long, too
_DECODING_FACTOR = 16  # reading a file of short chunks may cost this times its length

# Used directly: `Image.open` would also try kinds that are not offered, such as MPO.
_PLUGINS: dict[str, type[ImageFile.ImageFile]] = {
    "BMP": BmpImagePlugin.BmpImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
}

# One picture is decoded at a time, so that several people's large ones do not add up.
_turn = threading.Lock()


def shown_name(name: str) -> str:
    """A file's name without folders, line ends and what is invisible, of a length to be read."""
    base = re.split(r"[/\\]", name)[-1]
    clean = "".join(c for c in base if c.isprintable()).strip() or _("picture")
    return clean if len(clean) <= NAME_LENGTH else f"{clean[: NAME_LENGTH - 1]}…"


def read_picture(data: bytes, name: str) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Decode a file.

    Returns:
        uint8 (H, W, 3), upright and at most `LONGEST` pixels long where that leaves `MIN_SIDE` of
        the other side; and notes on what was changed.

    Raises:
        PictureError: it cannot be; the message names the file.
    """
    name = shown_name(name)
    if len(data) > MAX_BYTES:
        text = _("“{name}” has {size:.0f} MB; at most {most:.0f} MB are opened. Make it smaller.")
        raise PictureError(text.format(name=name, size=len(data) / 1e6, most=MAX_BYTES / 1e6))
    kind = kind_of(data, name)
    with _turn:
        try:
            return _decode(data, name, kind)
        except PictureError:
            raise
        except Exception as error:  # noqa: BLE001 - on a damaged file Pillow raises anything
            log.info("a %s file was not decoded: %r", kind, error)
            raise PictureError(_trouble(name, kind, error)) from None


def _trouble(name: str, kind: str, error: Exception) -> str:
    if "truncated" in str(error) or isinstance(error, EOFError):
        text = _("“{name}” ends in the middle of the picture ({kind}). Copy or download it again.")
    elif isinstance(error, MemoryError | Image.DecompressionBombError):
        text = _("“{name}” ({kind}) says that it has more pixels than can be opened.")
    else:
        text = _(
            "“{name}” is damaged, or of a rare sort ({kind}). Open it in an image viewer and save "
            "it as PNG, or copy it again."
        )
    return text.format(name=name, kind=kind)


class _Bounded(io.BytesIO):
    """A file that may be read so much and no more."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self.name_shown = name
        self.budget = _HEADER_BYTES
        self.byte_cost = 1

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        # A plugin that asks for everything at once reads pixels with it.
        asked_for_all = size is None or size < 0
        self.budget -= _READ_COST + (0 if asked_for_all else self.byte_cost * len(data))
        if self.budget < 0:
            raise PictureError(
                _(
                    "“{name}” carries more than its picture (metadata, layers or tiny pieces): "
                    "too much to read. Open it in an image viewer and save it as PNG."
                ).format(name=self.name_shown)
            )
        return data

    def begin_pixels(self) -> None:
        """From here on only the number of reads counts."""
        self.budget = _HEADER_BYTES + _DECODING_FACTOR * len(self.getbuffer())
        self.byte_cost = 0


def _decode(data: bytes, name: str, kind: str) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    if kind == "WebP":  # whose canvas Pillow makes before it says how large it is
        _check_size(name, *_webp_size(data), MAX_PIXELS_COSTLY)
    if kind == "JPEG" and data.count(b"\xff\xda") > MAX_SCANS:
        text = _("“{name}” is drawn in too many passes (JPEG). Save it as PNG.")
        raise PictureError(text.format(name=name))
    file = _Bounded(data, name)
    with _PLUGINS[kind](file, name) as image:
        width, height = image.size
        costly = kind == "WebP" or "progressive" in image.info
        _check_size(name, width, height, MAX_PIXELS_COSTLY if costly else MAX_PIXELS)
        if kind == "TIFF":
            _check_tiles(name, image)
        longest = _longest(width, height)
        file.begin_pixels()
        image.draft("RGB", (longest, longest))  # a large JPEG is decoded at 1/2, 1/4 or 1/8
        image.load()
        orientation = _orientation(image)
        pixels, notes = to_rgb(image, longest, deep=_is_deep(image, data, kind))
        if kind in _FRAMES and _has_more(image):
            notes = (*notes, _FRAMES[kind]())
    pixels = _turned(pixels, orientation)
    if max(pixels.shape) < max(width, height):
        notes = (*notes, _reduced(width, height, pixels))
    return pixels, notes


def _check_size(name: str, width: int, height: int, most: int) -> None:
    """Refuse what cannot be shown or would fill the memory, before it is decoded."""
    values = {"name": name, "width": width, "height": height}
    if min(width, height) < MIN_SIDE:
        text = _("“{name}” has {width}×{height} pixels; a net needs at least {least} each way.")
        raise PictureError(text.format(least=MIN_SIDE, **values))
    if max(width, height) > MAX_SIDE:
        text = _("“{name}” has {width}×{height} pixels; at most {most} a side are opened.")
        raise PictureError(text.format(most=MAX_SIDE, **values))
    if width * height > most:
        text = _(
            "“{name}” has {width}×{height} pixels, {millions:.0f} megapixels; at most {most:.0f} "
            "are opened. Make it smaller."
        )
        millions = width * height / 1e6
        raise PictureError(text.format(millions=millions, most=most / 1e6, **values))


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height in the header (RFC 9649)."""
    chunk = data[12:16]
    if chunk == b"VP8X" and len(data) >= 30:
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
    elif chunk == b"VP8L" and len(data) >= 25:
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif chunk == b"VP8 " and len(data) >= 30:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        raise EOFError
    return width, height


def _check_tiles(name: str, image: Image.Image) -> None:
    """A tile is decoded whole, however little of it lies in the picture."""
    assert isinstance(image, TiffImagePlugin.TiffImageFile)
    sides = [image.tag_v2.get(tag, 0) for tag in (322, 323)]  # width and length
    if any(not isinstance(side, int) or side > MAX_TILE_SIDE for side in sides):
        text = _("“{name}” (TIFF) has tiles of {tile}; save it as PNG.")
        raise PictureError(text.format(name=name, tile="×".join(map(str, sides))[:40]))


def _orientation(image: Image.Image) -> int:
    """How the camera was held, 1..8 (EXIF); 1 where that is damaged or not said.

    A TIFF is 1, since Pillow turns it itself.
    """
    if image.format == "TIFF":
        return 1
    try:
        found = image.getexif().get(ExifTags.Base.Orientation, 1)
    except (ValueError, SyntaxError, OSError, KeyError, TypeError, struct.error):
        return 1
    return found if found in range(1, 9) else 1


def _turned(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Upright, given what row 0 and column 0 of the file are (EXIF 2.32, tag 274)."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _longest(width: int, height: int) -> int:
    """Pixels of the longest side of what is kept."""
    factor = max(1.0, min(max(width, height) / LONGEST, min(width, height) / MIN_SIDE))
    return int(max(width, height) / factor)


def _reduced(width: int, height: int, pixels: NDArray[np.uint8]) -> str:
    high, wide = pixels.shape[:2]
    text = _("reduced from {width}×{height} to {wide}×{high} pixels")
    if (width > height) != (wide > high):  # it was turned
        width, height = height, width
    return text.format(width=width, height=height, wide=wide, high=high)


def _is_deep(image: Image.Image, data: bytes, kind: str) -> bool:
    """Whether colours have more than the 8 bits that Pillow keeps of them."""
    if image.mode.startswith(("I", "F")):
        return False
    if kind == "PNG":
        return data[24] == 16  # in IHDR, the first chunk
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return max(image.tag_v2.get(258, (8,))) > 8  # bits of each sample
    return False


_FRAMES = {
    "GIF": lambda: _("an animation; its first frame is used"),
    "WebP": lambda: _("an animation; its first frame is used"),
    "PNG": lambda: _("an animation; its first frame is used"),
    "TIFF": lambda: _("several pages; the first is used"),
}


def _has_more(image: ImageFile.ImageFile) -> bool:
    """Whether there is a second frame, readable or not."""
    try:
        image.seek(1)
    except EOFError:
        return False
    except Exception:  # noqa: BLE001 - there is one, and it is damaged, which need not trouble us
        return True
    return True
