"""The table of sweeps: filter, sort, choose."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from resnet_viz.i18n import _
from resnet_viz.records import STATUSES
from resnet_viz.runs.rows import SweepInfo
from resnet_viz.runs.store import RunStore


def sweep_table(store: RunStore) -> list[SweepInfo]:
    """Every sweep that passes the filter, newest first; returns the chosen ones."""
    sweeps = store.sweeps()
    if not sweeps:
        st.info(
            _("Nothing has been trained here yet. Start a sweep on “Error against depth”."),
            icon=":material/info:",
        )
        return []
    text, status = st.columns([3, 2])
    wanted = text.text_input(
        _("Filter"), key="filter", placeholder=_("name, data set or family"), bind="query-params"
    )
    statuses = status.multiselect(_("Status"), STATUSES, key="status", bind="query-params")
    shown = [s for s in sweeps if _matches(s, wanted) and (not statuses or s.status in statuses)]
    if not shown:
        st.caption(_("No sweep passes the filter."))
        return []
    event = st.dataframe(
        {
            "name": [_shown_name(s) for s in shown],
            "status": [s.status for s in shown],
            "done": [f"{s.counts.get('done', 0)} / {sum(s.counts.values())}" for s in shown],
            "data": [s.spec.data.name for s in shown],
            "recipe": [_recipe(s) for s in shown],
            "train": [_per_cent(s.best_train_error) for s in shown],
            "test": [_per_cent(s.best_test_error) for s in shown],
            "size": [s.size_bytes / 1e6 for s in shown],
            "when": [datetime.fromtimestamp(s.created) for s in shown],
        },
        column_config={
            "name": st.column_config.TextColumn(_("name"), width=260),
            "status": st.column_config.TextColumn(_("status")),
            "done": st.column_config.TextColumn(_("done")),
            "data": st.column_config.TextColumn(_("data")),
            "recipe": st.column_config.TextColumn(_("recipe")),
            "train": st.column_config.NumberColumn(_("best training error"), format="%.1f %%"),
            "test": st.column_config.NumberColumn(_("best test error"), format="%.1f %%"),
            "size": st.column_config.NumberColumn(_("on disk"), format="%.1f MB"),
            "when": st.column_config.DatetimeColumn(_("when"), format="YYYY-MM-DD HH:mm"),
        },
        hide_index=True,
        placeholder="–",
        on_select="rerun",
        selection_mode="multi-row",
        # Ticks are row numbers, so another list of sweeps is another table.
        key=f"sweeps_{hash(tuple(s.id for s in shown))}",
        alt=_("Sweeps with status, recipe, best errors, size and date"),
    )
    return [shown[row] for row in event["selection"]["rows"] if row < len(shown)]


def _shown_name(sweep: SweepInfo) -> str:
    return _("{name} (imported)").format(name=sweep.name) if sweep.imported else sweep.name


def _matches(sweep: SweepInfo, wanted: str) -> bool:
    text = f"{sweep.name} {sweep.spec.data.name} {' '.join(sweep.spec.families)} {sweep.id}"
    return all(word in text.lower() for word in wanted.lower().split())


def _recipe(sweep: SweepInfo) -> str:
    train = sweep.spec.train
    rates = ", ".join(f"{lr:g}" for lr in sweep.spec.lrs or (train.lr,))
    return _("{steps:,} steps of {batch}, {optimizer}, lr {rates}").format(
        steps=train.steps, batch=train.batch_size, optimizer=train.optimizer, rates=rates
    )


def _per_cent(fraction: float | None) -> float | None:
    return None if fraction is None else 100 * fraction
