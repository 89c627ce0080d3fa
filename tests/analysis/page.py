"""A page that asks the analysis process, and says so each time that its script is run."""

import os
import sys
from pathlib import Path

import streamlit as st

from resnet_viz.analysis.process import AnalysisProcess, Job


def say(line: str) -> None:
    with Path(os.environ["PAGE_LOG"]).open("a") as log:
        log.write(f"{os.getpid()} {line}\n")


@st.cache_resource
def process() -> AnalysisProcess:
    return AnalysisProcess(Path(os.environ["RESNET_VIZ_HOME"]), threads=1)


say("run")
inquiry = process().ask([Job("resnet_viz.checks:parse_numbers", {"text": "8, 20"})])
inquiry.wait(100)
st.title(f"{inquiry.answers} {inquiry.error} {'torch' in sys.modules}")
