"""A small drawing of a plain and a residual block, after He et al. 2015, Fig. 2."""

from __future__ import annotations

from html import escape

import streamlit as st

from resnet_viz.figures.palette import LOOKS
from resnet_viz.i18n import _


def block_drawing() -> None:
    """Both blocks side by side, in the colours of their families."""
    parts = [
        _block(0, "plain", LOOKS["plain"].shades[1], residual=False),
        _block(220, "resnet", LOOKS["resnet"].shades[1], residual=True),
    ]
    alt = _(
        "Left, a plain block: x goes through two weight layers. Right, a residual block: a "
        "shortcut carries x past two weight layers and is added to their output F(x)."
    )
    # A part of our own, since st.html removes drawings.
    drawing = (
        f'<svg viewBox="30 0 510 262" role="img" aria-label="{escape(alt)}" '
        'style="max-width:620px;width:100%;color:var(--st-text-color);'
        'font-family:var(--st-font)" fill="none" '
        f'stroke="currentColor" stroke-width="1.6">{_ARROWHEAD}{"".join(parts)}</svg>'
    )
    st.components.v2.component("resnet_viz_blocks", html=drawing)(key="blocks")


_ARROWHEAD = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="10" '
    'markerHeight="10" markerUnits="userSpaceOnUse" '
    'orient="auto"><path d="M0 0 8 4 0 8z" fill="context-stroke" stroke="none"/></marker></defs>'
)


def _block(left: int, family: str, colour: str, *, residual: bool) -> str:
    x = left + 130
    output = "relu(F(x) + x)" if residual else "relu(F(x))"
    items = [
        _text(x, 16, family, weight=700, fill=colour),
        _text(x - 14, 46, "x"),
        _arrow(f"M{x} 26V60"),
        _box(x, 60, colour),
        _arrow(f"M{x} 94V124"),
        _text(x + 24, 113, "relu"),
        _box(x, 124, colour),
        _arrow(f"M{x} 158V{184 if residual else 228}"),
        _text(x, 250, output),
    ]
    if residual:
        items += [
            f'<path d="M{x} 42H{x + 120}V196H{x + 16}" stroke="{colour}" stroke-width="2.6" '
            'marker-end="url(#tip)"/>',
            f'<circle cx="{x}" cy="196" r="12"/><path d="M{x - 6} 196h12M{x} 190v12"/>',
            _arrow(f"M{x} 208V230"),
            _text(x + 126, 122, _("identity"), anchor="start"),
            _text(x - 28, 176, "F(x)"),
        ]
    return "".join(items)


def _box(x: int, top: int, colour: str) -> str:
    return (
        f'<rect x="{x - 72}" y="{top}" width="144" height="34" rx="6" stroke="{colour}" '
        f'stroke-width="2"/>{_text(x, top + 22, _("3×3 conv, norm"))}'
    )


def _arrow(path: str) -> str:
    return f'<path d="{path}" marker-end="url(#tip)"/>'


def _text(
    x: int,
    y: int,
    text: str,
    *,
    anchor: str = "middle",
    weight: int = 400,
    fill: str = "currentColor",
) -> str:
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="14" font-weight="{weight}" '
        f'fill="{fill}" stroke="none">{escape(text)}</text>'
    )
