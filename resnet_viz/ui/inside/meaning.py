"""Feature maps, fourth view: what a linear classifier reads from every block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from resnet_viz.analysis.feature_jobs import overview_question
from resnet_viz.analysis.linear_jobs import placed_question, probes_question
from resnet_viz.analysis.question import Question
from resnet_viz.analysis.tables import probe_rows, rows_csv, rows_json
from resnet_viz.datasets.errors import DataError
from resnet_viz.figures.maps.linear import (
    Probed,
    class_probability_vs_depth,
    probe_error_vs_depth,
)
from resnet_viz.figures.maps.linear_captions import placed_caption, probe_caption
from resnet_viz.figures.page import html_page
from resnet_viz.i18n import _
from resnet_viz.inside import LinearProbes
from resnet_viz.specs import SpecError
from resnet_viz.ui.downloads import table, take_away_probe
from resnet_viz.ui.inquiries import known_results, missing, watch_questions
from resnet_viz.ui.inside.looking import Looking
from resnet_viz.ui.inside.nets import Shown
from resnet_viz.ui.live_chart import live_chart
from resnet_viz.ui.session import Backend
from resnet_viz.ui.words import plain


def meaning_view(backend: Backend, looking: Looking) -> None:
    """The probes' error by depth, then what they say of the image.

    Raises:
        SpecError: no chosen net can have probes.
    """
    st.caption(
        _(
            "A linear classifier is fitted to what a block gives, averaged over the image "
            "(Alain & Bengio 2016, arXiv:1610.01644). The less it errs, the more of the classes "
            "can be read off there. The net itself is not changed."
        )
    )
    nets, questions = _askable(looking)
    probes: list[LinearProbes] | None = known_results(backend, "probes", questions)
    if probes is None:
        watch_questions(backend, "probes", questions, lambda found: _errors(nets, found))
        return
    asked = [placed_question(net.source, net.card, looking.text(net)) for net in nets]
    asked += [overview_question(net.source, looking.text(net), net.card) for net in nets]
    watch_questions(
        backend,
        "placed",
        asked,
        lambda found: _draw(_probed(nets, probes, found)),
        last=lambda found: _take_away(_probed(nets, probes, found), nets),
        after="probes",
    )


def _askable(looking: Looking) -> tuple[list[Shown], list[Question]]:
    """The nets whose probes are there or can be fitted; why the others have none is said."""
    nets, questions, refused = [], [], []
    for net in looking.nets:
        try:
            questions.append(probes_question(net.source, net.card))
            nets.append(net)
        except (SpecError, DataError) as error:
            refused.append(str(error))
    if not nets:
        raise SpecError("\n\n".join(refused))
    for text in refused:
        st.warning(plain(text), icon=":material/warning:")
    return nets, questions


def _probed(
    nets: Sequence[Shown], probes: Sequence[LinearProbes], found: Sequence[Any]
) -> list[Probed]:
    placed, overviews = found[: len(nets)], found[len(nets) :]
    return [
        Probed(net.title, each, where, overview.prediction)
        if where is not None and overview is not None
        else Probed(net.title, each)
        for net, each, where, overview in zip(nets, probes, placed, overviews, strict=True)
    ]


def _errors(nets: Sequence[Shown], found: Sequence[LinearProbes | None]) -> None:
    """The errors of those that are fitted, while others are not."""
    _draw([Probed(n.title, p) for n, p in zip(nets, found, strict=True) if p is not None])


def _draw(found: Sequence[Probed]) -> None:
    if not found:
        text = _("Probes are being fitted; they are kept, so that the next visit has them.")
        missing("probes", text)
        return
    live_chart(
        probe_error_vs_depth(found),
        key="probe_error",
        height=440,
        alt=_("Test error of a linear probe after every block"),
    )
    st.markdown(plain(probe_caption(found)))
    if any(each.placed is not None for each in found):
        st.subheader(_("And this image?"))
        live_chart(
            class_probability_vs_depth(found),
            key="probe_image",
            height=400,
            alt=_("Probability that the probes give the class that the net names"),
        )
        st.markdown(plain(placed_caption(found)))


def _take_away(found: Sequence[Probed], nets: Sequence[Shown]) -> None:
    rows = [
        row
        for each in found
        for row in probe_rows(
            each.probes, each.placed, None if each.placed is None else each.target
        )
    ]
    table(rows, key="probe_table")
    title = _("Does meaning rise with depth?")
    figures = [probe_error_vs_depth(found), class_probability_vs_depth(found)]
    captions = [probe_caption(found), placed_caption(found)]
    take_away_probe(
        "linear_probes",
        csv=lambda: rows_csv(rows),
        json=lambda: rows_json(rows),
        html=lambda: html_page(title, figures, captions),
        code=_program(nets),
    )


def _program(nets: Sequence[Shown]) -> str:
    return "\n".join(
        [
            "from resnet_viz.analysis.linear_jobs import probes_question",
            "from resnet_viz.analysis.opened import measure_card",
            "from resnet_viz.analysis.question import answer_here",
            "from resnet_viz.sources import Source",
            "",
            *(
                f"net = Source.from_dict({net.source.to_dict()!r})\n"
                "print(answer_here(probes_question(net, measure_card(net.to_dict()))))"
                for net in nets
            ),
        ]
    )
