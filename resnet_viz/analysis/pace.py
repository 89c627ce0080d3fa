"""How much a job takes on: half a second of one core, and no more than memory holds. No torch."""

from __future__ import annotations

import psutil

from resnet_viz.checks import SpecError
from resnet_viz.i18n import _
from resnet_viz.layers import all_layers
from resnet_viz.nets.costs import count_costs
from resnet_viz.sources import NetCard

JOB_SECONDS = 0.5  # so that a job can be shown as progress, waited for, and cancelled

# Of one core, measured on ResNet-18 and -50 at 224 pixels and resnet-8, -20 and -56 at 16 and 32,
# in batches of 1 to 64: 0.020 to 0.028 ns forward and 0.044 to 0.068 ns there and back.
FORWARD_SECONDS, BOTH_SECONDS = 0.025e-9, 0.058e-9  # a multiply-add
# Where another program trains, it is about twice as long, and in small nets the values count too:
# measured on resnet-20, width 8 at 16 pixels and width 16 at 32.
_BUSY = 2
_SECONDS_PER_VALUE = 1.5e-9
_MOST_IMAGES, _MOST_VALUES = 64, 2_000_000  # in a batch: 13 images of 224×224 pixels

_MEMORY_SHARE = 0.5  # of what is free; the rest is for what trains meanwhile
# What a forward pass takes beside the weights, in largest feature maps: 6 to 13, measured on five
# nets at 128 to 256 pixels (input, output, the shortcut's and the convolution library's copies).
_LIVE_MAPS = 14
_WEIGHT_COPIES = 3  # the net's, the file's while it is read, the convolution library's


def images_in_job(card: NetCard, most: int = _MOST_IMAGES) -> int:
    """Images whose forward passes take about `JOB_SECONDS` of a busy core; one at least.

    Args:
        most: of them, however small the net.
    """
    costs = count_costs(card.net, in_channels=card.channels, image_size=card.image_size)
    seconds = _BUSY * FORWARD_SECONDS * costs.multiply_adds + _SECONDS_PER_VALUE * costs.activations
    by_memory = _MOST_VALUES // (card.channels * card.image_size**2)
    return max(1, min(most, int(JOB_SECONDS / seconds), by_memory))


def forward_bytes(card: NetCard, images: int = 1) -> int:
    """Memory that a forward pass of some images takes, and the net itself, about."""
    layers = all_layers(card.net, image_size=card.image_size, num_classes=len(card.classes))
    largest = max(layer.c_out * layer.side**2 for layer in layers)
    return 4 * (_LIVE_MAPS * images * largest + _WEIGHT_COPIES * card.parameters)


def free_bytes() -> int:
    """Memory that a job may take."""
    return int(_MEMORY_SHARE * psutil.virtual_memory().available)


def check_free(need_bytes: float, text: str, **names: object) -> None:
    """Refuse what does not fit into the memory that a job may take.

    Args:
        text: what to say, with {need:.1f} and {free:.1f} for GB and {…} for each of `names`.

    Raises:
        SpecError: it does not fit.
    """
    free = free_bytes()
    if need_bytes > free:
        raise SpecError(text.format(need=need_bytes / 1e9, free=free / 1e9, **names))


def check_forward(card: NetCard, images: int = 1) -> None:
    """Refuse a forward pass of some images that does not fit into memory.

    Raises:
        SpecError: it does not; the message says how much is missing.
    """
    text = _(
        "{net} at {size}×{size} pixels needs {need:.1f} GB of memory for {n} images at once, and "
        "{free:.1f} GB can be used; choose a smaller net, or close other programs."
    )
    if images == 1:
        text = _(
            "{net} at {size}×{size} pixels needs {need:.1f} GB of memory for one image, and "
            "{free:.1f} GB can be used; choose a smaller net, or close other programs."
        )
    need = forward_bytes(card, images)
    check_free(need, text, net=card.title, size=card.image_size, n=images)
