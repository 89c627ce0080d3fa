"""Attributions, third view: which method finds the object, over many drawn shapes."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from resnet_viz.analysis.localisation_jobs import localisation_question
from resnet_viz.analysis.tables import rows_csv, rows_json
from resnet_viz.figures.attributions.captions import localisation_caption
from resnet_viz.figures.attributions.lines import Localised
from resnet_viz.figures.attributions.localisation import localisation
from resnet_viz.figures.attributions.rows import localisation_rows
from resnet_viz.figures.page import html_page
from resnet_viz.i18n import _
from resnet_viz.inside import Localisation
from resnet_viz.methods import Method
from resnet_viz.sources import NetCard
from resnet_viz.ui.downloads import table, take_away_probe
from resnet_viz.ui.inquiries import watch_questions
from resnet_viz.ui.inside.method_form import methods_control
from resnet_viz.ui.inside.nets import Shown
from resnet_viz.ui.live_chart import live_chart
from resnet_viz.ui.session import Backend
from resnet_viz.ui.words import plain

FIRST = ("saliency", "integrated-gradients", "guided-backprop", "grad-cam", "hirescam")
COUNTS = (16, 32, 64, 128, 256)


def localise_view(backend: Backend, nets: Sequence[Shown]) -> None:
    """Share of each map on the object, and how often its strongest pixel lies there.

    Raises:
        SpecError: a net was not trained on the drawn shapes.
    """
    st.caption(
        _(
            "On the drawn shapes the program knows which pixels are the object. Each test image's "
            "own class is explained, with the methods' usual parameters."
        )
    )
    methods = methods_control(nets[0].card, key="finders", default=FIRST)
    images = int(
        st.select_slider(_("Test images"), COUNTS, value=32, key="images", bind="query-params")
    )
    asked = [(net.card, method) for method in methods for net in nets]
    questions = [
        localisation_question(
            net.source,
            net.card,
            method.name,
            {},
            images=images,
        )
        for method in methods
        for net in nets
    ]
    cards = [card for card, _method in asked]
    watch_questions(
        backend,
        "localise",
        questions,
        lambda found: _draw(_measured(cards, found)),
        last=lambda found: _take_away(_measured(cards, found), nets, methods, images),
    )


def _measured(cards: Sequence[NetCard], found: Sequence[Localisation | None]) -> list[Localised]:
    pairs = zip(cards, found, strict=True)
    return [Localised(card, one) for card, one in pairs if one is not None]


def _draw(measured: Sequence[Localised]) -> None:
    figure = localisation(measured)
    live_chart(
        figure,
        key="localisation",
        height=figure.layout.height,
        alt=_("Share of the attribution on the object, and hits of the strongest pixel, by method"),
    )
    st.markdown(plain(localisation_caption(measured)))


def _take_away(
    measured: Sequence[Localised], nets: Sequence[Shown], methods: Sequence[Method], images: int
) -> None:
    rows = localisation_rows(measured)
    table(rows, key="localise_table")
    title = _("Which method finds the object?")
    take_away_probe(
        "localisation",
        csv=lambda: rows_csv(rows),
        json=lambda: rows_json(rows),
        html=lambda: html_page(title, [localisation(measured)], [localisation_caption(measured)]),
        code=_program(nets, methods, images),
    )


def _program(nets: Sequence[Shown], methods: Sequence[Method], images: int) -> str:
    names = [method.name for method in methods]
    return "\n".join(
        [
            "from resnet_viz.analysis.localisation_jobs import localisation_question",
            "from resnet_viz.analysis.opened import measure_card",
            "from resnet_viz.analysis.question import answer_here",
            "from resnet_viz.sources import Source",
            "",
            *(
                f"net = Source.from_dict({net.source.to_dict()!r})\n"
                "card = measure_card(net.to_dict())\n"
                f"for method in {names}:\n"
                f"    question = localisation_question(net, card, method, {{}}, images={images})\n"
                "    print(answer_here(question))"
                for net in nets
            ),
        ]
    )
