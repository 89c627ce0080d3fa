"""A thousand files that are no good pictures: `python -m tests.bad_images FOLDER` writes them.

The same at every call. Which of them must be refused is known; of the others, such as those with
one flipped bit, some are still pictures.
"""

from __future__ import annotations

import io
import pickle
import random
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

SEED = 1512_03385
CUTS, FLIPS = 24, 22  # of each whole file
FRACTION_WITHOUT_ALL_PIXELS = 0.85
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


def bad_images() -> Iterator[Bad]:
    """All of them, one at a time."""
    rng = random.Random(SEED)
    whole = whole_files()
    yield from damaged(whole, rng)
    yield from wrong_extensions(whole)
    yield from other_files(rng)
    yield from bombs()
    yield from odd_sizes()
    yield from burdened(whole)
    yield from tiff_loops()
    yield from animations()


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


def damaged(whole: dict[str, bytes], rng: random.Random) -> Iterator[Bad]:
    """Each whole file cut off at many places, and with single bits, bytes or stretches changed."""
    for name, data in whole.items():
        kept = {round(len(data) * part / CUTS) for part in range(CUTS)} | {1, 2, 4, 8, 12, 16, 30}
        for length in sorted(kept | {len(data) - 1, len(data) - 4}):
            # Of an animated GIF the first frame may be whole.
            part = 0.25 if name == "moving.gif" else FRACTION_WITHOUT_ALL_PIXELS
            too_short = length < part * len(data)
            yield Bad(f"cut-{length}-{name}", data[:length], refused=too_short)
        for number in range(FLIPS):
            changed = bytearray(data)
            # Headers are short, and the worst place for an error: half of the changes are there.
            end = len(data) if number % 2 else min(64, len(data))
            at = rng.randrange(end)
            if number % 3 == 0:
                changed[at : at + 8] = rng.randbytes(8)
            else:
                changed[at] ^= 1 << rng.randrange(8)
            yield Bad(f"flip-{number}-{name}", bytes(changed), refused=False)
        yield Bad(f"zeroed-{name}", data[: len(data) // 3] + bytes(len(data) // 2), refused=False)
        yield Bad(f"newlines-{name}", data.replace(b"\n", b"\r\n"), refused=False)
        yield Bad(f"doubled-{name}", data + data, refused=False)


def wrong_extensions(whole: dict[str, bytes]) -> Iterator[Bad]:
    for number, (name, data) in enumerate(whole.items()):
        extension = EXTENSIONS[number % len(EXTENSIONS)]
        yield Bad(f"called-{name.replace('.', '-')}.{extension}", data, refused=False)


class _Runs:
    """Pickled, it would run a program when read."""

    def __reduce__(self):
        return (print, ("this must never be printed",))


def other_files(rng: random.Random) -> Iterator[Bad]:
    """What is no picture at all, under names of pictures."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as torch_file:
        torch_file.writestr(zipfile.ZipInfo("model/data.pkl"), pickle.dumps(_Runs()))
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="4"/></svg>'
    others = {
        "empty": b"",
        "space": b" \n",
        "zeros": bytes(5000),
        "svg": svg,
        "svg-xml": b'<?xml version="1.0"?>\n<!DOCTYPE svg>\n' + svg,
        "html": b"<!DOCTYPE html><html><body><img src='cat.png'></body></html>",
        "html-error": b"\n\n<html><head><title>404</title></head></html>",
        "text": b"this is a picture of a cat\n",
        "csv": b"step,error\n1,0.9\n",
        "json": b'{"image": "cat"}',
        "data-url": b"data:image/png;base64,iVBORw0KGgo=",
        "pickle-0": pickle.dumps(_Runs(), 0),
        "pickle-2": pickle.dumps(_Runs(), 2),
        "pickle-5": pickle.dumps(_Runs(), 5),
        "torch": archive.getvalue(),
        "zip": b"PK\x05\x06" + bytes(18),
        "gzip": b"\x1f\x8b\x08\x00" + bytes(20),
        "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "heic": b"\0\0\0\x18ftypheic" + bytes(40),
        "avif": b"\0\0\0\x18ftypavif" + bytes(40),
        "film": b"\0\0\0\x18ftypisom" + bytes(40),
        "jpeg2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40),
        "photoshop": b"8BPS\0\1" + bytes(40),
        "icon": b"\0\0\1\0\1\0\x10\x10" + bytes(40),
        "numpy": b"\x93NUMPY\1\0v\0" + bytes(40),
        "program": b"\x7fELF\2\1\1" + bytes(40),
        "ppm": b"P6 16 16 255\n" + bytes(768),
        "half-surrogate": "\ud800".encode("utf-16", "surrogatepass"),
        "bigtiff": b"II+\0\x08\0\0\0" + bytes(40),
        "only-signature-png": b"\x89PNG\r\n\x1a\n",
        "only-signature-jpeg": b"\xff\xd8\xff\xe0",
        "only-signature-gif": b"GIF89a",
        "only-signature-webp": b"RIFF\x10\0\0\0WEBPVP8 ",
        "only-signature-bmp": b"BM",
        "only-signature-tiff": b"MM\0*\0\0\0\x08",
    }
    for number, (name, data) in enumerate(others.items()):
        for extension in (EXTENSIONS[number % 6], EXTENSIONS[(number + 1) % 6]):
            yield Bad(f"{name}.{extension}", data)
    starts = (
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"GIF89a",
        b"RIFF\xff\0\0\0WEBPVP8X",
        b"BM",
    )
    for number in range(72):
        start = (*starts, b"II*\0\x08\0\0\0")[number % 7]
        data = start + rng.randbytes(rng.randrange(1, 3000))
        yield Bad(f"random-{number}.{EXTENSIONS[number % 6]}", data)


# Files of our own making


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, extra: bytes = b"") -> bytes:
    """`rows`: already deflated. `extra`: chunks before them."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [_chunk(b"IHDR", header), extra, _chunk(b"IDAT", rows), _chunk(b"IEND", b"")]
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


def burdened(whole: dict[str, bytes]) -> Iterator[Bad]:
    """A good picture with too much beside it."""
    rows = zlib.compress(bytes(40 * (3 * 40 + 1)))
    for megabytes in (5, 30):
        text = _chunk(b"tEXt", b"Comment\0" + bytes(megabytes * 1_000_000))
        yield Bad(f"text-{megabytes}.png", png(40, 40, 8, 2, rows, text))
    packed = _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(900_000), 9))
    yield Bad("many-texts.png", png(40, 40, 8, 2, rows, packed * 100))
    too_long = _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(30_000_000), 9))
    yield Bad("text-bomb.png", png(40, 40, 8, 2, rows, too_long))
    profile = _chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(30_000_000), 9))
    yield Bad("profile-bomb.png", png(40, 40, 8, 2, rows, profile), refused=False)
    yield Bad("many-chunks.png", png(40, 40, 8, 2, rows, _chunk(b"tIME", bytes(7)) * 90_000))
    whole_png = png(40, 40, 8, 2, rows)
    slivers = b"".join(_chunk(b"IDAT", rows[i : i + 1]) for i in range(len(rows)))
    start = whole_png[: whole_png.find(b"IDAT") - 4]
    empty = _chunk(b"IDAT", b"") * 90_000
    yield Bad("many-slivers.png", start + empty + slivers + _chunk(b"IEND", b""), refused=False)

    jpeg = whole["baseline.jpg"]
    segment = b"\xff\xe1" + struct.pack(">H", 65_002) + b"http://x\0" + bytes(64_991)
    yield Bad("many-segments.jpg", jpeg[:2] + segment * 90 + jpeg[2:])
    progressive = whole["progressive.jpg"]
    scan = progressive[progressive.rfind(b"\xff\xda") : -2]
    yield Bad("many-scans.jpg", progressive[:-2] + scan * 5000 + b"\xff\xd9")

    gif = whole["palette.gif"]
    colours = 13 + 3 * 2 ** ((gif[10] & 7) + 1)
    comment = b"!\xfe" + (b"\xff" + bytes(range(1, 256))) * 30_000 + b"\0"
    yield Bad("comment.gif", gif[:colours] + comment + gif[colours:])
    yield Bad("many-comments.gif", gif[:colours] + b"!\xfe\1x\0" * 300_000 + gif[colours:])

    webp = whole["lossy.webp"]
    odd = webp + b"JUNK" + struct.pack("<I", 5_000_000) + bytes(5_000_000)
    yield Bad("junk.webp", odd[:4] + struct.pack("<I", len(odd) - 8) + odd[8:], refused=False)


