"""Residual blocks, fifth view: what a DenseNet's layers take from those before them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from resnet_viz.analysis.block_tables import reuse_rows
from resnet_viz.analysis.blockwise_jobs import reuse_question
from resnet_viz.analysis.question import all_jobs
from resnet_viz.analysis.reuse_files import shipped_reuse
from resnet_viz.analysis.tables import rows_csv, rows_json
from resnet_viz.figures.blocks.reuse import feature_reuse, reuse_caption
from resnet_viz.figures.page import html_page
from resnet_viz.i18n import _
from resnet_viz.reuse import Reuse
from resnet_viz.ui.blocks.asking import askable, partial_results, program
from resnet_viz.ui.downloads import table, take_away_probe
from resnet_viz.ui.inquiries import ask, watch
from resnet_viz.ui.inside.nets import Shown
from resnet_viz.ui.live_chart import live_chart
from resnet_viz.ui.session import Backend
from resnet_viz.ui.words import plain


def reuse_view(backend: Backend, nets: Sequence[Shown]) -> None:
    """A heat map of weights from source layer to target layer, a row a net.

    Where no chosen net is a DenseNet, a stored example is shown.
    """
    st.caption(
        _(
            "In a DenseNet every layer sees the outputs of all layers before it in its stage, one "
            "beside the other. Which of them does it use? Mean absolute weight from source to "
            "target; in a fresh net all are alike (Huang et al. 2017, arXiv:1608.06993, Fig. 5)."
        )
    )
    if not any(net.card.net.family == "densenet" for net in nets):
        _stored_example(nets)
        return
    able, questions = askable(nets, lambda net: reuse_question(net.source, net.card))
    watch(
        ask(backend, "reuse", all_jobs(questions)),
        lambda answers: _draw(able, partial_results(questions, answers)),
        name="reuse",
        last=lambda answers: _take_away(able, partial_results(questions, answers)),
    )


def _stored_example(nets: Sequence[Shown]) -> None:
    """What comes with the program, where no chosen net is a DenseNet."""
    st.info(
        _(
            "No layer of {nets} sees an earlier one apart from the rest: that needs a DenseNet. "
            "Choose a run of one on the left, or [train one](error_vs_depth?families=densenet)."
        ).format(nets=_(" or ").join(plain(net.title) for net in nets)),
        icon=":material/info:",
    )
    stored = shipped_reuse()
    net, train = stored.run.net, stored.run.train
    text = _(
        "**Stored example:** {net} (growth rate {k}) after {steps:,} steps on drawn shapes; test "
        "error {error:.1f} %."
    )
    about = {"net": net.name, "k": net.growth_rate, "steps": train.steps}
    st.markdown(text.format(error=100 * stored.test_error, **about))
    _panels(net.name, stored.reuse)
    table(reuse_rows(net.name, stored.reuse), key="stored_reuse_table")


def _draw(nets: Sequence[Shown], found: Sequence[Any]) -> None:
    for net, reuse in zip(nets, found, strict=True):
        if reuse is not None:
            st.markdown(f"**{plain(net.title)}**")
            _panels(net.title, reuse)


def _panels(name: str, reuse: Reuse) -> None:
    live_chart(
        feature_reuse(reuse),
        key=f"reuse_{name}",
        height=420,
        alt=_("Weights from source layer to target layer of {net}").format(net=name),
    )
    st.markdown(plain(reuse_caption(reuse)))


def _take_away(nets: Sequence[Shown], found: Sequence[Any]) -> None:
    shown = [(n.title, each) for n, each in zip(nets, found, strict=True) if each is not None]
    rows = [row for label, each in shown for row in reuse_rows(label, each)]
    table(rows, key="reuse_table")
    take_away_probe(
        "feature_reuse",
        csv=lambda: rows_csv(rows),
        json=lambda: rows_json(rows),
        html=lambda: html_page(
            _("Feature reuse"),
            [feature_reuse(each) for _label, each in shown],
            [reuse_caption(each) for _label, each in shown],
        ),
        code=program(nets, "blockwise_jobs", "reuse_question", ""),
    )
