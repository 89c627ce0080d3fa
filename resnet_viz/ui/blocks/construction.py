"""Residual blocks, second view: the deeper net that exists, and whether training finds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from resnet_viz.analysis.block_tables import constructed_rows
from resnet_viz.analysis.construction_jobs import Insertion, construction_question
from resnet_viz.analysis.tables import rows_csv, rows_json
from resnet_viz.figures.blocks.construction import before_and_after, construction_caption
from resnet_viz.figures.page import html_page
from resnet_viz.i18n import _
from resnet_viz.ui.blocks.asking import askable, program
from resnet_viz.ui.blocks.nets import images_control
from resnet_viz.ui.blocks.train_on import train_on
from resnet_viz.ui.downloads import table, take_away_probe
from resnet_viz.ui.inquiries import watch_questions
from resnet_viz.ui.inside.nets import Shown
from resnet_viz.ui.linked_choice import linked_choice, linked_slider
from resnet_viz.ui.live_chart import live_chart
from resnet_viz.ui.session import Backend
from resnet_viz.ui.words import plain

_IMAGES = (128, 256, 512, 1024, 2048)
_MOST_BLOCKS = (1, 2, 3, 4, 6, 8, 12, 16)


def construction_view(backend: Backend, nets: Sequence[Shown]) -> None:
    """Errors before and after blocks are inserted; then the nets are trained on.

    Raises:
        SpecError, DataError: no chosen net can be made deeper.
    """
    st.caption(
        _(
            "A deeper net can do all that a shallower one can: copy it, and let the new blocks "
            "pass on what they get (He et al. 2015, section 1). Here that net is built and "
            "measured. A new residual block has a branch that gives zero; a new plain block has "
            "kernels that copy, and norms that undo themselves."
        )
    )
    insertion, images = _controls(nets)
    able, questions = askable(
        nets, lambda n: construction_question(n.source, n.card, insertion, images)
    )
    watch_questions(
        backend,
        "construction",
        questions,
        lambda found: _draw(able, found),
        last=lambda found: _take_away(able, found, insertion, images),
    )
    train_on(backend, able, insertion)


def _controls(nets: Sequence[Shown]) -> tuple[Insertion, int]:
    where, count, looked, _rest = st.columns([1.2, 1, 1, 0.4])
    stages = len(nets[0].card.net.stage_blocks)
    titles = {"0": _("every stage")}
    titles |= {str(s): _("stage {s}").format(s=s) for s in range(1, stages + 1)}
    with where:
        stage = linked_choice(_("New blocks at the end of"), titles, key="grow_at", as_list=True)
    with count:
        k = linked_slider(_("Blocks in each"), _MOST_BLOCKS, key="grow_by", value=2)
    with looked:
        images = images_control("grow_images", 512, _IMAGES)
    return Insertion(int(stage), k), images


def _draw(nets: Sequence[Shown], found: Sequence[Any]) -> None:
    shown = [(n.title, each) for n, each in zip(nets, found, strict=True) if each is not None]
    if not shown:
        return
    live_chart(
        before_and_after(shown),
        key="before_and_after",
        height=420,
        alt=_("Errors before and after blocks were inserted"),
    )
    st.markdown(plain(construction_caption(shown)))


def _take_away(
    nets: Sequence[Shown], found: Sequence[Any], insertion: Insertion, images: int
) -> None:
    shown = [(n.title, each) for n, each in zip(nets, found, strict=True) if each is not None]
    rows = [row for label, each in shown for row in constructed_rows(label, each)]
    table(rows, key="construction_table")
    take_away_probe(
        "construction",
        csv=lambda: rows_csv(rows),
        json=lambda: rows_json(rows),
        html=lambda: html_page(
            _("The argument by construction"),
            [before_and_after(shown)],
            [construction_caption(shown)],
        ),
        code=program(
            nets,
            "construction_jobs",
            "construction_question",
            f"Insertion({insertion.stage}, {insertion.k}), images={images}",
        ).replace("import construction_question", "import Insertion, construction_question"),
    )
