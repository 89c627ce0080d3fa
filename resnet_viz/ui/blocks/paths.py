"""Residual blocks, third view: how long the paths are that the gradient takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from resnet_viz.analysis.block_tables import path_rows
from resnet_viz.analysis.blockwise_jobs import paths_question
from resnet_viz.analysis.question import all_jobs
from resnet_viz.analysis.tables import rows_csv, rows_json
from resnet_viz.figures.blocks.paths import norm_by_length, paths_caption, shares_by_length
from resnet_viz.figures.page import html_page
from resnet_viz.i18n import _
from resnet_viz.ui.blocks.asking import askable, partial_results, program
from resnet_viz.ui.downloads import table, take_away_probe
from resnet_viz.ui.inquiries import ask, watch
from resnet_viz.ui.inside.nets import Shown
from resnet_viz.ui.linked_choice import linked_choice, linked_slider
from resnet_viz.ui.live_chart import live_chart
from resnet_viz.ui.session import Backend
from resnet_viz.ui.words import plain

_DRAWS = (3, 5, 10, 20, 50)


def paths_view(backend: Backend, nets: Sequence[Shown]) -> None:
    """Shares of paths and gradient by length, then the gradient of single paths.

    Raises:
        SpecError, DataError: no chosen net has paths that can be measured.
    """
    st.caption(
        _(
            "Every block offers two ways: its branch or its shortcut. So n blocks make 2ⁿ paths. "
            "Which of them does the gradient take? On the way back it is sent along single paths, "
            "drawn at random (Veit et al. 2016, arXiv:1605.06431, section 4.3)."
        )
    )
    unit_place, draws_place, _rest = st.columns([1.5, 1, 1.5])
    units = {"blocks": _("Blocks"), "layers": _("Weighted layers")}
    with unit_place:
        unit = linked_choice(_("Length in"), units, key="path_unit")
    with draws_place:
        draws = linked_slider(_("Paths of each length"), _DRAWS, key="path_draws", value=10)
    able, questions = askable(nets, lambda n: paths_question(n.source, n.card, draws))
    watch(
        ask(backend, "paths", all_jobs(questions)),
        lambda answers: _draw(able, partial_results(questions, answers), unit),
        name="paths",
        last=lambda answers: _take_away(able, partial_results(questions, answers), unit, draws),
    )


def _draw(nets: Sequence[Shown], found: Sequence[Any], unit: str) -> None:
    shown = [(n.title, each) for n, each in zip(nets, found, strict=True) if each is not None]
    live_chart(
        shares_by_length(shown, unit),
        key="path_shares",
        height=430,
        alt=_("Share of paths and of gradient by the length of the path"),
    )
    st.markdown(plain(paths_caption(shown)))
    live_chart(
        norm_by_length(shown, unit),
        key="path_norms",
        height=400,
        alt=_("Gradient norm of single paths by their length"),
    )


def _take_away(nets: Sequence[Shown], found: Sequence[Any], unit: str, draws: int) -> None:
    shown = [(n.title, each) for n, each in zip(nets, found, strict=True) if each is not None]
    rows = [row for label, each in shown for row in path_rows(label, each)]
    table(rows, key="path_table")
    take_away_probe(
        "paths",
        csv=lambda: rows_csv(rows),
        json=lambda: rows_json(rows),
        html=lambda: html_page(
            _("Path lengths"),
            [shares_by_length(shown, unit), norm_by_length(shown, unit)],
            [paths_caption(shown)],
        ),
        code=program(nets, "blockwise_jobs", "paths_question", f"draws={draws}"),
    )
