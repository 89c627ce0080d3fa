"""Small nets in a state as after training, and subjects made of them."""

import math
from functools import cache

import torch
from scipy.ndimage import gaussian_filter
from torch import nn

from resnet_viz.nets.build import Net, build_net
from resnet_viz.probes.attributions.subject import Subject
from resnet_viz.specs import NetSpec

SIDE, CLASSES = 16, 5
MEAN, STD = (0.5, 0.4, 0.3), (0.25, 0.2, 0.3)
NETS = {
    "plain": NetSpec("plain", 8, width=4),
    "resnet": NetSpec("resnet", 14, width=4),
    "preact": NetSpec("preact", 8, width=4, shortcut="B"),
    "bottleneck": NetSpec("resnet", 11, block="bottleneck", width=4, shortcut="B"),
}


@cache
def made(spec: NetSpec) -> Net:
    """A net with statistics, scales and biases of its own, so that nothing cancels by chance."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        net = build_net(spec, CLASSES).eval()
        nn.init.normal_(net.head.linear.weight)  # logits that differ by more than rounding does
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 1.5)
                nn.init.normal_(module.bias, 0, 0.2)
                nn.init.uniform_(module.weight, 0.5, 1.5)
    return net


def image(seed=2, side=SIDE):
    """A normalised image with large and small shapes in it."""
    generator = torch.Generator().manual_seed(seed)
    rough = torch.rand(1, 3, 4, 4, generator=generator)
    pixels = nn.functional.interpolate(rough, side, mode="bilinear")
    pixels = (pixels + 0.1 * torch.rand(1, 3, side, side, generator=generator)).clamp(0, 1)
    return (pixels - torch.tensor(MEAN).reshape(1, 3, 1, 1)) / torch.tensor(STD).reshape(1, 3, 1, 1)


def subject_of(name_or_spec, side=SIDE):
    """The class that the net names, for which Grad-CAM is not all zero."""
    net, x = made(NETS.get(name_or_spec, name_or_spec)), image(side=side)
    with torch.no_grad():
        target = net(x).argmax().item()
    return Subject(net, x, target, MEAN, STD)


def blurred(x):
    """scipy's Gaussian of a tenth of the side, to two and a half standard deviations.

    Beyond the border the image is mirrored, which has to end where the image does.
    """
    side = x.shape[-1]
    radius = min(math.ceil(0.25 * side), side - 1)
    found = gaussian_filter(
        x.double().numpy(), 0.1 * side, radius=radius, mode="mirror", axes=(2, 3)
    )
    return torch.from_numpy(found).to(x)
