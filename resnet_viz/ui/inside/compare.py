"""Attributions, first view: methods side by side, for nets, targets or checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from resnet_viz.analysis.attribution_jobs import attribution_question
from resnet_viz.analysis.question import Question
from resnet_viz.analysis.tables import rows_json
from resnet_viz.figures.attributions.captions import colours_caption, completeness_caption
from resnet_viz.figures.attributions.overlay import (
    VIEWS,
    attribution_limits,
    attribution_png,
    comparison_png,
    view_name,
)
from resnet_viz.figures.maps.pictures import Picture, image_png
from resnet_viz.figures.maps.predictions import class_name, unknown_class_caption
from resnet_viz.i18n import _
from resnet_viz.inside import Attribution
from resnet_viz.methods import Method
from resnet_viz.specs import SpecError
from resnet_viz.ui.downloads import table
from resnet_viz.ui.inquiries import missing, watch_questions
from resnet_viz.ui.inside.columns import Column, columns_control
from resnet_viz.ui.inside.commands import attribute_command
from resnet_viz.ui.inside.looking import Looking
from resnet_viz.ui.inside.method_form import (
    FIRST_METHODS,
    fitting,
    methods_control,
    parameters_control,
)
from resnet_viz.ui.inside.take_away import take_away_inside
from resnet_viz.ui.linked_choice import linked_choice
from resnet_viz.ui.pixel_images import pixel_images
from resnet_viz.ui.session import Backend
from resnet_viz.ui.words import plain, short_time

_BOUND: Any = "query-params"


@dataclass(frozen=True)
class Case:
    """One map that is wanted; without a question, why it cannot be had."""

    method: Method
    column: Column
    parameters: Mapping[str, Any]
    question: Question | None = None
    refusal: str = ""


@dataclass(frozen=True)
class Look:
    """How maps are drawn."""

    view: str
    opacity: float
    shared: bool


def compare_view(backend: Backend, looking: Looking) -> None:
    """Controls above; a row a method, a column a net, target or checkpoint.

    Raises:
        SpecError: nothing that can be attributed is chosen.
    """
    card = looking.nets[0].card
    chosen = methods_control(card, key="methods", default=FIRST_METHODS)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        columns = columns_control(backend, looking)
        look = _look_controls()
    with st.expander(_("Parameters of the methods"), icon=":material/tune:"):
        parameters = {method.name: _parameters(method) for method in chosen}
    cases = [
        _case(looking, method, column, parameters[method.name])
        for method in chosen
        for column in columns
    ]
    questions = [case.question for case in cases if case.question]
    if not questions:
        raise SpecError("\n\n".join(dict.fromkeys(case.refusal for case in cases)))

    def whole(found: Sequence[Attribution | None]) -> list[Attribution | None]:
        answered = iter(found)
        return [next(answered) if case.question else None for case in cases]

    watch_questions(
        backend,
        "compare",
        questions,
        lambda found: _draw(looking, chosen, columns, cases, whole(found), look),
        last=lambda found: _take_away(looking, chosen, columns, cases, whole(found), look),
    )


def _case(looking: Looking, method: Method, column: Column, given: Mapping[str, Any]) -> Case:
    net = column.net
    parameters = fitting(given, net.card, method)
    try:
        question = attribution_question(
            net.source, net.card, looking.text(net), method.name, parameters, column.target
        )
    except SpecError as error:  # too much memory or time; the others go on
        return Case(method, column, parameters, refusal=f"{column.title}: {error}")
    return Case(method, column, parameters, question)


def _look_controls() -> Look:
    view = linked_choice(
        _("Drawn"), {name: view_name(name) for name in VIEWS}, key="drawn", as_list=True
    )
    opacity = 0.8
    if view == "over":
        opacity = float(
            st.slider(_("Opacity"), 0.1, 1.0, 0.8, key="opacity", bind=_BOUND, width=160)
        )
    shared = st.toggle(
        _("One scale a row"),
        key="one_scale",
        bind=_BOUND,
        help=_("Colours of a row mean the same amount; else every map has a scale of its own."),
    )
    return Look(view, opacity, shared)


def _parameters(method: Method) -> dict[str, Any]:
    if not method.parameters:
        return {}
    st.markdown(f"**{method.title}**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        return parameters_control(method, key="p")


def _draw(
    looking: Looking,
    chosen: Sequence[Method],
    columns: Sequence[Column],
    cases: Sequence[Case],
    found: Sequence[Attribution | None],
    look: Look,
) -> None:
    pixel_images([_image(looking, column) for column in columns], least=110, most=150)
    for text in _unknown(looking, columns):
        st.caption(plain(text))
    st.caption(colours_caption(chosen, look.view))
    rows = _pictures(looking, chosen, columns, found, look)
    places = st.columns(2 if len(columns) <= 2 else 1, gap="large")
    for number, (method, pictures) in enumerate(zip(chosen, rows, strict=True)):
        with places[number % len(places)]:
            st.markdown(f"**{method.title}**", help=method.paper)
            st.caption(method.asks)
            refusals = [case.refusal for case in cases if case.method == method and case.refusal]
            for refusal in refusals:
                st.warning(plain(refusal), icon=":material/warning:")
            if any(pictures):
                pixel_images([p for p in pictures if p], least=90, most=220)
            elif len(refusals) < len(columns):
                missing("compare")


def _unknown(looking: Looking, columns: Sequence[Column]) -> list[str]:
    """Which nets do not know the class of the picture, where that has one."""
    label, cards = looking.seen.label, {column.net.title: column.net.card for column in columns}
    if label is None:
        return []
    told = [unknown_class_caption(label, title, card.classes) for title, card in cards.items()]
    return [text for text in told if text]


def _image(looking: Looking, column: Column) -> Picture:
    said = column.prediction.top(1)[0]
    text = _("says {name}").format(name=class_name(column.net.card.classes[said]))
    return Picture(
        image_png(looking.seen.pixels(column.net.card)),
        column.title,
        text,
        _("The image as {net} sees it").format(net=column.net.title),
    )


def _pictures(
    looking: Looking,
    chosen: Sequence[Method],
    columns: Sequence[Column],
    found: Sequence[Attribution | None],
    look: Look,
) -> list[list[Picture | None]]:
    """A row a method, a picture a column; None for what is not there yet."""
    rows = []
    for number, method in enumerate(chosen):
        row = found[number * len(columns) : (number + 1) * len(columns)]
        there = [attribution for attribution in row if attribution is not None]
        rows.append(
            [
                None
                if attribution is None
                else _picture(looking, method, column, attribution, there, look, len(columns) > 1)
                for column, attribution in zip(columns, row, strict=True)
            ]
        )
    return rows


def _picture(
    looking: Looking,
    method: Method,
    column: Column,
    attribution: Attribution,
    row: Sequence[Attribution],
    look: Look,
    named: bool,
) -> Picture:
    compared = row if look.shared else [attribution]
    limits = attribution_limits([a.values for a in compared], signed=method.signed)
    png = attribution_png(
        attribution.values,
        looking.seen.pixels(column.net.card),
        limits,
        view=look.view,
        opacity=look.opacity,
    )
    texts = [short_time(attribution.seconds)]
    if completeness := completeness_caption(attribution):
        texts.append(completeness)
    alt = _("{method} of {column}").format(method=method.title, column=column.title)
    return Picture(png, column.title if named else "", " · ".join(texts), alt)


def _take_away(
    looking: Looking,
    chosen: Sequence[Method],
    columns: Sequence[Column],
    cases: Sequence[Case],
    found: Sequence[Attribution | None],
    look: Look,
) -> None:
    rows = [
        {
            "method": case.method.name,
            "net": case.column.net.source.name,
            "target": case.column.net.card.classes[a.target],
            "probability": a.target_probability,
            "logit": a.target_logit,
            "sum": float(a.values.sum()),
            "expected_sum": a.expected,
            "seconds": a.seconds,
            **{f"parameter_{k}": v for k, v in case.parameters.items()},
        }
        for case, a in zip(cases, found, strict=True)
        if a is not None
    ]
    table(rows, key="compare_table")
    take_away_inside(
        "attributions",
        png=lambda: comparison_png(
            [
                [_image(looking, column) for column in columns],
                *_pictures(looking, chosen, columns, found, look),
            ],
            ["", *(method.title for method in chosen)],
            [],  # every picture of several has its own title
        ),
        rows=rows,
        json=lambda: rows_json(rows),
        code="\n".join(
            attribute_command(
                looking.seen,
                case.column.net,
                case.column.target,
                case.method,
                case.parameters,
                1 + number % len(columns),
            )
            for number, case in enumerate(cases)
        ),
    )
