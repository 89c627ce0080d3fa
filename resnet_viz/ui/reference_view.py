"""The stored reference sweep, labelled as such."""

from __future__ import annotations

import streamlit as st

from resnet_viz.figures.captions import sweep_caption
from resnet_viz.figures.errors import error_vs_depth
from resnet_viz.figures.verdict import judge
from resnet_viz.i18n import _
from resnet_viz.runs.reference import load_reference
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
    """Charts, verdict and table of the sweep that comes with the program."""
    reference = load_reference()
    st.info(
        _(
            "**Reference sweep, not yours**: measured by this program on {machine}. "
            "Press Start to train these nets here."
        ).format(machine=reference.machine),
        icon=":material/bookmark:",
    )
    sweep_charts(reference.runs, key="reference")
    net_table([run for run, _history in reference.runs], None, key="reference_nets")
    st.caption(_("Made with `{command}`.").format(command=reference.command))
