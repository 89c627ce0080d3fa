"""What to ask about a net's errors on labelled images. No torch."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from resnet_viz.analysis.inquiry import Job
from resnet_viz.analysis.pace import images_in_job
from resnet_viz.analysis.question import Question
from resnet_viz.checks import SpecError, check_choice
from resnet_viz.datasets.catalogue import DatasetInfo, describe, is_present
from resnet_viz.datasets.errors import DataError
from resnet_viz.datasets.scan import scan
from resnet_viz.i18n import _
from resnet_viz.inside import Evaluation
from resnet_viz.sources import NetCard, Source
from resnet_viz.specs import DataSpec

SPLITS = ("test", "train", "all")
MOST_IMAGES = 500  # a job
_NAMED = 8  # classes that a message names

# Names that are usual for two classes of CIFAR-10 beside its own.
_ALIASES = {"plane": "airplane", "car": "automobile"}


class Judged(TypedDict):
    """A job's answer: some images, in their order, without those that could not be used.

    Attributes:
        labels: positions among the data's classes, (n,).
        predictions: positions among the net's classes, (n,).
        unusable: what was left out, and why.
        seconds: of computing.
    """

    labels: NDArray[np.int64]
    predictions: NDArray[np.int64]
    unusable: list[str]
    seconds: float


def evaluation_question(
    source: Source, card: NetCard, data: DataSpec, split: str = "test"
) -> Question:
    """Ask for the errors of a net on every image of a split; the answer is an `Evaluation`.

    Args:
        card: of the net.
        data: its image size, augmentation and validation images do not matter: the net gets
            every image at its own size.
        split: one of `SPLITS`.

    Raises:
        SpecError: the classes of net and data do not match, or there is no such split.
        DataError: the data are not there, or have no image of that split.
    """
    check_choice("split", split, SPLITS)
    about = describe(data)  # a folder that is not there says so itself
    if not is_present(data):
        text = _("{data} is not on this computer: python -m resnet_viz download {data}")
        raise DataError(text.format(data=data.name))
    targets = match_classes(card.classes, about.classes)
    count = count_images(about, split)
    if not count:
        text = _("{data} has no images of the split {split!r}; choose another one: {others}")
        others = ", ".join(each for each in SPLITS if each != split)
        raise DataError(text.format(data=about.title, split=split, others=others))
    step = images_in_job(card, MOST_IMAGES)
    arguments = {
        "net": source.to_dict(),
        "data": {"name": data.name, "folder": data.folder} if data.folder else {"name": data.name},
        "split": split,
        "fingerprint": scan(data.folder).fingerprint if data.folder is not None else "",
    }
    jobs = tuple(
        Job(
            "resnet_viz.analysis.evaluation_answers:judge_images",
            {**arguments, "start": start, "stop": min(start + step, count)},
        )
        for start in range(0, count, step)
    )
    return Question(jobs, lambda found: _combine(found, card, about.title, split, targets))


def count_images(about: DatasetInfo, split: str) -> int:
    """Images of a split."""
    counts = {"train": about.train_images, "test": about.test_images}
    return counts.get(split, sum(counts.values()))


def match_classes(net: Sequence[str], data: Sequence[str]) -> tuple[int, ...]:
    """For each class of the data, its position among the net's, by name.

    The data may have fewer classes, in any order. Case, spaces, "_" and "-" do not count.

    Raises:
        SpecError: a class of the data is none of the net's.
    """
    names = [_plain(name) for name in net]
    counts = Counter(names)
    known = {name: i for i, name in enumerate(names) if counts[name] == 1}
    unknown = [name for name in data if _plain(name) not in known]
    if unknown:
        text = _(
            "The net does not know these classes of the images: {unknown}. It knows: {known}. "
            "Name the class folders as the net does, or choose other images or another net."
        )
        raise SpecError(text.format(unknown=_few(unknown), known=_few(net)))
    targets = tuple(known[_plain(name)] for name in data)
    if len(set(targets)) < len(targets):
        raise SpecError(_("Two classes of the images have one name: {n}.").format(n=_few(data)))
    return targets


def _plain(name: str) -> str:
    plain = re.sub(r"[\s_-]+", " ", name).strip().casefold()
    return _ALIASES.get(plain, plain)


def _few(names: Sequence[str]) -> str:
    more = ", …" if len(names) > _NAMED else ""
    return ", ".join(f"{name:.60}" for name in names[:_NAMED]) + more


def unusable_images(answers: Sequence[Judged]) -> list[str]:
    """The images that were left out, and why."""
    return [text for answer in answers for text in answer["unusable"]]


def _combine(
    answers: Sequence[Judged], card: NetCard, data: str, split: str, targets: Sequence[int]
) -> Evaluation:
    labels = np.concatenate([answer["labels"] for answer in answers])
    predictions = np.concatenate([answer["predictions"] for answer in answers])
    if not len(labels):
        raise DataError(_("None of these images could be used."))
    truth = np.asarray(targets)[labels]
    classes = len(card.classes)
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (truth, predictions), 1)
    images = confusion.sum(1)
    wrong = images - confusion.diagonal()
    return Evaluation(
        net=card.title,
        data=data,
        split=split,
        images=len(labels),
        error=float(wrong.sum() / len(labels)),
        classes=card.classes,
        class_images=tuple(int(n) for n in images),
        class_errors=tuple(
            float(bad / n) if n else float("nan") for bad, n in zip(wrong, images, strict=True)
        ),
        confusion=confusion,
        seconds=sum(answer["seconds"] for answer in answers),
    )
