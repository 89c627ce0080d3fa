"""Methods of one pass forward and one back: gradients by the pixels, changed at ReLUs or not."""

from __future__ import annotations

from captum.attr import Deconvolution, DeepLift, GuidedBackprop, InputXGradient, Saliency
from torch import Tensor, nn

from resnet_viz.probes.attributions.shares import Share
from resnet_viz.probes.attributions.subject import Parameters, Subject


def saliency(subject: Subject, _parameters: Parameters, _share: Share) -> dict[str, Tensor]:
    """|∂logit/∂x| (Simonyan et al. 2013)."""
    return {"values": Saliency(subject.net).attribute(subject.leaf(), target=subject.target)}


def input_x_gradient(subject: Subject, _parameters: Parameters, _share: Share) -> dict[str, Tensor]:
    """x · ∂logit/∂x, x normalised (Shrikumar et al. 2016)."""
    return {"values": InputXGradient(subject.net).attribute(subject.leaf(), target=subject.target)}


def guided_backprop(subject: Subject, _parameters: Parameters, _share: Share) -> dict[str, Tensor]:
    """The gradient, at each ReLU only what is positive and passes (Springenberg et al. 2014)."""
    hold_apart(subject.net)
    return {"values": GuidedBackprop(subject.net).attribute(subject.leaf(), target=subject.target)}


def deconvolution(subject: Subject, _parameters: Parameters, _share: Share) -> dict[str, Tensor]:
    """The gradient, at each ReLU only what is positive from above (Zeiler & Fergus 2013)."""
    hold_apart(subject.net)
    return {"values": Deconvolution(subject.net).attribute(subject.leaf(), target=subject.target)}


def deeplift(subject: Subject, parameters: Parameters, _share: Share) -> dict[str, Tensor]:
    """DeepLift's Rescale rule (Shrikumar et al. 2017)."""
    hold_apart(subject.net)
    baseline = subject.baseline(parameters)
    found = DeepLift(subject.net).attribute(subject.leaf(), baseline, target=subject.target)
    return {"values": found}


def hold_apart(net: nn.Module) -> None:
    """Give every ReLU an input of its own; the hooks stay until `preserved` ends.

    captum changes the gradient by a hook on the tensor that goes into a ReLU. In a pre-activation
    block without norm that tensor goes into the shortcut too, and the hook would meet the sum of
    two gradients.
    """
    for module in net.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_pre_hook(lambda _module, inputs: inputs[0].clone())
