"""A Plotly chart that grows while somebody looks at it, without losing zoom, hover or legend.

`st.plotly_chart` builds the chart anew whenever its data change. Here the browser keeps the
chart, and each run of the script sends what changed: a patch with a number. A patch fits the
figures of the last two runs, since Streamlit drops what a run has sent when the next begins
before it is on its way. A chart that has missed more than that (a reload, a lost connection)
sees that the numbers do not meet and asks for the whole figure.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from plotly.offline import get_plotlyjs

from resnet_viz.figures.patch import Json, patch
from resnet_viz.i18n import _

_HERE = Path(__file__).parent

# Travels with every message, so it only hands over to what load_plotly() brought.
_MOUNT = """
const slot = (window.resnetVizChart ??= {})
slot.ready ??= new Promise((resolve) => (slot.resolve = resolve))
export default async (part) => (await slot.ready)(part)
"""


@dataclass(frozen=True)
class _Sent:
    """A described figure that was sent to the browser, and the number that it has there."""

    seq: int
    figure: Json


@cache
def _library() -> Callable[..., Any]:
    return st.components.v2.component(
        "resnet_viz_plotly",
        js=f"{get_plotlyjs()}\n{(_HERE / 'live_chart.js').read_text('utf-8')}",
        css=(_HERE / "live_chart.css").read_text("utf-8"),
        isolate_styles=False,
    )


@cache
def _chart() -> Callable[..., Any]:
    return st.components.v2.component("resnet_viz_chart", js=_MOUNT, isolate_styles=False)


def load_plotly() -> None:
    """Bring Plotly.js to the browser: once a page, outside of any fragment, before the charts.

    The library is 4.8 MB. It stands alone in a part that never changes, so that Streamlit
    sends it once a session and a reference to it afterwards.
    """
    _library()(key="resnet_viz_plotly", height=1)


def live_chart(figure: go.Figure, *, key: str, height: int = 420, alt: str) -> None:
    """Draw `figure`, or bring the chart that is already there up to date.

    Call it in a fragment with `run_every`, on a page that called `load_plotly`. Traces are
    told apart by their `uid`, else by their place; colours and fonts that the figure leaves
    open follow the page's theme, so its own template is not sent.

    Args:
        figure: the whole figure as it should look now.
        key: names the chart on its page; the same at every call.
        height: in pixels.
        alt: what a person who cannot see the chart is told.
    """
    memory = f"{key}_sent"
    now = _describe(figure, alt)
    sent: list[_Sent] = st.session_state.get(memory, [])
    seq = _number(sent, now)
    st.session_state[memory] = [*sent[-1:], _Sent(seq, now)]

    def forget() -> None:
        st.session_state.pop(memory, None)

    _chart()(
        key=key,
        height=height,
        data={
            "key": key,
            "seq": seq,
            "bases": [before.seq for before in sent],
            **patch([before.figure for before in sent], now),
        },
        on_resync_change=forget,
    )


def _number(sent: list[_Sent], now: Json) -> int:
    """The next number where the figure has changed. A whole figure starts at a random one, so
    that a chart left over from another session takes no patch that was not meant for it."""
    if not sent:
        return secrets.randbelow(2**40)
    return sent[-1].seq + (now != sent[-1].figure)


def _describe(figure: go.Figure, alt: str) -> Json:
    """The figure as plain values: traces by uid, their order, layout, and texts."""
    values = figure.to_plotly_json()
    traces = {str(t.get("uid", place)): t for place, t in enumerate(values["data"])}
    if len(traces) < len(values["data"]):
        raise ValueError("two traces of a live chart have the same uid; give each its own")
    for uid in traces:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", uid):
            raise ValueError(f"uid {uid!r} of a trace may have letters, digits, - and _ only")
    layout = {name: value for name, value in values["layout"].items() if name != "template"}
    texts = {"alt": alt, "png": _("Download as PNG")}
    return {"traces": traces, "order": list(traces), "layout": layout, **texts}
