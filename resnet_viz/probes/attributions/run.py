"""Any method by its name."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from resnet_viz.probes.attributions import averages, gradients, layers, regions
from resnet_viz.probes.attributions.shares import WHOLE, Share
from resnet_viz.probes.attributions.subject import Parameters, Subject
from resnet_viz.probes.modes import preserved

_METHODS: dict[str, Callable[[Subject, Parameters, Share], dict[str, Tensor]]] = {
    "saliency": gradients.saliency,
    "input-x-gradient": gradients.input_x_gradient,
    "integrated-gradients": averages.integrated_gradients,
    "smoothgrad": averages.smoothgrad,
    "vargrad": averages.vargrad,
    "guided-backprop": gradients.guided_backprop,
    "deconvolution": gradients.deconvolution,
    "deeplift": gradients.deeplift,
    "gradient-shap": averages.gradient_shap,
    "occlusion": regions.occlusion,
    "feature-ablation": regions.feature_ablation,
    "grad-cam": layers.grad_cam,
    "guided-grad-cam": layers.guided_grad_cam,
    "hirescam": layers.hirescam,
}


def attribute(
    method: str, subject: Subject, parameters: Parameters, share: Share = WHOLE
) -> dict[str, NDArray[np.float32]]:
    """One share of an attribution; `shares.add` and `shares.finish` make the result of all.

    The net is as it was afterwards. Each share is one batch (DeepLift: the image and its
    baseline), so that the number of shares is what bounds the memory.

    Args:
        method: one of `methods.NAMES`.
        subject: what is explained.
        parameters: of the method, every one (`methods.Method.fill`).
        share: which part of the method's steps, samples, windows or regions; the other methods
            have one share.

    Returns:
        "values": (channels, S, S), or (1, S, S) where the method gives one value a pixel; for
        layers' maps also "coarse" (height, width); for VarGrad instead "mean" and "mean_square".

    Raises:
        SpecError: the net has no such layer.
    """
    with preserved(subject.net), warnings.catch_warnings(), torch.enable_grad():
        # captum says so each time; `preserved` sees to it that they go.
        warnings.filterwarnings("ignore", "Setting (forward, )?backward hooks", UserWarning)
        subject.net.eval().requires_grad_(False)
        found = _METHODS[method](subject, parameters, share)
    return {name: value[0].detach().numpy() for name, value in found.items()}
