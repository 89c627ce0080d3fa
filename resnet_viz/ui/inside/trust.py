"""Attributions, second view: how far one method's map can be trusted, measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from resnet_viz.analysis.attribution_jobs import attribution_question
from resnet_viz.analysis.question import Question
from resnet_viz.analysis.tables import rows_json
from resnet_viz.analysis.trust_jobs import (
    chance_question,
    curves_question,
    infidelity_question,
    sensitivity_question,
)
from resnet_viz.figures.attributions.captions import (
    completeness_caption,
    curves_caption,
    infidelity_caption,
    randomised_caption,
    sensitivity_caption,
)
from resnet_viz.figures.attributions.curves import deletion_and_insertion
from resnet_viz.figures.attributions.lines import Curves
from resnet_viz.figures.attributions.measures import rank_correlation
from resnet_viz.figures.attributions.overlay import (
    attribution_limits,
    attribution_png,
    comparison_png,
)
from resnet_viz.figures.attributions.rows import curve_rows, trust_rows
from resnet_viz.figures.maps.pictures import Picture
from resnet_viz.i18n import _
from resnet_viz.inside import Attribution
from resnet_viz.methods import Method
from resnet_viz.points import parts_from_head
from resnet_viz.trust import Infidelity, Sensitivity
from resnet_viz.ui.downloads import table
from resnet_viz.ui.inquiries import known_results, missing, watch_questions
from resnet_viz.ui.inside.columns import Column, target_columns
from resnet_viz.ui.inside.commands import attribute_command
from resnet_viz.ui.inside.looking import Looking
from resnet_viz.ui.inside.method_form import fitting, method_control, parameters_control
from resnet_viz.ui.inside.take_away import take_away_inside
from resnet_viz.ui.live_chart import live_chart
from resnet_viz.ui.pixel_images import pixel_images
from resnet_viz.ui.session import Backend
from resnet_viz.ui.words import plain


@dataclass(frozen=True)
class Case:
    """One net's map, and what is asked about it."""

    column: Column
    map_question: Question
    parameters: Mapping[str, Any]


