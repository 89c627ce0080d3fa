"""Shortcuts and orders of a sweep beside what was published of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from resnet_viz.figures.aggregate import aggregate, variants
from resnet_viz.i18n import _
from resnet_viz.papers import PublishedVariant, published_variant
from resnet_viz.runs.reader import RunHistory


def variant_table(runs: Sequence[RunHistory], column: str) -> None:
    """A row for each shortcut and order, where the runs of a sweep have several; else nothing.

    Args:
        column: the error that is shown, as in `figures.errors`.
    """
    nets = {(r.spec.net.shortcut, r.spec.net.order) for r, _history in runs}
    if len(nets) < 2:
        return
    labels = variants(runs)
    errors = {(p.family, p.variant, p.depth): p.mean for p in aggregate(runs, column)}
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for run, _history in runs:
        net, label = run.spec.net, labels[run.id]
        row = rows.setdefault((net.family, label), {_("net"): _title(net.family, label)})
        error = errors.get((net.family, label, net.depth))
        row[_("depth {n} (%)").format(n=net.depth)] = None if error is None else 100 * error
        row[_("published test error")] = _published(published_variant(net))
    with st.expander(_("Beside the published errors"), icon=":material/menu_book:"):
        st.dataframe(
            list(rows.values()),
            hide_index=True,
            column_config={
                name: st.column_config.NumberColumn(format="%.1f")
                for row in rows.values()
                for name in row
                if name not in (_("net"), _("published test error"))
            },
        )
        st.caption(
            _(
                "The sweep’s errors are those of the chart above. Published: CIFAR-10 test error "
                "of ResNet-110 and 164 after 64,000 steps, median of five runs (He et al. 2016, "
                "arXiv:1603.05027, Tables 1 and 2): compare which is better, not the values."
            )
        )


def _title(family: str, label: str) -> str:
    return f"{family}, {label}" if label else family


def _published(found: PublishedVariant | None) -> str:
    if found is None:
        return ""
    errors = [
        _("{depth}: training failed").format(depth=depth)
        if error is None
        else f"{depth}: {100 * error:.2f} %"
        for depth, error in found.errors
    ]
    return "; ".join([*errors, *([found.note] if found.note else [])])
