"""Captum called as its documentation shows, with its defaults: what ours is held against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from captum.attr import IntegratedGradients, LayerGradCam, Occlusion
from numpy.typing import NDArray
from torch import Tensor, nn

Call = Callable[[nn.Module, Tensor, int, Mapping[str, Any]], NDArray[np.float32]]


def integrated_gradients(
    net: nn.Module, x: Tensor, target: int, parameters: Mapping[str, Any]
) -> NDArray[np.float32]:
    """All steps in one batch; the default baseline, zero, is the mean colour here."""
    found = IntegratedGradients(net).attribute(x, target=target, n_steps=parameters["steps"])
    return as_array(found)


def grad_cam(
    net: nn.Module, x: Tensor, target: int, parameters: Mapping[str, Any]
) -> NDArray[np.float32]:
    """At the last block, as ours by default; its positive part."""
    layer = net.get_submodule("stages.3.2")
    return as_array(LayerGradCam(net, layer).attribute(x, target, relu_attributions=True))


def occlusion(
    net: nn.Module, x: Tensor, target: int, parameters: Mapping[str, Any]
) -> NDArray[np.float32]:
    """One window after another, one channel of the result, which are all the same."""
    window, stride = parameters["window"], parameters["stride"]
    found = Occlusion(net).attribute(
        x, sliding_window_shapes=(3, window, window), strides=(3, stride, stride), target=target
    )
    return as_array(found[:, :1])


def as_array(values: Tensor) -> NDArray[np.float32]:
    """As numpy, without gradient."""
    found: NDArray[np.float32] = values.detach().numpy()
    return found


# Method to the parameters that are not at our default, and captum's call.
CALLS: dict[str, tuple[dict[str, Any], Call]] = {
    "integrated-gradients": ({"steps": 50}, integrated_gradients),
    "grad-cam": ({}, grad_cam),
    "occlusion": ({"window": 32, "stride": 16}, occlusion),
}
