"""Methods that look at the maps of one block's output."""

from __future__ import annotations

from captum.attr import (
    GuidedGradCam,
    LayerAttribution,
    LayerGradCam,
    LayerGradientXActivation,
)
from torch import Tensor

from resnet_viz.probes.attributions.gradients import hold_apart
from resnet_viz.probes.attributions.shares import Share
from resnet_viz.probes.attributions.subject import Parameters, Subject


def grad_cam(subject: Subject, parameters: Parameters, _share: Share) -> dict[str, Tensor]:
    """The positive part of the maps' sum, each weighted with its mean gradient (Selvaraju et al.
    2016)."""
    cam = LayerGradCam(subject.net, subject.layer(parameters))
    return _enlarged(cam.attribute(subject.x, subject.target, relu_attributions=True), subject)


def hirescam(subject: Subject, parameters: Parameters, _share: Share) -> dict[str, Tensor]:
    """Gradient times activation, summed over the channels (Draelos & Carin 2020)."""
    product = LayerGradientXActivation(subject.net, subject.layer(parameters))
    found = product.attribute(subject.x, subject.target)
    return _enlarged(found.sum(1, keepdim=True), subject)


def guided_grad_cam(subject: Subject, parameters: Parameters, _share: Share) -> dict[str, Tensor]:
    """Guided Backprop times Grad-CAM, which is enlarged bilinearly as in Selvaraju et al. 2016."""
    hold_apart(subject.net)
    guided = GuidedGradCam(subject.net, subject.layer(parameters))
    found = guided.attribute(subject.leaf(), subject.target, interpolate_mode="bilinear")
    return {"values": found}


def _enlarged(coarse: Tensor, subject: Subject) -> dict[str, Tensor]:
    """A layer's map (1, 1, h, w), and the same at the size of the image."""
    size = tuple(subject.x.shape[-2:])
    values = LayerAttribution.interpolate(coarse, size, interpolate_mode="bilinear")
    return {"values": values, "coarse": coarse[:, 0]}
