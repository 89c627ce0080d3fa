"""Figures as one HTML page that needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go

from resnet_viz.figures.aggregate import Runs
from resnet_viz.figures.captions import sweep_caption
from resnet_viz.figures.errors import error_vs_depth, error_vs_step
from resnet_viz.figures.verdict import judge


def figures_page(runs: Runs, title: str) -> str:
    """A whole HTML document with figures that zoom, and the caption computed from the runs."""
    return html_page(
        title, [error_vs_depth(runs), error_vs_step(runs)], [sweep_caption(judge(runs))]
    )


def html_page(
    title: str, figures: Sequence[go.Figure], captions: Sequence[str], table: str = ""
) -> str:
    """A whole HTML document: figures that zoom, a paragraph for each caption, then a table.

    Args:
        table: markup of `html_table`, or "".
    """
    charts = [
        figure.to_html(full_html=False, include_plotlyjs=number == 0)
        for number, figure in enumerate(figures)
    ]
    paragraphs = [f"<p>{escape(caption)}</p>" for caption in captions]
    return (
        f'<!doctype html>\n<html><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
        f"<body style='font-family:sans-serif'><h1>{escape(title)}</h1>"
        f"{''.join([*charts, *paragraphs, table])}</body></html>\n"
    )


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markup of a table; the first column is text, the others numbers."""
    style = ["", *[' style="text-align:right;padding-left:1.5em"'] * (len(head) - 1)]
    first = "".join(f"<th{s}>{escape(c)}</th>" for s, c in zip(style, head, strict=True))
    body = "".join(
        f"<tr>{''.join(f'<td{s}>{escape(c)}</td>' for s, c in zip(style, row, strict=True))}</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{first}</tr></thead><tbody>{body}</tbody></table>"
