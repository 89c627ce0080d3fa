"""Feature maps, fourth view: linear probes."""

from __future__ import annotations

from resnet_viz.ui.inside.looking import Looking
from resnet_viz.ui.session import Backend


def meaning_view(backend: Backend, looking: Looking) -> None:
    """To come."""
