"""Which net to look into: one that comes with the program, a run, ImageNet's, or one's own."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import streamlit as st

from resnet_viz.i18n import _
from resnet_viz.nets.bundled import bundled_names
from resnet_viz.records import RunInfo
from resnet_viz.runs.sources import RUN, StoredNet, find_source, list_runs, run_source
from resnet_viz.runs.store import RunStore
from resnet_viz.sources import NetCard, Source
from resnet_viz.ui.inside.asking import open_card
from resnet_viz.ui.inside.own_file import own_file_control
from resnet_viz.ui.inside.weights import imagenet_control
from resnet_viz.ui.linked_choice import linked_choice
from resnet_viz.ui.session import Backend
from resnet_viz.ui.words import plain

RUNS_OFFERED = 200
_BOUND: Any = "query-params"


@dataclass(frozen=True)
class Shown:
    """A net that is looked into.

    Attributes:
        source: where it comes from.
        card: what is known of it.
        title: what tells it apart on the page.
    """

    source: Source
    card: NetCard
    title: str


def net_control(backend: Backend, *, key: str, default: str) -> Source:
    """A net, chosen; what the controls hold stands in the link.

    Args:
        key: of the widgets: "net", "beside".
        default: name of the bundled net to begin with.

    Raises:
        SpecError: nothing that can be looked into is chosen; the message says what to do.
    """
    store = backend.store
    otherwise = _last_shown(key) or find_source(store, default)
    kinds: dict[str, tuple[str, Callable[[], Source]]] = {
        "bundled": (_("Included nets"), lambda: _bundled(store, key, default)),
        "run": (_("Runs on this computer"), lambda: _run(store, key, otherwise)),
        "imagenet": (
            _("ImageNet nets"),
            lambda: imagenet_control(store, key=key, otherwise=otherwise),
        ),
        "file": (
            _("A file of one's own"),
            lambda: own_file_control(backend, key=key, otherwise=otherwise),
        ),
    }
    titles = {name: title for name, (title, _choose) in kinds.items()}
    kind = linked_choice(_("Nets"), titles, key=f"{key}_from", as_list=True)
    chosen = kinds[kind][1]()
    st.session_state[f"{key}_last"] = chosen
    return chosen


def _last_shown(key: str) -> Source | None:
    """The net that the control named last, if it is still there."""
    last: Source | None = st.session_state.get(f"{key}_last")
    return last if last is not None and (not last.path or os.path.isfile(last.path)) else None


def _bundled(store: RunStore, key: str, default: str) -> Source:
    titles = {name: name for name in bundled_names()}
    chosen = linked_choice(_("Net"), titles, key=key, default=default, as_list=True)
    return find_source(store, chosen)


def _run(store: RunStore, key: str, otherwise: Source) -> Source:
    """A run, and one of the steps at which it has kept its net; the other net without any."""
    runs = {str(stored.run.id): stored for stored in list_runs(store)}
    found = dict(islice(runs.items(), RUNS_OFFERED))
    linked, gone = st.query_params.get(f"{key}_run"), f"{key}_run_gone"
    if linked in runs:
        found[linked] = runs[linked]  # an old one
        st.session_state.pop(gone, None)
    elif linked is not None:
        st.session_state[gone] = linked[:40]  # the link will name another run from here on
    if gone in st.session_state:
        text = _("There is no run {id!r} that has kept a net; it may have been deleted.")
        warning = plain(text.format(id=st.session_state[gone]))
        st.warning(warning, icon=":material/link_off:")
    if not found:
        text = _(
            "No run has kept a net yet. Train some nets on “Error against depth”; until then the "
            "page shows {net}."
        )
        st.caption(plain(text.format(net=otherwise.name)))
        return otherwise
    text = _("{net} · seed {seed} · {sweep}")
    titles = {
        number: text.format(
            net=stored.run.spec.net.name, seed=stored.run.spec.train.seed, sweep=stored.sweep
        )
        for number, stored in found.items()
    }
    stored = found[linked_choice(_("Run"), titles, key=f"{key}_run", as_list=True, tell=False)]
    return run_source(store, stored.run, _step(stored, key))


def _step(stored: StoredNet, key: str) -> int:
    """One of its steps; the newest at first."""
    if len(stored.steps) == 1:
        return stored.steps[0]
    return int(
        st.select_slider(
            _("After so many steps of training"),
            stored.steps,
            value=stored.steps[-1],
            key=f"{key}_step_{stored.run.id}",
            bind="query-params",
        )
    )


def beside_control(backend: Backend, first: Source, *, key: str = "beside") -> Source | None:
    """The net that stands beside the first: its counterpart, another one, or none.

    Raises:
        SpecError: as `net_control`.
    """
    twin = counterpart(backend.store, first)
    titles = {"none": _("No other net"), "other": _("Another net …")}
    if twin is not None:
        titles = {"twin": _("{net} (twin)").format(net=twin.name), **titles}
    with_twin = linked_choice(_("Beside it"), titles, key=f"{key}_what", as_list=True)
    if with_twin == "twin":
        return twin
    return net_control(backend, key=key, default="plain-20") if with_twin == "other" else None


def counterpart(store: RunStore, source: Source) -> Source | None:
    """The plain net of a residual one, or the other way round, trained alike; None without one.

    Of a run: the same sweep's, of the same depth and seed, at the nearest checkpoint.
    """
    if source.kind == "bundled":
        old, new = ("resnet", "plain") if "resnet" in source.name else ("plain", "resnet")
        name = source.name.replace(old, new)
        return find_source(store, name) if name in bundled_names() else None
    if source.kind != "run":
        return None
    first = _stored(store, source)
    for other in list_runs(store) if first else []:
        if first and _is_twin(other.run, first.run):
            step = min(other.steps, key=lambda step: abs(step - (source.step or 0)))
            return run_source(store, other.run, step)
    return None


def checkpoints_of(store: RunStore, source: Source) -> list[Source]:
    """The same run at every step that it has kept, ascending; empty for what is no run."""
    stored = _stored(store, source)
    return [run_source(store, stored.run, step) for step in stored.steps] if stored else []


def _stored(store: RunStore, source: Source) -> StoredNet | None:
    number = source.name.removeprefix(RUN).partition("@")[0] if source.kind == "run" else ""
    return next((found for found in list_runs(store) if str(found.run.id) == number), None)


def _is_twin(run: RunInfo, other: RunInfo) -> bool:
    family = "resnet" if other.spec.net.family == "plain" else "plain"
    return (
        run.sweep_id == other.sweep_id
        and run.spec.train == other.spec.train
        and (run.spec.net.family, run.spec.net.depth) == (family, other.spec.net.depth)
    )


def show(backend: Backend, sources: Sequence[Source]) -> list[Shown]:
    """The nets of these sources, opened, with titles that tell them apart.

    Raises:
        SpecError: one of them cannot be opened.
    """
    cards = [open_card(backend, source) for source in sources]
    titles = [_title(source, card) for source, card in zip(sources, cards, strict=True)]
    if len(set(titles)) < len(titles):  # the same net and step of two runs
        titles = [card.title for card in cards]
    if len(set(titles)) < len(titles):  # the same net twice
        titles = [f"{title} ({n})" for n, title in enumerate(titles, 1)]
    return [Shown(*parts) for parts in zip(sources, cards, titles, strict=True)]


def _title(source: Source, card: NetCard) -> str:
    if source.kind != "run":
        return card.title
    return _("{net}, step {step:,}").format(net=card.net.name, step=source.step)
