"""Good pictures of every kind, and the files of our own making that are none."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

SEED = 1512_03385
EXTENSIONS = ("png", "jpg", "webp", "gif", "bmp", "tiff")


@dataclass(frozen=True)
class Bad:
    """A file.

    Attributes:
        refused: it must be; else it may also be opened.
    """

    name: str
    data: bytes
    refused: bool = True


def whole_files() -> dict[str, bytes]:
    """Small good pictures of every kind and mode, by file name."""
    noise = np.random.default_rng(SEED).integers(0, 256, (40, 56, 4), np.uint8)
    y, x = np.mgrid[0:40, 0:56]
    ramp = np.stack([4 * x, 5 * y, 2 * (x + y), 255 - 4 * x], -1).astype(np.uint8)
    rgba = Image.fromarray(ramp // 2 + noise // 2)
    rgb, grey = rgba.convert("RGB"), rgba.convert("L")
    palette, bits = rgb.quantize(32), grey.convert("1")
    cmyk = Image.fromarray(np.asarray(rgba), "CMYK")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description"
    kinds = {
        "rgb.png": (rgb, {"exif": exif}),
        "rgba.png": (rgba, {}),
        "palette.png": (palette, {"transparency": 3}),
        "deep.png": (deep, {}),
        "bits.png": (bits, {}),
        "baseline.jpg": (rgb, {"exif": exif}),
        "progressive.jpg": (rgb, {"progressive": True}),
        "grey.jpg": (grey, {}),
        "cmyk.jpg": (cmyk, {}),
        "lossy.webp": (rgb, {"exif": exif}),
        "lossless.webp": (rgba, {"lossless": True}),
        "moving.webp": (rgb, {"save_all": True, "append_images": [rgba.convert("RGB")]}),
        "palette.gif": (palette, {"comment": b"hello"}),
        "moving.gif": (palette, {"save_all": True, "append_images": [grey, palette]}),
        "rgb.bmp": (rgb, {}),
        "palette.bmp": (palette, {}),
        "raw.tiff": (rgb, {"exif": exif}),
        "lzw.tiff": (rgba, {"compression": "tiff_lzw"}),
        "deflate.tiff": (deep, {"compression": "tiff_adobe_deflate"}),
        "jpeg.tiff": (rgb, {"compression": "jpeg"}),
        "packbits.tiff": (cmyk, {"compression": "packbits"}),
        "group4.tiff": (bits, {"compression": "group4"}),
    }
    files = {}
    for name, (image, options) in kinds.items():
        file = io.BytesIO()
        extension = name.rpartition(".")[2]
        image.save(file, {"jpg": "jpeg"}.get(extension, extension), **options)
        files[name] = file.getvalue()
    return files


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, extra: bytes = b"") -> bytes:
    """`rows`: already deflated. `extra`: chunks before them."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [chunk(b"IHDR", header), extra, chunk(b"IDAT", rows), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def bmp(width: int, height: int, bits: int, compression: int, pixels: bytes) -> bytes:
    colours = bytes(1024) if bits == 8 else b""
    start = 54 + len(colours)
    head = struct.pack("<2sIII", b"BM", start + len(pixels), 0, start)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, 0, 0)
    return head + info + colours + pixels


def tiff(tags: dict[int, tuple[int, int, int]], pixels: bytes = b"", following: int = 0) -> bytes:
    """`tags`: number to type, count and value. The pixels begin at `tiff_start(tags)`."""
    entries = [struct.pack("<HHII", tag, *tags[tag]) for tag in sorted(tags)]
    head = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    return head + b"".join(entries) + struct.pack("<I", following) + pixels


def tiff_start(count: int) -> int:
    return 8 + 2 + 12 * count + 4


def tiff_of(width: int, height: int, pixels: bytes, compression: int = 8, **more: int) -> bytes:
    tags = {
        256: (4, 1, width),
        257: (4, 1, height),
        258: (3, 1, 1),
        259: (3, 1, compression),
        262: (3, 1, 1),
        273: (4, 1, 0),
        277: (3, 1, 1),
        278: (4, 1, height),
        279: (4, 1, len(pixels)),
    }
    tags |= {int(tag.removeprefix("tag")): (4, 1, value) for tag, value in more.items()}
    tags[273] = (4, 1, tiff_start(len(tags)))
    return tiff(tags, pixels)
