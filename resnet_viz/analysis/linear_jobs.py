"""What to ask about linear probes on a net's blocks. No torch.

Images chosen by a seed go through the net in chunks, a classifier is fitted to every block's
pooled outputs, and what was fitted is kept as a file: the next visit only reads it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from resnet_viz.analysis.evaluation_jobs import match_classes
from resnet_viz.analysis.inquiry import Job
from resnet_viz.analysis.linear_files import kept_path, shipped_path
from resnet_viz.analysis.pace import check_free, forward_bytes, images_in_job
from resnet_viz.analysis.question import Question, single
from resnet_viz.checks import check_integer
from resnet_viz.datasets.catalogue import DatasetInfo, describe, is_present
from resnet_viz.datasets.errors import DataError
from resnet_viz.datasets.scan import scan
from resnet_viz.i18n import _
from resnet_viz.layers import blocks_of
from resnet_viz.sources import NetCard, Source
from resnet_viz.specs import DataSpec, SpecError

MOST_IMAGES = 100_000

_MOST_AT_ONCE = 200
_ANSWERS = "resnet_viz.analysis.linear_answers"


@dataclass(frozen=True)
class ProbeImages:
    """Which images the probes are fitted to and tested on.

    Attributes:
        data: None for those that the net was trained on.
        train, test: how many of its training and of its test images, at most.
        seed: of the choice.

    Raises:
        SpecError: a count that makes no sense.
    """

    data: DataSpec | None = None
    train: int = 2000
    test: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        check_integer("train", self.train, 2, MOST_IMAGES)
        check_integer("test", self.test, 1, MOST_IMAGES)
        check_integer("seed", self.seed, 0, 2**31)


USUAL = ProbeImages()


def probes_question(source: Source, card: NetCard, images: ProbeImages = USUAL) -> Question:
    """Ask for a linear probe on the stem and on every block; the answer is a `LinearProbes`.

    Those that were fitted before, or come with the program, are only read.

    Args:
        card: of the net.

    Raises:
        SpecError: it is not known which images to take, their classes are not the net's, or
            there is too little memory.
        DataError: the images are not on this computer, or too few.
    """
    file = probes_file(source, card, images)
    if file.is_file():
        return single(Job(f"{_ANSWERS}:read_kept", {"net": source.to_dict(), "file": str(file)}))
    task = _task(source, card, images)
    chunks = range(-(-(task["train"] + task["test"]) // task["chunk"]))
    points = range(1 + len(blocks_of(card.net)))
    jobs = [
        *(Job(f"{_ANSWERS}:pool_images", {**task, "number": i}) for i in chunks),
        *(Job(f"{_ANSWERS}:fit_point", {**task, "number": i}) for i in points),
        Job(f"{_ANSWERS}:keep_probes", {**task, "file": str(file)}),
    ]
    return Question(tuple(jobs), lambda answers: answers[-1])


def placed_question(
    source: Source, card: NetCard, image: str, images: ProbeImages = USUAL
) -> Question:
    """Ask what every probe says of an image, after `probes_question` has been answered.

    The answer is float32 (points, classes): probabilities.

    Args:
        image: `picture_text` of the square that the net sees.
        images: as in `probes_question`.

    Raises:
        as `probes_question`.
    """
    file = probes_file(source, card, images)
    arguments = {"net": source.to_dict(), "image": image, "file": str(file)}
    return single(Job(f"{_ANSWERS}:place_image", arguments))


def probes_file(source: Source, card: NetCard, images: ProbeImages = USUAL) -> Path:
    """Where the probes lie once they are fitted, or where the program brings them.

    Raises:
        SpecError, DataError: as `probes_question`.
    """
    shipped = shipped_path(source)
    if shipped is not None and images == USUAL:
        return shipped
    data = _data(card, images)
    key = {
        "net": source.to_dict(),
        "data": data.to_dict(),
        "fingerprint": scan(data.folder).fingerprint if data.folder is not None else "",
        "images": [images.train, images.test, images.seed],
    }
    return kept_path(key)


def _task(source: Source, card: NetCard, images: ProbeImages) -> dict[str, Any]:
    """The arguments that all jobs of a question have in common."""
    data = _data(card, images)
    about = describe(data)
    train = min(images.train, about.train_images - data.val_images)
    test = min(images.test, about.test_images)
    if train < 2 or not test:
        text = _("{data} has {train} training and {test} test images; linear probes need some.")
        raise DataError(text.format(data=about.title, train=train, test=test))
    chunk = images_in_job(card, _MOST_AT_ONCE)
    _check_memory(card, train + test, chunk)
    return {
        "net": source.to_dict(),
        "data": data.to_dict(),
        "targets": list(match_classes(card.classes, about.classes)),
        "train": train,
        "test": test,
        "seed": images.seed,
        "chunk": chunk,
        "words": _words(card, images, about),
    }


def _data(card: NetCard, images: ProbeImages) -> DataSpec:
    """The images at the net's size, which are there."""
    data = images.data or card.data
    if data is None:
        raise SpecError(
            _(
                "A linear probe is fitted to labelled images, and it is not known on which ones "
                "{net} was trained. Choose a data set with its classes."
            ).format(net=card.title)
        )
    data = replace(data, crop_padding=0, flip=False, image_size=card.image_size)
    if not is_present(data):
        raise DataError(
            _(
                "The probes of {net} are fitted to images of its data set, {data}, which is not "
                "on this computer. Get it on the page of error against depth, or with: "
                "python -m resnet_viz download {data}"
            ).format(net=card.title, data=data.name)
            if data.folder is None
            else _(
                "The probes of {net} are fitted to images of the folder {folder!r} on which it "
                "was trained, and there is no such folder on this computer. Put it back, or "
                "choose another data set with the same classes."
            ).format(net=card.title, folder=data.folder)
        )
    return data


def _check_memory(card: NetCard, images: int, chunk: int) -> None:
    """Refuse pooled outputs, and what a chunk's forward pass takes, beyond what is free."""
    blocks = blocks_of(card.net, image_size=card.image_size)
    pooled = 4 * images * (card.net.width + sum(block.c_out for block in blocks))
    text = _(
        "Linear probes on {net} with {n:,} images need {need:.1f} GB of memory, and {free:.1f} GB "
        "can be used; choose fewer images or a smaller net."
    )
    check_free(pooled + forward_bytes(card, chunk), text, net=card.title, n=images)


def _words(card: NetCard, images: ProbeImages, about: DatasetInfo) -> str:
    """The data in words, as short as a file keeps them."""
    trained_on = card.trained_on if images.data is None else ""
    return (trained_on or about.title)[:200]
