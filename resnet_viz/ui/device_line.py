"""The device in use, in a line."""

from __future__ import annotations

import psutil
import streamlit as st

from resnet_viz.i18n import _
from resnet_viz.runs.hardware import processor_name
from resnet_viz.ui.session import Backend


def device_line(backend: Backend) -> None:
    """Device, cores, memory and number format that nets train with here."""
    machine = backend.machine
    gigabytes = psutil.virtual_memory().total / 1e9
    if backend.device == "cpu":
        device = _("{name}, {n} cores").format(name=processor_name(), n=backend.cores)
    else:
        device = backend.device.upper()
    parts = [device, _("{n:.0f} GB of memory").format(n=gigabytes)]
    parts.append(machine.dtype if machine else _("measuring this computer"))
    st.caption(_("Nets train on: {device}.").format(device=" · ".join(parts)))
