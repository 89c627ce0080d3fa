"""torchvision's ImageNet weights in nets of our own blocks.

torchvision uses one ReLU module several times, on which DeepLift and Guided Backprop fail; here
every ReLU is its own.
"""

from __future__ import annotations

import os
from pathlib import Path

from resnet_viz.i18n import _
from resnet_viz.nets.build import Net, count_parameters
from resnet_viz.nets.foreign import make_net
from resnet_viz.nets.imagenet_files import (
    IMAGE_SIZE,
    NUM_CLASSES,
    ImageNetNet,
    WeightsFile,
    by_hand,
    imagenet_net,
    is_intact,
    missing_message,
)
from resnet_viz.nets.weights_file import WeightsError, read_weights
from resnet_viz.sources import STATISTICS, NetCard


def open_imagenet(name: str, path: str) -> tuple[Net, NetCard]:
    """A net of torchvision with the weights of a file, and what is known of it.

    Args:
        name: "imagenet:resnet50".
        path: of its file, whose name ends in the first digits of its SHA-256; "" if there is none.

    Raises:
        SpecError: there is no such net.
        WeightsError: no file, a damaged one, or one of another net; the message says what to do.
    """
    about = imagenet_net(name)
    net = _read_net(about, path)
    published = next((file for file in about.files if file.name == Path(path).name), None)
    mean, std = STATISTICS["imagenet"]
    card = NetCard(
        title=about.title,
        net=about.spec,
        classes=class_names(),
        image_size=IMAGE_SIZE,
        channels=3,
        mean=mean,
        std=std,
        parameters=count_parameters(net),
        trained_on="ImageNet (ILSVRC 2012)" if published else "",
        test_error=published.top1_error if published else None,
        notes=_notes(published),
    )
    return net, card


def class_names() -> tuple[str, ...]:
    """The thousand classes of ImageNet as torchvision names them, in order of the logits."""
    from torchvision.models import ResNet18_Weights  # takes a second, so only with such a net

    return tuple(ResNet18_Weights.DEFAULT.meta["categories"])


def _read_net(about: ImageNetNet, path: str) -> Net:
    file = Path(path)
    if not os.path.isfile(path):
        raise WeightsError(missing_message(about.name))
    try:
        intact = is_intact(file)
    except OSError as error:
        text = _("{path} cannot be read: {reason}.")
        raise WeightsError(text.format(path=file, reason=error.strerror or error)) from None
    if not intact:
        text = _(
            "{path} is damaged, cut off or not the published file: the digits in its name are not "
            "those of its SHA-256. Delete it and download it again. {by_hand}"
        )
        raise WeightsError(text.format(path=file, by_hand=by_hand(about.name)))
    found = make_net(read_weights(file), file.name)
    if (found.net.spec, found.classes, found.channels) != (about.spec, NUM_CLASSES, 3):
        text = _("{path} holds weights of another net ({net}, {n} classes) than {title}.")
        raise WeightsError(
            text.format(path=file, net=found.net.spec.name, n=found.classes, title=about.title)
        )
    return found.net


def _notes(published: WeightsFile | None) -> tuple[str, ...]:
    if published is None:
        return (_("This file is not one that torchvision publishes; nothing is known of it."),)
    return (
        _("Trained by torchvision ({version}, {file}).").format(
            version=published.version, file=published.name
        ),
        _("Published top-1 error {error:.2f} %, not measured here: {protocol}.").format(
            error=100 * published.top1_error, protocol=published.protocol
        ),
        _("Built of this program's own blocks; its logits are torchvision's."),
    )
