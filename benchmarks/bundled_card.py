"""The model card of the bundled nets, from what their files say."""

from __future__ import annotations

from pathlib import Path

from resnet_viz.nets.bundled import ENDING, BundledNet, nets_in
from resnet_viz.nets.costs import count_costs
from resnet_viz.specs import RunSpec

_HEAD = """\
# The nets that come with resnet_viz

Written by `python -m benchmarks.bundled`; do not edit by hand.

Plain and residual nets (He et al. 2015, arXiv:1512.03385) that this program trained itself. They
make the pages "Feature maps" and "Attributions" work at the first visit, without a download.
Errors are measured with the weights in these files (float16, batch norm float32), in evaluation
mode, on every image of the split, without augmentation.
"""

_TAIL = """\
## What they are for, and what not

They are for looking into: to compare a plain with a residual net on one image, and attribution
methods with each other. They are small nets after a short training, one seed each; their errors
are not the best that these architectures reach, and are no measure of the paper's nets. They know
the ten classes of their data set and nothing else: to any other picture they answer with one of
these ten all the same. Images of 32 pixels a side are what they have seen; a photo is brought to
that size. Decide nothing about people or things with them.

## The data

CIFAR-10: Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images. The JPEG copy is
the community's: the same 60,000 images, compressed once more, so that errors on it and on the
original differ by some points. Images are normalised by mean and standard deviation of the
training images, which each file names. No image is part of these files.

Drawn shapes: made by this program (`resnet_viz/datasets/shapes.py`), each image with the mask of
its object.

## The files

safetensors. The metadata's key "resnet_viz" holds JSON: net, data and recipe (`spec`), `step`,
`classes`, `mean`, `std`, and the figures of this card. Licence: as the program's.
"""


def write_card(folder: Path) -> None:
    """Write README.md beside the files of a folder."""
    nets_in.cache_clear()
    nets = nets_in(folder)
    parts = [_HEAD, "## What they reach\n", _table(nets, folder), "## How they were trained\n"]
    for words in dict.fromkeys(net.trained_on for net in nets):
        group = [net for net in nets if net.trained_on == words]
        parts.append(_recipe(words, group))
    (folder / "README.md").write_text("\n".join([*parts, _TAIL]), "utf-8")


def _table(nets: tuple[BundledNet, ...], folder: Path) -> str:
    lines = [
        "| net | data | parameters | steps | training error | test error | file |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for net in nets:
        parameters = count_costs(net.run.net, num_classes=len(net.classes)).parameters
        size = (folder / f"{net.name}{ENDING}").stat().st_size
        lines.append(
            f"| {net.name} | {net.trained_on} | {parameters:,} | {_steps(net)} "
            f"| {100 * net.train_error:.2f} % | {100 * net.test_error:.2f} % "
            f"| {size / 1e3:.0f} kB |"
        )
    images = "; ".join(
        dict.fromkeys(
            f"{net.trained_on}: {net.train_images:,} training and {net.test_images:,} test images"
            for net in nets
        )
    )
    return "\n".join([*lines, "", f"One seed each. {images}.", ""])


def _steps(net: BundledNet) -> str:
    planned = net.run.train.steps
    return f"{net.step:,}" if net.step == planned else f"{net.step:,} of {planned:,}"


def _recipe(words: str, group: list[BundledNet]) -> str:
    """The recipe of the nets of one data set, which is the same for all of them."""
    run = group[0].run
    if any((net.run.train, net.run.data) != (run.train, run.data) for net in group):
        raise ValueError(f"the nets on {words} were not trained alike")
    train, data = run.train, run.data
    epochs = train.steps * train.batch_size / group[0].train_images
    option = "--shapes" if data.name == "shapes" else "--folder FOLDER"
    lines = [
        f"On {words}: SGD with momentum {train.momentum:g}, weight decay {train.weight_decay:g} on "
        f"all weights, batches of {train.batch_size}, {train.steps:,} steps ({epochs:.1f} epochs); "
        f"learning rate {train.lr:g}, reached in {train.warmup_steps} steps, then "
        f"{_schedule(run)}. {_augmentation(run)} Width {run.net.width}, shortcut A, He "
        f"initialisation, seed {train.seed}. No validation split.",
        "",
        f"Reproduce with: `python -m benchmarks.bundled {option}`"
        + ("" if data.name == "shapes" else " (FOLDER holds train/<class>/ and test/<class>/)."),
        "",
        *(f"- {net.name}: {net.trained_with}" for net in group),
        "",
    ]
    return "\n".join(lines)


def _schedule(run: RunSpec) -> str:
    return {
        "cosine": "falling to zero as a cosine",
        "step": "divided by ten at 1/2 and 3/4 of the steps",
        "constant": "constant",
    }[run.train.schedule]


def _augmentation(run: RunSpec) -> str:
    flipped = " and mirrored at random" if run.data.flip else ""
    return (
        f"Images are cropped at random out of a border of {run.data.crop_padding} pixels{flipped}."
    )
