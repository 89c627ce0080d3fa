"""At initialisation: what fresh nets do to signal and gradient, measured while one looks on."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

import streamlit as st

from resnet_viz.analysis.process import Job
from resnet_viz.analysis.signal_jobs import BATCHES, ratio_nets, signal_jobs
from resnet_viz.analysis.tables import gain_rows, rows_csv, signal_rows
from resnet_viz.datasets import catalogue
from resnet_viz.datasets.errors import DataError
from resnet_viz.figures.profiles.captions import ratio_caption
from resnet_viz.figures.ratios import ratio_vs_depth
from resnet_viz.figures.signals.captions import (
    gains_caption,
    gradient_caption,
    response_caption,
)
from resnet_viz.figures.signals.gains import gains
from resnet_viz.figures.signals.layers import gradient_vs_layer, ratio_points, response_vs_layer
from resnet_viz.figures.signals.pages import signals_page
from resnet_viz.figures.spread import Images
from resnet_viz.i18n import _
from resnet_viz.signals import Signal
from resnet_viz.specs import RESIDUAL_FAMILIES, DataSpec, NetSpec, SpecError
from resnet_viz.ui.downloads import table, take_away_probe
from resnet_viz.ui.inquiries import ask, refuse, watch
from resnet_viz.ui.live_chart import live_chart
from resnet_viz.ui.probe_form import (
    Chosen,
    build_specs,
    controls_and_picture,
    data_controls,
    depth_control,
    families_control,
    init_controls,
    width_control,
)
from resnet_viz.ui.session import Backend

RATIO_BATCHES = 3


def start_view(backend: Backend) -> None:
    """Controls on the left; the gradient layer by layer, what it means, and its factors."""
    controls, picture = controls_and_picture()
    try:
        with controls, st.container(border=True):
            chosen, data = _controls()
        jobs = _jobs(chosen.nets, data)
    except (SpecError, DataError) as error:
        refuse(picture, error)
        return
    images = _images(data)
    with picture:
        st.caption(
            _(
                "Fresh nets, nothing trained: one forward and one backward pass for each seed, "
                "which draws weights and images; batch norm takes the batch's own statistics."
            )
        )
        for text in chosen.refused:
            st.caption(_("Left out: {text}").format(text=text))
        watch(
            ask(backend, "start", jobs),
            lambda found: _charts(chosen.nets, found, images),
            name="start",
            first=len(chosen.nets),
            last=lambda found: _table_and_take_away(chosen.nets, found, images, data),
        )


def _controls() -> tuple[Chosen, DataSpec]:
    depth = depth_control(key="depth", very_deep=True)
    families = families_control(key="start_families")
    fields = init_controls(prefix="net")
    with st.expander(_("Net and images"), icon=":material/tune:"):
        width = width_control(prefix="net")
        data = data_controls(prefix="net")
    return build_specs(families, {"depth": depth, "width": width, **fields}), data


def _jobs(nets: Sequence[NetSpec], data: DataSpec) -> list[Job]:
    """First the nets that are looked at, then those that the ratio against depth needs too.

    Made once for a question: how many images a batch may have depends on the memory that is
    free, which changes while they are measured.
    """
    question = (tuple(nets), data)
    asked, jobs = st.session_state.get("start_jobs", (None, []))
    if asked != question:
        others = [net for net in ratio_nets(_compared(nets)) if net not in nets]
        jobs = signal_jobs(nets, data, BATCHES) + signal_jobs(others, data, RATIO_BATCHES)
        st.session_state["start_jobs"] = question, jobs
    return jobs


def _compared(nets: Sequence[NetSpec]) -> list[NetSpec]:
    """The nets that are looked at and, in families that can have them, those that the ratio is
    always drawn for: without shortcuts and with."""
    others = [net for net in nets if net.family != "densenet"]  # its depths are its own
    always: Sequence[NetSpec] = ()
    if others:
        fields = {name: value for name, value in others[0].to_dict().items() if name != "family"}
        always = build_specs(("plain", *RESIDUAL_FAMILIES), fields).nets
    return list(dict.fromkeys([*always, *nets]))


def _images(data: DataSpec) -> Images:
    about = catalogue.describe(data)
    return Images(about.channels, data.image_size or about.image_size, len(about.classes))


def _charts(nets: Sequence[NetSpec], found: list[Signal], images: Images) -> None:
    here = [signal for signal in found if signal.net in nets]
    live_chart(
        gradient_vs_layer(here, images),
        key="start_gradient",
        height=400,
        alt=_("Gradient norm of every layer at initialisation, one line a family"),
    )
    st.markdown(gradient_caption(here))
    points = ratio_points(found)
    live_chart(
        ratio_vs_depth(points),
        key="start_ratio",
        height=380,
        alt=_("Gradient of the first convolution over that of the last, against depth"),
    )
    st.markdown(ratio_caption(points))
    st.subheader(_("A product of many factors"))
    live_chart(
        gains(here),
        key="start_gains",
        height=480,
        alt=_("Gain of the gradient in every block, and their running product"),
    )
    st.markdown(gains_caption(here))
    st.subheader(_("The signal on its way forward"))
    live_chart(
        response_vs_layer(here, images),
        key="start_response",
        height=380,
        alt=_("Standard deviation of every layer's response, one line a family"),
    )
    st.markdown(response_caption(here))


def _table_and_take_away(
    nets: Sequence[NetSpec], found: Sequence[Signal], images: Images, data: DataSpec
) -> None:
    rows = signal_rows(found)
    table(rows, key="start_table")
    take_away_probe(
        "gradients-at-start",
        csv=lambda: rows_csv(rows),
        json=lambda: json.dumps({"layers": rows, "blocks": gain_rows(found)}),
        html=lambda: signals_page(
            [signal for signal in found if signal.net in nets], found, images=images
        ),
        code=_command(found, data),
        language="bash",
    )


def _command(found: Sequence[Signal], data: DataSpec) -> str:
    """The command that measures the same nets, each with the images of the first."""
    net = found[0].net
    options = {
        "families": ",".join(dict.fromkeys(signal.net.family for signal in found)),
        "depths": ",".join(map(str, sorted({signal.net.depth for signal in found}))),
        "norm": net.norm,
        "init": net.init,
        "init-std": f"{net.init_std:g}" if net.init == "normal" else None,
        "width": net.width,
        "data": data.name,
        "folder": shlex.quote(data.folder) if data.folder else None,
        "image-size": data.image_size,
        "images": found[0].images,
        "batches": len({signal.seed for signal in found}),
        "json": "gradients.json",
    }
    words = [f"--{name} {value}" for name, value in options.items() if value is not None]
    return " ".join(["python -m resnet_viz gradients", *words])