def trust_view(backend: Backend, looking: Looking) -> None:
    """One method; its maps first, then what is measured of them.

    Raises:
        SpecError: a net cannot be asked.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = method_control(looking.nets[0].card, key="method", default="integrated-gradients")
        columns = target_columns(backend, looking, looking.nets)
        given = parameters_control(method, key="t")
    st.caption(f"{method.asks} ({method.paper})")
    cases = [_case(looking, method, column, given) for column in columns]
    asked = [case.map_question for case in cases]
    maps: list[Attribution] | None = known_results(backend, "trust_map", asked)
    if maps is None:
        watch_questions(
            backend, "trust_map", asked, lambda found: _maps(looking, method, cases, found)
        )
        return
    _maps(looking, method, cases, maps)
    parts = [_questions(looking, case, found) for case, found in zip(cases, maps, strict=True)]
    sizes = [len(part) for part in parts]
    watch_questions(
        backend,
        "trust",
        [question for part in parts for question in part],
        lambda found: _draw(looking, method, cases, maps, _apart(found, sizes)),
        last=lambda found: _take_away(looking, method, cases, maps, _apart(found, sizes)),
        after="trust_map",
    )


def _case(looking: Looking, method: Method, column: Column, given: Mapping[str, Any]) -> Case:
    net = column.net
    parameters = fitting(given, net.card, method)
    question = attribution_question(
        net.source, net.card, looking.text(net), method.name, parameters, column.target
    )
    return Case(column, question, parameters)


def _questions(looking: Looking, case: Case, found: Attribution) -> list[Question]:
    """Both curves, chance's, the cascade's maps, infidelity, sensitivity."""
    net = case.column.net
    text = looking.text(net)
    return [
        curves_question(net.source, net.card, text, found),
        chance_question(net.source, net.card, text, found.target),
        *(
            attribution_question(
                net.source.with_fresh(lowest),
                net.card,
                text,
                found.method,
                case.parameters,
                found.target,
            )
            for lowest in parts_from_head(net.card.net)
        ),
        infidelity_question(net.source, net.card, text, found),
        sensitivity_question(net.source, net.card, text, found, case.parameters),
    ]


@dataclass(frozen=True)
class Measured:
    """What there is of one case so far; None for what is still to come."""

    curves: Any
    chance: Any
    cascade: Sequence[Attribution | None]
    infidelity: Any
    sensitivity: Any


def _apart(found: Sequence[Any], sizes: Sequence[int]) -> list[Measured]:
    measured, start = [], 0
    for size in sizes:
        curves, chance, *cascade, infidelity, sensitivity = found[start : start + size]
        measured.append(Measured(curves, chance, cascade, infidelity, sensitivity))
        start += size
    return measured


def _maps(
    looking: Looking, method: Method, cases: Sequence[Case], maps: Sequence[Attribution | None]
) -> None:
    pictures = [
        _picture(looking, method, case, found, case.column.title, completeness_caption(found))
        for case, found in zip(cases, maps, strict=True)
        if found is not None
    ]
    pixel_images(pictures, least=160, most=280)


def _picture(
    looking: Looking, method: Method, case: Case, found: Attribution, title: str, caption: str
) -> Picture:
    net = case.column.net
    limits = attribution_limits([found.values], signed=method.signed)
    png = attribution_png(found.values, looking.seen.pixels(net.card), limits)
    alt = _("{method} for {what}").format(method=method.title, what=title)
    return Picture(png, title, caption, alt)


def _draw(
    looking: Looking,
    method: Method,
    cases: Sequence[Case],
    maps: Sequence[Attribution],
    measured: Sequence[Measured],
) -> None:
    _curves(cases, measured)
    st.subheader(_("Does it depend on what was learned?"))
    st.caption(
        _(
            "The same map after the weights from the head down to a stage were drawn anew "
            "(Adebayo et al. 2018, arXiv:1810.03292). A map that stays the same says nothing "
            "about the net."
        )
    )
    for case, found, m in zip(cases, maps, measured, strict=True):
        st.markdown(f"**{plain(case.column.net.title)}**")
        pixel_images(_cascade(looking, method, case, found, m), least=92, most=200)
        if m.cascade[-1] is not None:
            left = rank_correlation(found.values, m.cascade[-1].values)
            st.markdown(randomised_caption("stem", left))
    st.subheader(_("Does it tell what changes the logit, and does it hold still?"))
    infidelities, sensitivities = _by_label(cases, measured)
    if infidelities:
        st.markdown(plain(infidelity_caption(infidelities)))
    if sensitivities:
        st.markdown(plain(sensitivity_caption(sensitivities)))
    if not infidelities or not sensitivities:
        missing("trust")


def _by_label(
    cases: Sequence[Case], measured: Sequence[Measured]
) -> tuple[dict[str, Infidelity], dict[str, Sensitivity]]:
    labels = [case.column.net.title for case in cases]
    pairs = list(zip(labels, measured, strict=True))
    return (
        {label: m.infidelity for label, m in pairs if m.infidelity is not None},
        {label: m.sensitivity for label, m in pairs if m.sensitivity is not None},
    )


def _curves(cases: Sequence[Case], measured: Sequence[Measured]) -> None:
    st.subheader(_("Do the strongest pixels decide?"))
    curves = _labelled(cases, measured)
    if not curves:
        missing("trust")
        return
    live_chart(
        deletion_and_insertion(curves),
        key="trust_curves",
        height=420,
        alt=_("Probability of the target while pixels are taken away or put in"),
    )
    st.markdown(plain(curves_caption(curves)))


def _labelled(cases: Sequence[Case], measured: Sequence[Measured]) -> list[Curves]:
    found = []
    for case, m in zip(cases, measured, strict=True):
        if m.curves is not None:
            net, (deletion, insertion) = case.column.net, m.curves
            family = net.card.net.family
            found.append(Curves(net.title, family, deletion, insertion, by_lot=m.chance))
    return found


def _cascade(
    looking: Looking, method: Method, case: Case, found: Attribution, measured: Measured
) -> list[Picture]:
    pictures = [_picture(looking, method, case, found, _("as trained"), "")]
    parts = parts_from_head(case.column.net.card.net)
    for lowest, other in zip(parts, measured.cascade, strict=True):
        if other is not None:
            correlation = rank_correlation(found.values, other.values)
            title = (
                _("fresh: head") if lowest == "head" else _("fresh: head to {s}").format(s=lowest)
            )
            caption = _("rank correlation {r:.2f}").format(r=correlation)
            pictures.append(_picture(looking, method, case, other, title, caption))
    return pictures


def _take_away(
    looking: Looking,
    method: Method,
    cases: Sequence[Case],
    maps: Sequence[Attribution],
    measured: Sequence[Measured],
) -> None:
    rows = curve_rows(_labelled(cases, measured))
    measures = trust_rows(*_by_label(cases, measured))
    table(measures, key="measures_table")
    take_away_inside(
        "trust",
        png=lambda: comparison_png(
            [
                _cascade(looking, method, case, found, m)
                for case, found, m in zip(cases, maps, measured, strict=True)
            ],
            [case.column.net.title for case in cases],
            [],
        ),
        rows=rows,
        json=lambda: f'{{"curves": {rows_json(rows)}, "measures": {rows_json(measures)}}}',
        code="\n".join(
            attribute_command(
                looking.seen, case.column.net, found.target, method, case.parameters, number
            )
            for number, (case, found) in enumerate(zip(cases, maps, strict=True), 1)
        ),
    )
