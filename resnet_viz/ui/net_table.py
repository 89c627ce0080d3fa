"""The table of a sweep's nets: how far each is, what it measured, what one can do with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from resnet_viz.figures.spread import net_labels
from resnet_viz.i18n import _
from resnet_viz.papers import protocol_differences, published_test_error
from resnet_viz.records import RESUMABLE, RunInfo
from resnet_viz.runs.store import RunStore


def status_text(run: RunInfo) -> str:
    """A run's status as a person reads it, with what is about to happen to it."""
    texts = {
        "queued": _("waiting"),
        "running": _("training"),
        "paused": _("paused"),
        "done": _("done"),
        "stopped": _("stopped"),
        "diverged": _("diverged"),
        "failed": _("failed"),
    }
    if run.status == "running" and run.wish:
        return {"stop": _("stopping"), "pause": _("pausing")}[run.wish]
    return texts[run.status]


def _actions() -> dict[str, str]:
    return {"pause": _("Pause"), "stop": _("Stop"), "resume": _("Resume")}


def actions_for(run: RunInfo) -> list[str]:
    """Names of what can be asked of a run now: "pause", "stop", "resume"."""
    if run.status in RESUMABLE:
        return ["resume", "stop"] if run.status == "paused" else ["resume"]
    return ["pause", "stop"] if run.status in ("queued", "running") and not run.wish else []


def apply_action(store: RunStore, action: str, run_ids: Sequence[int]) -> None:
    """Ask the store for a pause, a stop or a resume of some runs."""
    {"pause": store.request_pause, "stop": store.request_stop, "resume": store.resume}[action](
        run_ids
    )


def net_table(runs: Sequence[RunInfo], store: RunStore | None, *, key: str, data: str = "") -> None:
    """One row a run; with a store, each row has a menu of what can be done with it.

    Args:
        data: what they were trained on, where it is a copy of what their specs name.
    """
    titles = _actions()
    labels = net_labels(list(dict.fromkeys(run.spec.net for run in runs)))
    rows = [
        _row(run, labels[run.spec.net], [titles[a] for a in actions_for(run)], data) for run in runs
    ]
    columns: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in rows[0]}
    several = {(r.spec.train.seed, r.spec.train.lr) for r in runs}
    hidden = [] if len(several) > 1 else ["recipe"]
    if not any(columns["paper"]):
        hidden += ["paper", "protocol"]
    if store is None:
        hidden.append("actions")

    def act() -> None:
        click = st.session_state[f"{key}_action"]
        action = next(name for name, title in titles.items() if title == click.label)
        assert store is not None
        apply_action(store, action, [runs[click.row].id])

    config: dict[str, Any] = {
        "net": st.column_config.TextColumn(_("net")),
        "recipe": st.column_config.TextColumn(_("seed, rate")),
        "status": st.column_config.TextColumn(_("status")),
        "progress": st.column_config.ProgressColumn(
            _("progress"), format="%.0f %%", min_value=0, max_value=100
        ),
        "step": st.column_config.NumberColumn(_("step")),
        "running": _error_column(_("running error")),
        "train": _error_column(_("training error")),
        "test": _error_column(_("test error")),
        "paper": _error_column(_("paper's test error")),
        "protocol": st.column_config.TextColumn(_("protocol")),
        "speed": st.column_config.NumberColumn(_("images/s"), format="%.0f"),
        "actions": st.column_config.ButtonColumn(
            _("actions"), on_click=act, key=f"{key}_action", type="tertiary"
        ),
    }
    st.dataframe(
        {name: values for name, values in columns.items() if name not in hidden},
        column_config={name: column for name, column in config.items() if name not in hidden},
        hide_index=True,
        placeholder="–",
        key=key,
        alt=_("Nets of this sweep with status, steps and errors"),
    )


def _error_column(title: str) -> Any:
    return st.column_config.NumberColumn(title, format="%.1f %%")


def _row(run: RunInfo, label: str, actions: list[str], data: str) -> dict[str, Any]:
    spec = run.spec
    published = published_test_error(spec)
    return {
        "net": label,
        "recipe": f"{spec.train.seed}, {spec.train.lr:g}",
        "status": status_text(run),
        "progress": 100 * run.step / spec.train.steps,
        "step": run.step,
        "running": _per_cent(run.running_error),
        "train": _per_cent(run.train_error),
        "test": _per_cent(run.test_error),
        "paper": _per_cent(published.test_error if published else None),
        "protocol": protocol_badge(run, data) if published else None,
        "speed": run.images_per_second,
        "actions": actions,
    }


def _per_cent(fraction: float | None) -> float | None:
    return None if fraction is None else 100 * fraction


def protocol_badge(run: RunInfo, data: str = "") -> str:
    """ "same protocol", or in which fields the run differs from the paper's.

    Args:
        data: as in `net_table`.
    """
    differences = protocol_differences(run.spec)
    if not differences:
        return _("same but for the data: {data}").format(data=data) if data else _("same protocol")
    return _("scaled down: differs in {fields}").format(fields=", ".join(differences))
