"""What to ask about a net's architecture: its graph, its sums, an ONNX file of it. No torch."""

from __future__ import annotations

import time

from resnet_viz.analysis.inquiry import Job
from resnet_viz.analysis.question import Question, single
from resnet_viz.architectures import Architecture

_ANSWERS = "resnet_viz.analysis.graph_answers"


def graph_question(net: Architecture) -> Question:
    """Ask for a net's graph; the result is a `graphs.NetGraph`."""
    return single(Job(f"{_ANSWERS}:describe_graph", {"net": net.to_dict()}))


def total_question(net: Architecture) -> Question:
    """Ask what a net's operations come to; the result is a `graphs.Total`."""
    return single(Job(f"{_ANSWERS}:measure_total", {"net": net.to_dict()}))


def onnx_question(net: Architecture, seed: int = 0) -> Question:
    """Ask for an ONNX file of a net with fresh weights; the result is its path.

    Asked anew each time, since a file that was written may be gone.

    Args:
        seed: of the weights.
    """
    arguments = {"net": net.to_dict(), "seed": seed, "request": time.time_ns()}
    return single(Job(f"{_ANSWERS}:export_onnx", arguments))