def tiff_loops() -> Iterator[Bad]:
    """Directories that point to themselves or each other, and tags of endless length."""
    plain = {
        256: (4, 1, 16),
        257: (4, 1, 16),
        258: (3, 1, 8),
        259: (3, 1, 1),
        262: (3, 1, 1),
        273: (4, 1, 0),
        277: (3, 1, 1),
        278: (4, 1, 16),
        279: (4, 1, 256),
    }

    def make(name: str, more: dict[int, tuple[int, int, int]], following: int = 0) -> Bad:
        tags = plain | more
        tags[273] = more.get(273, (4, 1, tiff_start(len(tags))))
        return Bad(f"loop-{name}.tiff", tiff(tags, bytes(256), following), refused=False)

    yield make("next", {}, following=8)
    for tag in (330, 34_665, 34_853, 40_965):  # further directories: sub, EXIF, GPS, interop
        yield make(f"tag-{tag}", {tag: (4, 1, 8)}, following=8)
    for tag in (256, 258, 270, 273, 279, 320, 34_675):
        for count in (2**16, 2**28, 2**32 - 1):
            yield make(f"long-{tag}-{count}", {tag: (4, count, 8)})
    for tag, value in ((258, 65_535), (259, 9999), (262, 77), (273, 2**32 - 1), (277, 60_000)):
        yield make(f"value-{tag}", {tag: (4, 1, value)})
    many = bytes(8_000_000)
    data = tiff(plain | {34_675: (7, len(many), tiff_start(10))}, many)
    yield Bad("long-profile.tiff", data)


def animations() -> Iterator[Bad]:
    """Of many frames."""
    frames = [Image.new("P", (16, 16), n % 7) for n in range(400)]
    for frame in frames:
        frame.putpalette(list(range(21)))
    options = {"save_all": True, "append_images": frames[1:]}
    for extension in ("gif", "png", "webp", "tiff"):
        file = io.BytesIO()
        frames[0].save(file, extension, **options)
        yield Bad(f"animated.{extension}", file.getvalue(), refused=False)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for bad in bad_images():
        (folder / bad.name).write_bytes(bad.data)
        count += 1
    print(f"{count} files in {folder}")


if __name__ == "__main__":
    main()
