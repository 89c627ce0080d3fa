"""Experiments of papers as sweeps that can be run again. Standard library only."""

from __future__ import annotations

from dataclasses import replace

from resnet_viz.specs import DataSpec
from resnet_viz.sweeps import PRESETS, SweepSpec

# He et al. 2015, Fig. 6, left and middle. Its caption: the error of plain-110 is higher than 60 %
# and not displayed.
FIGURE6_NETS = {"plain": (20, 32, 44, 56), "resnet": (20, 32, 44, 56, 110)}
FIGURE6_ITERATIONS = PRESETS["paper"].train.steps


def figure6(data: DataSpec, *, iterations: int = FIGURE6_ITERATIONS, seed: int = 0) -> SweepSpec:
    """The nine nets whose curves He et al. 2015, Fig. 6 shows, with the recipe of its section 4.2.

    Args:
        data: what they are trained on.
        iterations: in place of 64,000; the learning rate is divided at 1/2 and 3/4 of them.
        seed: of initialisation, batches and augmentation.

    Raises:
        SpecError: no such number of iterations, or no such seed.
    """
    paper = PRESETS["paper"]
    train = replace(paper.train, steps=iterations, seed=seed)
    grid = replace(paper, data=data, train=train)
    nets = [(family, depth) for family, depths in FIGURE6_NETS.items() for depth in depths]
    runs = [run for run in grid.runs() if (run.net.family, run.net.depth) in nets]
    return replace(grid, given=tuple(runs))


def paper_split(data: DataSpec, *, train_images: int, image_size: int) -> DataSpec:
    """Images held out and augmented as He et al. 2015, 4.2 do with CIFAR-10.

    A tenth of the training images is held out (5,000 of 50,000), random crops come out of a border
    of an eighth of the image's side (4 of 32 pixels), and half the images are mirrored, unless a
    mirrored one is another sign.
    """
    return replace(
        data,
        crop_padding=image_size // 8,
        flip=data.name != "digits",
        val_images=train_images // 10,
    )
