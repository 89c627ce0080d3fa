"""Pictures read back, and nets that looked at an image, with numbers that the tests choose."""

import io

import numpy as np
from PIL import Image

from resnet_viz.figures.maps.looked import Looked
from resnet_viz.inside import Overview, Prediction, Strongest
from resnet_viz.specs import NetSpec


def pixels(png):
    """(H, W, 4) of a PNG, as any other program would see it."""
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def cells(sheet):
    """The cells of a sheet, cut out of its picture: (N, side, side, 4)."""
    picture, step = pixels(sheet.png), sheet.cell_pixels + sheet.gap_pixels
    found = []
    for i in range(sheet.count):
        row, column = divmod(i, sheet.columns)
        y, x = row * step, column * step
        found.append(picture[y : y + sheet.cell_pixels, x : x + sheet.cell_pixels])
    return np.stack(found)


def looked(
    family="resnet",
    depth=8,
    *,
    branch=(),
    shortcut=(),
    output=(),
    probabilities=(0.7, 0.2, 0.1),
    label=None,
    step=None,
):
    net = NetSpec(family, depth)
    blocks = sum(net.stage_blocks)
    branch = tuple(branch) or (1.0,) * blocks
    residual = family != "plain"
    shortcut = (tuple(shortcut) or (2.0,) * blocks) if residual else ()
    total = tuple(b + s for b, s in zip(branch, shortcut, strict=True)) if residual else ()
    probabilities = np.array(probabilities, np.float32)
    return Looked(
        net,
        label or net.name,
        Overview(
            Prediction(probabilities, np.log(probabilities)),
            (),
            branch,
            shortcut,
            total,
            tuple(output) or (3.0,) * blocks,
        ),
        step,
    )


def strongest(point, maps, *, count=4):
    """What a net would answer for all `maps` of a point."""
    strength = np.abs(maps).mean((1, 2))
    channels = np.argsort(-strength)[:count]
    return Strongest(point, maps.shape, tuple(map(int, channels)), maps[channels], strength)
