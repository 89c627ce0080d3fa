"""The nets whose architecture can be looked at, by name. Standard library only.

CIFAR nets are any `NetSpec`; the others are published nets, each with its paper.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from resnet_viz.checks import check_choice
from resnet_viz.i18n import _
from resnet_viz.specs import NetSpec

CIFAR_SHAPE = (3, 32, 32)
IMAGENET_SHAPE = (3, 224, 224)


@dataclass(frozen=True)
class Architecture:
    """A net that can be built and drawn.

    Attributes:
        name: in links: "resnet152", "densenet121", "lenet5"; "cifar" for any CIFAR spec.
        title: the papers': "ResNet-152".
        family: whose colours it has.
        depth: weighted layers as its paper counts them.
        source: its paper.
        year: of the paper.
        spec: of a net of this program's blocks; None if somebody else builds it.
        image_shape: (channels, height, width).
        classes: outputs.
    """

    name: str
    title: str
    family: str
    depth: int
    source: str
    year: int
    spec: NetSpec | None = None
    image_shape: tuple[int, int, int] = IMAGENET_SHAPE
    classes: int = 1000

    def to_dict(self) -> dict[str, Any]:
        """What names it in a question: its name, or its spec."""
        if self.name == "cifar" and self.spec is not None:
            return {"spec": self.spec.to_dict()}
        return {"name": self.name}


HE_2015 = "He et al. 2015, arXiv:1512.03385"
HUANG_2016 = "Huang et al. 2016, arXiv:1608.06993"
_LECUN = "LeCun et al. 1998, Gradient-Based Learning Applied to Document Recognition"
_KRIZHEVSKY = "Krizhevsky et al. 2012, ImageNet Classification with Deep CNNs"
_VGG = "Simonyan & Zisserman 2014, arXiv:1409.1556"
_GOOGLENET = "Szegedy et al. 2014, arXiv:1409.4842"


def _imagenet(family: str, depth: int, blocks: tuple[int, ...]) -> Architecture:
    block = "basic" if depth < 50 else "bottleneck"
    shortcut = "A" if family == "plain" else "B"
    spec = NetSpec(family, depth, block, shortcut, width=64, blocks=blocks, stem="imagenet")
    title = f"{'plain' if family == 'plain' else 'ResNet'}-{depth}"
    return Architecture(f"{family}{depth}", title, family, depth, HE_2015, 2015, spec)


def _dense(depth: int) -> Architecture:
    return Architecture(
        f"densenet{depth}", f"DenseNet-{depth}", "densenet", depth, HUANG_2016, 2016
    )


IMAGENET = (
    _imagenet("resnet", 18, (2, 2, 2, 2)),
    _imagenet("resnet", 34, (3, 4, 6, 3)),
    _imagenet("resnet", 50, (3, 4, 6, 3)),
    _imagenet("resnet", 101, (3, 4, 23, 3)),
    _imagenet("resnet", 152, (3, 8, 36, 3)),
    *map(_dense, (121, 169, 201)),
    _imagenet("plain", 18, (2, 2, 2, 2)),
    _imagenet("plain", 34, (3, 4, 6, 3)),
)
HISTORY = (
    Architecture(
        "lenet5", "LeNet-5", "history", 5, _LECUN, 1998, image_shape=(1, 32, 32), classes=10
    ),
    Architecture("alexnet", "AlexNet", "history", 8, _KRIZHEVSKY, 2012),
    Architecture("vgg16", "VGG-16", "history", 16, _VGG, 2014),
    Architecture("vgg19", "VGG-19", "history", 19, _VGG, 2014),
    Architecture("googlenet", "GoogLeNet", "history", 22, _GOOGLENET, 2014),
)
NAMED = {net.name: net for net in (*IMAGENET, *HISTORY)}


def cifar(spec: NetSpec) -> Architecture:
    """A CIFAR net of this program, for ten classes of 32x32 pixels."""
    papers = {
        "preact": ("He et al. 2016, arXiv:1603.05027", 2016),
        "highway": ("Srivastava et al. 2015, arXiv:1505.00387", 2015),
        "densenet": (HUANG_2016, 2016),
    }
    source, year = papers.get(spec.family, (HE_2015, 2015))
    return Architecture(
        "cifar",
        _title(spec),
        spec.family,
        spec.depth,
        source,
        year,
        spec=spec,
        image_shape=CIFAR_SHAPE,
        classes=10,
    )


def _title(spec: NetSpec) -> str:
    """Family and depth, and in what it differs from that family's usual net."""
    parts = []
    if spec.family == "densenet":
        bottlenecks = spec.block == "bottleneck"
        parts += ["BC" if spec.compression < 1 else "B"] if bottlenecks else []
        parts += [f"k = {spec.growth_rate}"] if spec.growth_rate != NetSpec.growth_rate else []
    else:
        parts += [spec.block] if spec.block != NetSpec.block else []
        parts += [f"shortcut {spec.shortcut}"] if spec.shortcut != NetSpec.shortcut else []
        parts += [spec.order] if spec.order != NetSpec.order else []
        parts += [f"width {spec.width}"] if spec.width != NetSpec.width else []
    return f"{spec.name} ({', '.join(parts)})" if parts else spec.name


