"""The model card of the bundled nets, from what their files say."""

from __future__ import annotations

from pathlib import Path

from resnet_viz.nets.bundled import ENDING, BundledNet, nets_in
from resnet_viz.nets.costs import count_costs
from resnet_viz.reproductions import FIGURE6_ITERATIONS, figure6
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
methods with each other. They are small nets, one seed each, and how long they were trained stands
above; their errors are not the best that these architectures reach, and are no measure of the
paper's nets. They know the ten classes of their data set and nothing else: to any other picture
they answer with one of these ten all the same. Images of 32 pixels a side are what they have seen;
a photo is brought to that size. Decide nothing about people or things with them.

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
    """The recipe of the nets of one data set, which is the same for all of them.

    Raises:
        ValueError: it is not.
    """
    run = group[0].run
    if any((net.run.train, net.run.data) != (run.train, run.data) for net in group):
        raise ValueError(f"the nets on {words} were not trained alike")
    train, data = run.train, run.data
    trained = group[0].train_images - data.val_images
    epochs = train.steps * train.batch_size / trained
    lines = [
        f"On {words}: SGD with momentum {train.momentum:g}, weight decay {train.weight_decay:g} on "
        f"all weights, batches of {train.batch_size}, {train.steps:,} steps ({epochs:.1f} epochs); "
        f"learning rate {train.lr:g}, {_warmup(run)}{_schedule(run)}. {_augmentation(run)} "
        f"Width {run.net.width}, shortcut A, He initialisation, seed {train.seed}. "
        f"{_split(group[0])}",
        "",
        f"Reproduce with: {_commands(run)}",
        "",
        *(f"- {net.name}: {net.trained_with}" for net in group),
        "",
    ]
    return "\n".join(lines)


def _warmup(run: RunSpec) -> str:
    steps = run.train.warmup_steps
    return f"reached in {steps} steps, then " if steps else ""


def _split(net: BundledNet) -> str:
    held_out = net.run.data.val_images
    if not held_out:
        return "No validation split."
    return (
        f"{held_out:,} of the {net.train_images:,} training images were held out for validation; "
        "the training error above is of all of them."
    )


def _commands(run: RunSpec) -> str:
    """The commands that make nets of this recipe again."""
    if run.data.name == "shapes":
        return "`python -m benchmarks.bundled --shapes`"
    where = "(FOLDER holds train/<class>/ and test/<class>/)."
    paper = figure6(run.data, iterations=run.train.steps, seed=run.train.seed)
    if run in paper.runs():
        options = (
            "" if run.train.steps == FIGURE6_ITERATIONS else f" --iterations {run.train.steps}"
        )
        options += f" --seed {run.train.seed}" if run.train.seed else ""
        return (
            f"`python -m resnet_viz reproduce figure6 --folder FOLDER{options}`, then with the "
            f"sweep that it names `python -m benchmarks.bundled --folder FOLDER --export SWEEP` "
            f"{where}"
        )
    return f"`python -m benchmarks.bundled --folder FOLDER` {where}"


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
