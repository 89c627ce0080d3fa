"""The square that a net sees, from the server to the net: a PNG in base64 in a job's arguments."""

from __future__ import annotations

import base64
import io

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from resnet_viz.analysis.opened import Opened


def as_input(image: str, opened: Opened) -> Tensor:
    """The image of a job as its net takes it.

    Args:
        image: `picture_text` of a square of any size; it is brought to the net's own.

    Returns:
        float32 (1, channels, S, S), normalised.
    """
    card = opened.card
    with Image.open(io.BytesIO(base64.b64decode(image)), formats=("PNG",)) as png:
        square = png.convert("RGB" if card.channels == 3 else "L")
    if square.size != (card.image_size, card.image_size):
        square = square.resize((card.image_size, card.image_size), Image.Resampling.BILINEAR)
    pixels: NDArray[np.uint8] = np.array(square).reshape(card.image_size, card.image_size, -1)
    return opened.normalise(torch.from_numpy(pixels).permute(2, 0, 1)[None])
