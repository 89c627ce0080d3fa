"""Few bytes that say, truly or not, that they are very many pixels; and sides too thin."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

from PIL import Image

from tests.bad_images.making import EXTENSIONS, Bad, bmp, png, tiff_of, tiff_start, whole_files


def bombs() -> Iterator[Bad]:
    """Few bytes that say, truly or not, that they are very many pixels."""
    rows = zlib.compress(bytes((12_000 // 8 + 1) * 12_000), 9)
    yield Bad("bomb-true.png", png(12_000, 12_000, 1, 0, rows))
    yield Bad("bomb-true.tiff", tiff_of(12_000, 12_000, rows))
    yield Bad("bomb-true.bmp", bmp(12_000, 12_000, 8, 1, b"\0\1"))  # run lengths: ends at once
    almost = zlib.compress(bytes((7_900 // 8 + 1) * 7_900), 9)  # 62 megapixels, which are allowed
    yield Bad("nearly-a-bomb.png", png(7_900, 7_900, 1, 0, almost), refused=False)
    colours = zlib.compress(bytes((3 * 6_000 + 1) * 5_000), 1)
    yield Bad("nearly-a-bomb-in-colour.png", png(6_000, 5_000, 8, 2, colours), refused=False)
    tile = zlib.compress(bytes(16_384 // 8 * 16_384), 9)
    tiled = {"tag322": 16_384, "tag323": 16_384, "tag325": len(tile)}
    small = tiff_of(64, 64, tile, **tiled, tag324=tiff_start(13))
    yield Bad("bomb-tile.tiff", small)
    short = zlib.compress(bytes(1000))
    sides = ((11_000, 10_000), (30_000, 30_000), (65_535, 65_535), (2**31 - 1, 2**31 - 1))
    for width, height in sides:
        size = f"{width}x{height}"
        yield Bad(f"lie-{size}.png", png(width, height, 8, 6, short))
        yield Bad(f"lie-{size}.bmp", bmp(width, height, 24, 0, bytes(200)))
        yield Bad(f"lie-down-{size}.bmp", bmp(width, -height, 32, 0, bytes(200)))
        yield Bad(f"lie-{size}.tiff", tiff_of(width, height, short))
        yield Bad(f"lie-raw-{size}.tiff", tiff_of(width, height, short, compression=1))
        yield Bad(f"lie-wide-{size}.webp", _vp8x(min(width, 2**24), min(height, 2**24)))
        if width < 2**16:
            gif = b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0)
            frame = struct.pack("<HHHHB", 0, 0, width, height, 0x80) + bytes(6) + b"\2\2\x4c\1\0;"
            yield Bad(f"lie-{size}.gif", gif + b"," + frame)
            beyond = b"GIF89a" + struct.pack("<HHBBB", 9, 9, 0, 0, 0)
            yield Bad(f"lie-beyond-{size}.gif", beyond + b"," + frame)
            for name in ("baseline.jpg", "progressive.jpg"):
                yield Bad(f"lie-{size}-{name}", _jpeg_of(width, height, name))
    for side in (9_000, 16_383):
        yield Bad(f"lie-{side}.webp", _vp8l(side, side))
    for width, height in ((7_000, 9_000), (7_900, 8_000)):  # allowed, if it were true
        size = f"{width}x{height}"
        yield Bad(f"short-{size}.png", png(width, height, 8, 6, short))
        yield Bad(f"short-{size}.bmp", bmp(width, height, 24, 0, bytes(200)))
        yield Bad(f"short-{size}.tiff", tiff_of(width, height, short, compression=1))
        yield Bad(f"short-{size}.jpg", _jpeg_of(width, height, "baseline.jpg"), refused=False)


def _jpeg_of(width: int, height: int, name: str) -> bytes:
    """A small JPEG whose header says another size."""
    data = bytearray(whole_files()[name])
    at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def _vp8x(width: int, height: int) -> bytes:
    body = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + body


def _vp8l(width: int, height: int) -> bytes:
    """A lossless WebP whose header says another size."""
    data = bytearray(whole_files()["lossless.webp"])
    at = data.find(b"VP8L") + 9
    (bits,) = struct.unpack_from("<I", data, at)
    struct.pack_into("<I", data, at, bits >> 28 << 28 | (height - 1) << 14 | (width - 1))
    return bytes(data)


def odd_sizes() -> Iterator[Bad]:
    """Too thin for a square."""
    for width, height in ((1, 1), (1, 20_000), (20_000, 1), (7, 7), (7, 300), (2, 60_000)):
        image = Image.new("RGB", (width, height), (9, 99, 199))
        for extension in EXTENSIONS:
            if extension == "webp" and max(width, height) > 16_383:
                continue
            file = io.BytesIO()
            image.save(file, {"jpg": "jpeg"}.get(extension, extension))
            yield Bad(f"thin-{width}x{height}.{extension}", file.getvalue())
    for extension in ("png", "bmp", "tiff"):
        make = {"png": lambda: png(0, 9, 8, 2, b""), "bmp": lambda: bmp(0, 9, 24, 0, b"")}
        nothing = make.get(extension, lambda: tiff_of(0, 9, b"\0"))()
        yield Bad(f"no-width.{extension}", nothing)
