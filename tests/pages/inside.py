"""What the tests of the pages that look inside a net have in common."""

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from PIL import Image

from resnet_viz.analysis.opened import Opened, open_net
from resnet_viz.analysis.pictures import as_input
from resnet_viz.datasets.picture import centre_square, cut, picture_text
from resnet_viz.datasets.samples import open_sample
from resnet_viz.sources import Source
from resnet_viz.specs import DataSpec, TrainSpec
from resnet_viz.sweeps import PRESETS

SMALL = replace(
    PRESETS["quick"],
    depths=(8,),
    width=4,
    data=DataSpec("digits", image_size=8),
    train=TrainSpec(steps=40, batch_size=16),
)
RESIDUAL, PLAIN = "shapes-resnet-20", "shapes-plain-20"  # small, and on every computer


def is_there(key):
    """The condition that a view has come to its end: what it offers to carry off is there."""
    return lambda page: any(b.key == f"take_{key}" for b in page.download_button)


def numbers(page, column: str) -> pd.DataFrame:
    """The table that has this column."""
    return next(d.value for d in page.dataframe if column in d.value)


def opened(name: str) -> Opened:
    return open_net(Source("bundled", name).to_dict())


def as_seen(net: Opened, photo: str = "cat") -> torch.Tensor:
    """The middle of a photograph, as a net takes it at a first visit."""
    return as_input(picture_text(seen_pixels(net.card.image_size, photo)), net)


def seen_pixels(size: int, photo: str = "cat") -> np.ndarray:
    """The same square before a net normalises it."""
    picture = open_sample(photo)
    return cut(picture, centre_square(picture), size)


def opened_png(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=("PNG",))
    image.load()
    return image


def png(width: int, height: int, colour: str = "red") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, "PNG")
    return file.getvalue()
