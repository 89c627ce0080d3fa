"""Several pictures with their texts as one PNG to take away."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont

from resnet_viz.figures.maps.pictures import Picture
from resnet_viz.figures.maps.scales import png_bytes

Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

_MARGIN, _SPACE = 16, 6
_PAPER, _INK, _FAINT = "#ffffff", "#1b2430", "#5b6675"
_FONT_PIXELS, _TITLE_PIXELS = 14, 18
_LEAST_COLUMN_PIXELS = 96  # narrower ones would break words

# Pillow's own font is there on every machine but knows little more than ASCII.
_IN_ASCII = str.maketrans({"×": "x", "−": "-", "–": "-", "‖": "|", "→": ">"})
_LARGER_FONTS = (
    *("NotoSansCJK-Regular.ttc", "NotoSans-Regular.ttf", "DejaVuSans.ttf"),  # Linux
    *("Hiragino Sans GB.ttc", "Arial Unicode.ttf", "msyh.ttc", "arial.ttf"),  # macOS, Windows
)


@dataclass(frozen=True)
class _Line:
    """Texts or images side by side, each in its column; one alone may span them all."""

    parts: tuple[str | Image.Image | None, ...]
    font: Font
    ink: str = _INK
    below: int = 0

    @property
    def height(self) -> int:
        return max((self._height(part) for part in self.parts), default=0) + self.below

    def _height(self, part: str | Image.Image | None) -> int:
        if isinstance(part, Image.Image):
            return part.height
        return round(_line_pixels(self.font) * len((part or "").splitlines()))

    def draw(self, paper: Image.Image, y: int, widths: Sequence[int]) -> None:
        x = _MARGIN
        for part, width in zip(self.parts, widths, strict=False):
            if isinstance(part, Image.Image):
                paper.paste(part, (x, y))
            else:
                for number, text in enumerate((part or "").splitlines()):
                    at = (x, y + round(number * _line_pixels(self.font)))
                    ImageDraw.Draw(paper).text(at, text, self.ink, self.font)
            x += width + _MARGIN


def composed(
    rows: Sequence[Sequence[Picture | None]],
    *,
    title: str = "",
    row_titles: Sequence[str] = (),
    column_titles: Sequence[str] = (),
) -> bytes:
    """Pictures in rows and columns with their texts, on white, as one PNG to take away.

    Texts are wrapped to the width of their column; a column is as wide as its widest picture.

    Args:
        rows: of pictures; None leaves a place empty, and rows may be of different lengths.
        title: above everything.
        row_titles: above each row; none, or one a row.
        column_titles: on top of each column; none, or one a column.

    Raises:
        ValueError: there is no picture.
    """
    images = [[_on_paper(p.png) if p else None for p in row] for row in rows]
    count = max(map(len, images), default=0)
    columns = [[row[c] for row in images if c < len(row)] for c in range(count)]
    sides = [[image.width for image in column if image] for column in columns]
    if not any(sides):
        raise ValueError("no picture to compose")
    widths = [max([_LEAST_COLUMN_PIXELS, *side]) for side in sides]
    whole = [sum(widths) + _MARGIN * (count - 1)]
    texts = [title, *row_titles, *column_titles]
    texts += [text for row in rows for p in row if p for text in (p.title, p.caption)]
    characters = frozenset("".join(texts).translate(_IN_ASCII))
    font, large = _font(characters, _FONT_PIXELS), _font(characters, _TITLE_PIXELS)
    lines = [
        _text_line([title], whole, large, below=_MARGIN),
        _text_line(column_titles, widths, font, below=_SPACE),
    ]
    for number, (row, found) in enumerate(zip(rows, images, strict=True)):
        lines += [
            _text_line(row_titles[number : number + 1], whole, large),
            _text_line([p.title if p else "" for p in row], widths, font),
            _Line(tuple(found), font, below=_SPACE),
            _text_line([p.caption if p else "" for p in row], widths, font, ink=_FAINT),
            _Line((), font, below=_MARGIN),
        ]
    paper = Image.new(
        "RGB", (whole[0] + 2 * _MARGIN, _MARGIN + sum(line.height for line in lines)), _PAPER
    )
    y = _MARGIN
    for line in lines:
        line.draw(paper, y, widths)
        y += line.height
    return png_bytes(paper)


def _text_line(
    texts: Iterable[str], widths: Sequence[int], font: Font, *, ink: str = _INK, below: int = 0
) -> _Line:
    wrapped = tuple(_wrapped(text, font, w) for text, w in zip(texts, widths, strict=False))
    return _Line(wrapped, font, ink, below if any(wrapped) else 0)


def _wrapped(text: str, font: Font, width: int) -> str:
    lines: list[str] = []
    for paragraph in text.translate(_IN_ASCII).splitlines():
        lines.append("")
        for word in paragraph.split():
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and font.getlength(longer) > width:
                lines.append(word)
            else:
                lines[-1] = longer
    return "\n".join(lines)


@cache
def _font(characters: frozenset[str], pixels: int) -> Font:
    """Pillow's own font where it has the characters, else a larger one of the computer."""
    own = ImageFont.load_default(pixels)
    missing = bytes(own.getmask("\uffff"))
    if all(c.isspace() or bytes(own.getmask(c)) != missing for c in characters):
        return own
    for name in _LARGER_FONTS:
        with suppress(OSError):  # not on this computer
            return ImageFont.truetype(name, pixels)
    return own


def _line_pixels(font: Font) -> float:
    return 1.4 * getattr(font, "size", _FONT_PIXELS)


def _on_paper(png: bytes) -> Image.Image:
    """A picture whose transparent places are white."""
    with Image.open(io.BytesIO(png)) as picture:
        ink = picture.convert("RGBA")
    paper = Image.new("RGBA", ink.size, _PAPER)
    return Image.alpha_composite(paper, ink).convert("RGB")
