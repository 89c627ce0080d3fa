"""A net's architecture, traced in the analysis process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resnet_viz.architectures import architecture
from resnet_viz.graphs import NetGraph, Total
from resnet_viz.nets.architectures import graph_of
from resnet_viz.nets.onnx_file import write_onnx


def describe_graph(net: Mapping[str, Any]) -> NetGraph:
    """The graph of a net.

    Args:
        net: `Architecture.to_dict`.

    Raises:
        SpecError: there is no such net.
    """
    return graph_of(architecture(net))


def measure_total(net: Mapping[str, Any]) -> Total:
    """The sums of a net's operations.

    Raises:
        SpecError: there is no such net.
    """
    return graph_of(architecture(net)).total


def export_onnx(net: Mapping[str, Any], seed: int, request: int) -> str:
    """Write an ONNX file of a net with fresh weights; the answer is its path.

    Args:
        request: sets two questions apart, so that the second is not answered from memory.

    Raises:
        SpecError: there is no such net.
        OnnxError: the package onnx is missing, or the file cannot be written.
    """
    return str(write_onnx(architecture(net), seed))
