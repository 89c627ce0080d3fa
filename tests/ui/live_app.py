"""A page of live charts whose curves grow with the clock; run by test_live_chart.py."""

import math
import os
import random
import time

import streamlit as st

from resnet_viz.figures.captions import sweep_caption
from resnet_viz.figures.errors import error_vs_depth, error_vs_step
from resnet_viz.figures.verdict import judge
from resnet_viz.records import History, RunInfo
from resnet_viz.specs import DataSpec, NetSpec, RunSpec, TrainSpec
from resnet_viz.ui.live_chart import live_chart, load_plotly

START = float(os.environ["LIVE_APP_START"])  # the same for every session and server
TICK_SECONDS = float(os.environ.get("LIVE_APP_TICK", "0.5"))
STEPS_A_SECOND = 8
STEPS = 2000


def curve(family: str, depth: int, step: int) -> float:
    noise = 0.02 * random.Random(f"{family}{depth}{step // 5}").random()
    pace = 20 + depth / 2 if family == "resnet" else 20 + depth**2 / 6
    return 0.9 * math.exp(-step / pace) + noise


def run(number: int, family: str, depth: int, step: int) -> tuple[RunInfo, History]:
    spec = RunSpec(NetSpec(family, depth), DataSpec("digits"), TrainSpec(steps=STEPS))
    steps = list(range(1, step + 1))
    errors = [curve(family, depth, s) for s in steps]
    history = History({"running_error": steps}, {"running_error": errors})
    return RunInfo(number, "sweep", spec, "running", step=step), history


st.set_page_config(layout="wide")
st.title("Does a deeper net train better?")
load_plotly()
st.button("Do nothing", key="nothing")


@st.fragment(run_every=TICK_SECONDS)
def live() -> None:
    step = min(STEPS, 20 + int((time.time() - START) * STEPS_A_SECOND))
    nets = [(family, depth) for family in ("plain", "resnet") for depth in (8, 20, 32, 56)]
    runs = [run(number, *net, step) for number, net in enumerate(nets)]
    left, right = st.columns(2)
    with left:
        live_chart(error_vs_depth(runs), key="depths", alt=f"error against depth at step {step}")
    with right:
        live_chart(error_vs_step(runs), key="steps", alt=f"error against step up to {step}")
    st.markdown(sweep_caption(judge(runs)))


live()
