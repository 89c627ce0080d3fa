"""Pictures with too much beside them: texts, profiles, scans, directories, frames."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

from PIL import Image

from tests.bad_images.making import Bad, chunk, png, tiff, tiff_start


def burdened(whole: dict[str, bytes]) -> Iterator[Bad]:
    """A good picture with too much beside it."""
    rows = zlib.compress(bytes(40 * (3 * 40 + 1)))
    for megabytes in (5, 30):
        text = chunk(b"tEXt", b"Comment\0" + bytes(megabytes * 1_000_000))
        yield Bad(f"text-{megabytes}.png", png(40, 40, 8, 2, rows, text))
    packed = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(900_000), 9))
    yield Bad("many-texts.png", png(40, 40, 8, 2, rows, packed * 100))
    too_long = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(30_000_000), 9))
    yield Bad("text-bomb.png", png(40, 40, 8, 2, rows, too_long))
    profile = chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(30_000_000), 9))
    yield Bad("profile-bomb.png", png(40, 40, 8, 2, rows, profile), refused=False)
    yield Bad("many-chunks.png", png(40, 40, 8, 2, rows, chunk(b"tIME", bytes(7)) * 90_000))
    whole_png = png(40, 40, 8, 2, rows)
    slivers = b"".join(chunk(b"IDAT", rows[i : i + 1]) for i in range(len(rows)))
    start = whole_png[: whole_png.find(b"IDAT") - 4]
    empty = chunk(b"IDAT", b"") * 90_000
    yield Bad("many-slivers.png", start + empty + slivers + chunk(b"IEND", b""), refused=False)

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
