"""Both figures of a sweep as one HTML page that needs no network."""

from __future__ import annotations

from html import escape

from resnet_viz.figures.aggregate import Runs
from resnet_viz.figures.captions import sweep_caption
from resnet_viz.figures.errors import error_vs_depth, error_vs_step
from resnet_viz.figures.verdict import judge


def figures_page(runs: Runs, title: str) -> str:
    """A whole HTML document with figures that zoom, and the caption computed from the runs."""
    figures = [
        error_vs_depth(runs).to_html(full_html=False, include_plotlyjs=True),
        error_vs_step(runs).to_html(full_html=False, include_plotlyjs=False),
    ]
    return (
        f'<!doctype html>\n<html><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
        f"<body style='font-family:sans-serif'><h1>{escape(title)}</h1>"
        f"{''.join(figures)}<p>{escape(sweep_caption(judge(runs)))}</p></body></html>\n"
    )
