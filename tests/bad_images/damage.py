"""What was a picture once, or never was one."""

from __future__ import annotations

import io
import pickle
import random
import zipfile
from collections.abc import Iterator

from tests.bad_images.making import EXTENSIONS, Bad

CUTS, FLIPS = 24, 22  # of each whole file
FRACTION_WITHOUT_ALL_PIXELS = 0.85


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
