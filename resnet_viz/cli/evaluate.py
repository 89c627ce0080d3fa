"""The command that counts a net's errors on labelled images: evaluate."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from resnet_viz import __version__
from resnet_viz.analysis.evaluation_jobs import (
    SPLITS,
    Judged,
    evaluation_question,
    unusable_images,
)
from resnet_viz.analysis.question import Question, card_question
from resnet_viz.cli.looking import ask_here, check_folders
from resnet_viz.datasets.scan import scan
from resnet_viz.i18n import _
from resnet_viz.inside import Evaluation
from resnet_viz.runs.sources import find_source
from resnet_viz.runs.store import RunStore
from resnet_viz.sources import STATISTICS, NetCard, Source
from resnet_viz.specs import DATASETS, DataSpec

_NAMED = 5  # unusable images that a line names


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this module's command."""
    parser = commands.add_parser("evaluate", help=_("count a net's errors, class by class"))
    parser.set_defaults(command=_evaluate)
    parser.add_argument(
        "checkpoint",
        metavar="CHECKPOINT",
        help=_("resnet-56, run:12, run:12@300, imagenet:resnet50, or a file with weights"),
    )
    parser.add_argument(
        "--data",
        required=True,
        metavar="NAME|PATH",
        help=_("a data set, or a folder with a folder of images for each class"),
    )
    parser.add_argument("--split", choices=SPLITS, default=SPLITS[0])
    parser.add_argument(
        "--statistics",
        choices=tuple(STATISTICS),
        default="",
        help=_("mean and deviation of the images of a net whose file does not say"),
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help=_("write every number"))


def _evaluate(options: argparse.Namespace) -> int:
    check_folders(options.json)
    data = data_of(options.data)
    source = find_source(RunStore(), options.checkpoint, statistics=options.statistics)
    card: NetCard = ask_here(card_question(source))
    for note in (*card.notes, *_data_notes(data, options.split)):
        print(note, file=sys.stderr)
    question = evaluation_question(source, card, data, options.split)
    answers: list[Judged] = ask_here(Question(question.jobs, list))
    unusable = unusable_images(answers)
    if unusable:
        text = _("{n} images could not be used and were left out: {names}")
        print(text.format(n=len(unusable), names=", ".join(unusable[:_NAMED])), file=sys.stderr)
    found: Evaluation = question.combine(answers)
    print(evaluation_table(found))
    if options.json is not None:
        report = evaluation_report(source, card, data, found)
        report["unusable"] = unusable
        options.json.write_text(json.dumps(report, indent=2, allow_nan=False) + "\n", "utf-8")
    return 0


def data_of(text: str) -> DataSpec:
    """A data set by its name, or else a folder of images.

    Raises:
        SpecError: neither; that a folder is not there is told later.
    """
    named = text in DATASETS and text != "folder"
    return DataSpec(text) if named else DataSpec("folder", folder=text)


def _data_notes(data: DataSpec, split: str) -> tuple[str, ...]:
    """What a person should know of a folder's split."""
    if data.folder is None or split == "all":
        return ()
    listing = scan(data.folder)
    if (listing.root / "train").is_dir() and (listing.root / "test").is_dir():
        return listing.notes
    text = _(
        "{folder} is not divided into train and test: a fifth of each class, {n} images, counts "
        "as test. --split all takes every image."
    )
    return (*listing.notes, text.format(folder=listing.root.name, n=len(listing.test)))


def evaluation_table(found: Evaluation) -> str:
    """The error, and a line for each class that the images have, as aligned text."""
    rows = [(_("class"), _("images"), _("error"), _("most often taken for"))]
    for number, name in enumerate(found.classes):
        if found.class_images[number]:
            rows.append(
                (
                    name,
                    str(found.class_images[number]),
                    f"{100 * found.class_errors[number]:.1f} %",
                    _mistaken(found, number),
                )
            )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    text = _("{net} on {data}, {split}: {error:.2f} % of {n} images wrong")
    lines = [
        text.format(
            net=found.net,
            data=found.data,
            split=found.split,
            error=100 * found.error,
            n=found.images,
        )
    ]
    for name, images, error, other in rows:
        cells = (name.ljust(widths[0]), images.rjust(widths[1]), error.rjust(widths[2]), other)
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _mistaken(found: Evaluation, number: int) -> str:
    """The class that images of a class are most often taken for, and how often."""
    row = found.confusion[number].copy()
    row[number] = 0
    other = int(row.argmax())
    share = 100 * float(row[other]) / found.class_images[number]
    return f"{found.classes[other]} ({share:.1f} %)" if row[other] else ""


def evaluation_report(
    source: Source, card: NetCard, data: DataSpec, found: Evaluation
) -> dict[str, Any]:
    """Every number as JSON values; of a class without images, the error is None."""
    return {
        "version": __version__,
        "net": {
            "name": source.name,
            "kind": source.kind,
            "title": card.title,
            "step": card.step,
            "spec": card.net.to_dict(full=True),
            "image_size": card.image_size,
            "mean": list(card.mean),
            "std": list(card.std),
            "notes": list(card.notes),
        },
        "data": data.to_dict(),
        "split": found.split,
        "images": found.images,
        "error": found.error,
        "classes": [
            {"name": name, "images": images, "error": None if math.isnan(error) else error}
            for name, images, error in zip(
                found.classes, found.class_images, found.class_errors, strict=True
            )
        ],
        "confusion": _whole(found.confusion),
        "seconds": found.seconds,
    }


def _whole(table: Any) -> Sequence[Sequence[int]]:
    return [[int(value) for value in row] for row in table]
