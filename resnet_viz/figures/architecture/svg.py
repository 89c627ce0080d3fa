"""The little of SVG that the drawings of nets need, and a drawing as a file of its own.

Text and lines take the colour of what is around them (currentColor), so that one drawing serves
the light and the dark page. What can be opened carries its place in `data-place`.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from resnet_viz.figures.palette import LOOKS, NEUTRAL

FONT = "'Source Sans', 'Noto Sans', sans-serif"
_FALLBACKS = {"densenet": "#9a5fc8", "highway": "#b8578a"}  # where the palette has none
_STANDALONE = (
    "svg{color:#1b2430;background:#ffffff}"
    "@media(prefers-color-scheme:dark){svg{color:#e4e9f0;background:#12161c}}"
)


@dataclass(frozen=True)
class Drawing:
    """A drawing of a net or of a part of it.

    Attributes:
        width, height: of its coordinates; about pixels on the page.
        body: SVG elements.
        alt: what it shows, for a person who cannot see it.
    """

    width: float
    height: float
    body: str
    alt: str

    @property
    def svg(self) -> str:
        """The <svg> element for a page."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {n(self.width)} '
            f'{n(self.height)}" width="{n(self.width)}" height="{n(self.height)}" role="group" '
            f'aria-label="{escape(self.alt)}" fill="none" stroke="none" font-size="13" '
            f'font-family="{FONT}">{_TIP}{self.body}</svg>'
        )

    @property
    def file(self) -> str:
        """The same as a file that stands for itself, light or dark as the reader prefers."""
        start = self.svg.index(">") + 1
        return f"{self.svg[:start]}<style>{_STANDALONE}</style>{self.svg[start:]}\n"


_TIP = (
    '<defs><marker id="resnet-viz-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
    'markerHeight="7" markerUnits="userSpaceOnUse" orient="auto">'
    '<path d="M0 0 8 4 0 8z" fill="context-stroke"/></marker></defs>'
)


def n(value: float) -> str:
    """A coordinate, short."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


def colour_of(family: str) -> str:
    """The family's colour; neutral for nets that are of none."""
    if family in LOOKS:
        return LOOKS[family].shades[1]
    return _FALLBACKS.get(family, NEUTRAL)


def shape_text(shape: tuple[int, ...]) -> str:
    """Channels × height × width: "256×56×56"."""
    return "×".join(map(str, shape))


def text(
    x: float,
    y: float,
    words: str,
    *,
    size: float = 13,
    anchor: str = "start",
    weight: int = 400,
    opacity: float = 1.0,
    fill: str = "currentColor",
) -> str:
    """One line of text with its baseline at y."""
    more = f' font-weight="{weight}"' if weight != 400 else ""
    more += f' fill-opacity="{n(opacity)}"' if opacity < 1 else ""
    return (
        f'<text x="{n(x)}" y="{n(y)}" font-size="{n(size)}" text-anchor="{anchor}" '
        f'fill="{fill}"{more}>{escape(words)}</text>'
    )


def rect(
    x: float,
    y: float,
    width: float,
    height: float,
    *,
    fill: str = "none",
    fill_opacity: float = 1.0,
    stroke: str = "none",
    stroke_opacity: float = 1.0,
    radius: float = 4,
    kind: str = "",
) -> str:
    """A rectangle with round corners."""
    more = f' class="{kind}"' if kind else ""
    return (
        f'<rect x="{n(x)}" y="{n(y)}" width="{n(width)}" height="{n(height)}" rx="{n(radius)}" '
        f'fill="{fill}" fill-opacity="{fill_opacity:.2f}" stroke="{stroke}" '
        f'stroke-opacity="{stroke_opacity:.2f}"{more}/>'
    )


def path(
    data: str,
    *,
    stroke: str = "currentColor",
    width: float = 1.5,
    dash: str = "",
    opacity: float = 1.0,
    tip: bool = False,
    fill: str = "none",
) -> str:
    """A line, with an arrow's tip at its end if wanted."""
    more = f' stroke-dasharray="{dash}"' if dash else ""
    more += ' marker-end="url(#resnet-viz-tip)"' if tip else ""
    more += f' stroke-opacity="{opacity:.2f}"' if opacity < 1 else ""
    return f'<path d="{data}" fill="{fill}" stroke="{stroke}" stroke-width="{n(width)}"{more}/>'


def target(x: float, y: float, width: float, height: float) -> str:
    """What is not seen but can be clicked."""
    return rect(x, y, width, height, fill="transparent", radius=0)


def item(place: str, title: str, body: str, *, current: bool = False) -> str:
    """What a click opens; `title` says what it is, to the pointer and to a screen reader."""
    label = escape(title)
    mark = ' aria-current="true"' if current else ""
    return (
        f'<g data-place="{escape(place)}" role="button" tabindex="-1" aria-label="{label}"{mark}>'
        f"<title>{label}</title>{body}</g>"
    )
