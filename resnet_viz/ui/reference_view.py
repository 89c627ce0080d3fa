"""The stored reference sweep, labelled as such."""

from __future__ import annotations

import streamlit as st

from resnet_viz.i18n import _
from resnet_viz.runs.reference import load_reference
from resnet_viz.ui.net_table import net_table
from resnet_viz.ui.sweep_view import sweep_charts


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
