"""Residual blocks, fourth view: how much a block does, early and late, at several depths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from resnet_viz.analysis.block_tables import response_rows
from resnet_viz.analysis.blockwise_jobs import responses_question
from resnet_viz.analysis.tables import rows_csv, rows_json
from resnet_viz.figures.blocks.responses import (
    Measured,
    branch_shares,
    response_stds,
    responses_caption,
    why_no_ratio,
)
from resnet_viz.figures.page import html_page
from resnet_viz.i18n import _
from resnet_viz.nets.bundled import bundled_nets
from resnet_viz.runs.sources import find_source, list_runs, run_source
from resnet_viz.runs.store import RunStore
from resnet_viz.sources import Source
from resnet_viz.ui.blocks.asking import askable, program
from resnet_viz.ui.downloads import table, take_away_probe
from resnet_viz.ui.inquiries import watch_questions
from resnet_viz.ui.inside.nets import Shown, checkpoints_of, show
from resnet_viz.ui.live_chart import live_chart
from resnet_viz.ui.session import Backend
from resnet_viz.ui.words import plain

_MOST_DEPTHS = 6

_Moment = tuple[Shown, Source | None]  # a net, and what it is at the end of its training


def responses_view(backend: Backend, nets: Sequence[Shown]) -> None:
    """The branch's share of every block, and every layer's response; before and after training.

    Raises:
        SpecError, DataError: no chosen net can be measured.
    """
    st.caption(
        _(
            "A residual block adds F(x) to x. How large is what it adds? And do the blocks of a "
            "deeper net each do less (He et al. 2015, Fig. 7)?"
        )
    )
    depths_place, steps_place, _rest = st.columns([1, 1, 1.5], vertical_alignment="center")
    depths = depths_place.toggle(
        _("Other depths too"), value=True, key="response_depths", bind="query-params"
    )
    early = steps_place.toggle(
        _("Before and during training too"), value=True, key="response_early", bind="query-params"
    )
    shown = [*nets, *(_other_depths(backend, nets) if depths else [])]
    moments = _distinct([m for net in shown for m in _moments(backend.store, net, early)])
    able, questions = askable(
        [net for net, _of in moments], lambda n: responses_question(n.source, n.card)
    )
    late = {net.source: of for net, of in moments}
    watch_questions(
        backend,
        "responses",
        questions,
        lambda found: _draw(_measured(able, found, late)),
        last=lambda found: _take_away(_measured(able, found, late), able),
    )


def _other_depths(backend: Backend, nets: Sequence[Shown]) -> list[Shown]:
    """Nets that were trained alike, of other depths: included ones, or of the same sweep."""
    known = {net.source for net in nets}
    found: list[Source] = []
    for net in nets:
        found += [s for s in _trained_alike(backend.store, net) if s not in known | set(found)]
    return show(backend, found[:_MOST_DEPTHS]) if found else []


def _trained_alike(store: RunStore, net: Shown) -> list[Source]:
    source, family = net.source, net.card.net.family
    if source.kind == "bundled":
        return [
            find_source(store, other.name)
            for other in bundled_nets()
            if other.run.data == net.card.data and other.run.net.family == family
        ]
    if source.kind != "run":
        return []
    runs = list_runs(store)
    mine = next((each for each in runs if source.name.startswith(f"run:{each.run.id}@")), None)
    return [
        run_source(store, each.run)
        for each in runs
        if mine is not None
        and each.run.id != mine.run.id
        and each.run.sweep_id == mine.run.sweep_id
        and each.run.spec.net.family == family
        and each.run.spec.train == mine.run.spec.train
    ]


def _moments(store: RunStore, net: Shown, early: bool) -> list[_Moment]:
    """A net and, with `early`, what it was before: a run's kept nets, or fresh weights.

    Returns:
        Each with the source of the net at the end of its training; None for that itself.
    """
    moments: list[_Moment] = [(net, None)]
    if not early:
        return moments
    before = [
        s for s in checkpoints_of(store, net.source) if (s.step or 0) < (net.source.step or 0)
    ]
    if before:
        # The first, and one on the way: more would hide each other.
        chosen = list(dict.fromkeys([before[0], before[(len(before) + 1) // 2]]))
        for source in chosen:
            title = _("{net}, step {step:,}").format(net=net.card.net.name, step=source.step)
            moments.append((Shown(source, net.card, title), net.source))
    else:
        title = _("{net}, fresh").format(net=net.title)
        moments.append((Shown(net.source.with_fresh("stem"), net.card, title), net.source))
    return moments


def _distinct(moments: Sequence[_Moment]) -> list[_Moment]:
    """Each source once, under a title that no other has: two runs may be of one net."""
    once = list({net.source: (net, of) for net, of in reversed(moments)}.values())[::-1]
    titles = Counter(net.title for net, _of in once)
    named = _("{net} ({source})")
    return [
        (net, of)
        if titles[net.title] == 1
        else (replace(net, title=named.format(net=net.title, source=net.source.name)), of)
        for net, of in once
    ]


def _measured(
    nets: Sequence[Shown], found: Sequence[Any], late: dict[Source, Source | None]
) -> list[Measured]:
    titles = {net.source: net.title for net in nets}
    return [
        Measured(net.title, each, of is not None, titles.get(of, "") if of else "")
        for net, each in zip(nets, found, strict=True)
        if each is not None
        for of in [late[net.source]]
    ]


def _draw(found: Sequence[Measured]) -> None:
    if not found:
        return
    if any(each.responses.ratios for each in found):
        live_chart(
            branch_shares(found),
            key="branch_shares",
            height=430,
            alt=_("Norm of F(x) over the norm of x in every block"),
        )
    if text := why_no_ratio(found):
        st.caption(plain(text))
    st.markdown(plain(responses_caption(found)))
    live_chart(
        response_stds(found),
        key="response_stds",
        height=430,
        alt=_("Standard deviation of every layer's response"),
    )


def _take_away(found: Sequence[Measured], nets: Sequence[Shown]) -> None:
    rows = [row for each in found for row in response_rows(each.label, each.responses)]
    table(rows, key="response_table")
    take_away_probe(
        "responses",
        csv=lambda: rows_csv(rows),
        json=lambda: rows_json(rows),
        html=lambda: html_page(
            _("How much does a block do?"),
            [branch_shares(found), response_stds(found)],
            [responses_caption(found)],
        ),
        code=program(nets, "blockwise_jobs", "responses_question", ""),
    )