def file_stem(title: str) -> str:
    """A net's title as the beginning of a file's name: "densenet-100-BC"."""
    return "-".join(re.findall(r"[\w.-]+", title))


def architecture(values: Mapping[str, Any]) -> Architecture:
    """Inverse of `Architecture.to_dict`; the mapping is not trusted.

    Raises:
        SpecError: there is no such net, or its spec is bad; the message names the nearest.
    """
    if "spec" in values:
        return cifar(NetSpec.from_dict(values["spec"]))
    name = values.get("name")
    check_choice("net", name, tuple(NAMED))
    return NAMED[str(name)]


def ilsvrc(net: Architecture) -> str:
    """What a net of history achieved in the ILSVRC, in words; "" for other nets."""
    texts = {
        "lenet5": _("No ILSVRC: it read handwritten digits, twelve years before the first one."),
        "alexnet": _(
            "ILSVRC-2012: top-5 test error 15.3 %, several nets averaged ({source}). One net: "
            "18.2 % on the validation images."
        ),
        "vgg16": _(
            "ILSVRC-2014: top-5 test error 7.3 %, seven nets of this kind averaged ({source}, "
            "Table 7)."
        ),
        "googlenet": _(
            "ILSVRC-2014: top-5 test error 6.67 %, seven nets averaged, 144 crops of each image "
            "({source}, Table 2)."
        ),
    }
    text = texts.get("vgg16" if net.name == "vgg19" else net.name, "")
    return text.format(source=net.source)


def differences(net: Architecture) -> str:
    """Where what is built differs from its paper, in words; "" where it does not."""
    bottleneck = net.spec is not None and net.spec.block == "bottleneck"
    if bottleneck and net.name != "cifar":
        return _(
            "As in torchvision, a block's stride stands on its 3×3 convolution; in the paper on "
            "the first 1×1, which makes fewer multiply-adds (3.8 G for ResNet-50)."
        )
    texts = {
        "lenet5": _(
            "Of the paper's net the later variant that most people mean: plain average pooling "
            "without weights, all channels connected in the second convolution, a linear layer "
            "for the output instead of radial basis functions."
        ),
        "alexnet": _(
            "torchvision's net is the variant of “One weird trick” (Krizhevsky 2014, "
            "arXiv:1404.5997): 64 and 192 channels in the first layers instead of 96 and 256, one "
            "path instead of two on two GPUs, no local response normalisation."
        ),
        "googlenet": _(
            "torchvision's net has batch norm, no biases in its convolutions, and 3×3 "
            "convolutions where the paper has 5×5; the two auxiliary classifiers, which only help "
            "to train it, are left out."
        ),
    }
    return texts.get(net.name, "")
