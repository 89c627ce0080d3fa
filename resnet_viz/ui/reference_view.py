"""The stored reference sweep, labelled as such."""

from __future__ import annotations

import streamlit as st

from resnet_viz.datasets import catalogue
from resnet_viz.figures.captions import sweep_caption
from resnet_viz.figures.errors import error_vs_depth
from resnet_viz.figures.verdict import judge
from resnet_viz.i18n import _
from resnet_viz.reproductions import FIGURE6_ITERATIONS
from resnet_viz.runs.reference import FIGURE6, QUICK, Reference, has_reference, load_reference
from resnet_viz.ui.linked_choice import linked_choice
from resnet_viz.ui.live_chart import live_chart
from resnet_viz.ui.net_table import net_table
from resnet_viz.ui.sweep_view import sweep_charts


def reference_chart() -> None:
    """The one picture that carries the message, with its verdict in words."""
    reference = load_reference()
    live_chart(
        error_vs_depth(reference.runs),
        key="start_reference",
        height=340,
        alt=_("Training error against depth in the reference sweep, one line a family"),
    )
    st.caption(
        _("Measured by this program ({machine}).").format(machine=reference.machine)
        + " "
        + sweep_caption(judge(reference.runs))
    )


def reference_view() -> None:
    """Charts, verdict and table of a sweep that comes with the program: which, a person chooses."""
    name = QUICK
    if has_reference(FIGURE6):
        name = linked_choice(
            _("Reference sweep"), _titles(), key="reference", default=QUICK, hide_label=True
        )
    reference = load_reference(name)
    st.info(_label(name, reference), icon=":material/bookmark:")
    sweep_charts(reference.runs, key=name)
    net_table(
        [run for run, _history in reference.runs], None, key=f"{name}_nets", data=_copy(reference)
    )
    st.caption(_("Made with `{command}`.").format(command=reference.command))


def _titles() -> dict[str, str]:
    return {
        QUICK: _("Reference: the quick sweep"),
        FIGURE6: _("Reference: Figure 6 of He et al. 2015"),
    }


def _label(name: str, reference: Reference) -> str:
    """Whose sweep it is, and what it was: not a reader's own, nor the paper's."""
    if name == QUICK:
        return _(
            "**Reference sweep, not yours**: measured by this program on {machine}. "
            "Press Start to train these nets here."
        ).format(machine=reference.machine)
    train = reference.runs[0][0].spec.train
    return _(
        "**Reference sweep, not yours and not the paper's**: the nets of He et al. 2015, Fig. 6, "
        "trained by this program on {data}; {n:,} iterations (the paper: {paper:,}); {machine}."
    ).format(
        data=reference.data, n=train.steps, paper=FIGURE6_ITERATIONS, machine=reference.machine
    )


def _copy(reference: Reference) -> str:
    """What the nets were trained on, where that is not what their specs name; else ""."""
    data = reference.runs[0][0].spec.data
    if data.folder is not None or reference.data == catalogue.describe(data).title:
        return ""
    return reference.data
