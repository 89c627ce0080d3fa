"""What a file is by its first bytes, whatever its name says. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Callable

from resnet_viz.datasets.errors import PictureError
from resnet_viz.i18n import _

_LOOKED_AT = 4096

_OPENED: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "PNG"),
    (re.compile(rb"\xff\xd8\xff"), "JPEG"),
    (re.compile(rb"GIF8[79]a"), "GIF"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "WebP"),
    (re.compile(rb"BM"), "BMP"),
    (re.compile(rb"II[*+]\0|MM\0[*+]"), "TIFF"),
)

# What else people drop there. The first that fits counts; ISO media files have their brand at 4.
_OTHERS: tuple[tuple[re.Pattern[bytes], Callable[[], str]], ...] = (
    (
        re.compile(rb"\x80[\x02-\x05]|PK\x03\x04.{26}[^\0]{0,200}data\.pkl", re.DOTALL),
        lambda: _("a Python pickle, which could run any program when read: it is not opened"),
    ),
    (
        re.compile(rb"....ftyp(heic|heix|hevc|heim|heis|mif1|msf1)", re.DOTALL),
        lambda: _("a HEIC photograph; export it as JPEG"),
    ),
    (
        re.compile(rb"....ftypavi[fs]", re.DOTALL),
        lambda: _("an AVIF picture; export it as PNG or JPEG"),
    ),
    (
        re.compile(rb"....ftyp|\x1aE\xdf\xa3|RIFF....AVI ", re.DOTALL),
        lambda: _("a film; save one of its frames as PNG"),
    ),
    (
        re.compile(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51|\xff\x0a|\0\0\0\x0cJXL "),
        lambda: _("a JPEG 2000 or JPEG XL picture; export it as PNG or JPEG"),
    ),
    (re.compile(rb"8BPS"), lambda: _("a Photoshop document; export it as PNG")),
    (re.compile(rb"%PDF|%!PS"), lambda: _("a PDF or PostScript document; export a page as PNG")),
    (re.compile(rb"\0\0\x01\0"), lambda: _("an icon (ICO); export it as PNG")),
    (re.compile(rb"\x93NUMPY"), lambda: _("a NumPy array; save it as PNG")),
    (
        re.compile(rb"PK\x03\x04|\x1f\x8b|7z\xbc\xaf|Rar!|\xfd7zXZ|BZh|\x28\xb5\x2f\xfd"),
        lambda: _("a packed archive; unpack it and choose a picture"),
    ),
    (re.compile(rb"\x7fELF|MZ"), lambda: _("a program, not a picture; choose another file")),
    (
        re.compile(rb"(?s)\s*<.*<svg\b|\s*<svg\b", re.IGNORECASE),
        lambda: _("an SVG drawing; export it as PNG"),
    ),
    (
        re.compile(rb"(?s)\s*(<!--.*?-->\s*)?<(!doctype html|html|head|body)\b", re.IGNORECASE),
        lambda: _("a web page; save the picture on it, not the page"),
    ),
)


def kind_of(data: bytes, name: str) -> str:
    """ "PNG", "JPEG", "GIF", "WebP", "BMP" or "TIFF".

    Args:
        name: for the message.

    Raises:
        PictureError: it is none of these; says what it is, where that can be told.
    """
    start = data[:_LOOKED_AT].removeprefix(b"\xef\xbb\xbf")
    for pattern, kind in _OPENED:
        if pattern.match(start):
            return kind
    text = _("“{name}” is {what}.")
    raise PictureError(text.format(name=name, what=_other(start)))


def _other(start: bytes) -> str:
    if not start:
        return _("empty (0 bytes); copy or download it again")
    if not any(start):
        return _("full of zeros; copy or download it again")
    for pattern, what in _OTHERS:
        if pattern.match(start):
            return what()
    if not re.search(rb"[\0-\x08\x0e-\x1a\x7f]", start):
        return _("a text, not a picture; choose a PNG, JPEG, WebP, GIF, BMP or TIFF")
    return _("no picture that can be opened; choose a PNG, JPEG, WebP, GIF, BMP or TIFF")
