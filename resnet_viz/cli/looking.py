"""What the commands that look into a net share: the net, the image, and asking in this process."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resnet_viz.analysis.child import describe, load_torch
from resnet_viz.analysis.question import Question, answer_here, card_question
from resnet_viz.checks import SpecError, parse_numbers
from resnet_viz.datasets.errors import DataError
from resnet_viz.datasets.picture import (
    Pixels,
    Square,
    centre_square,
    cut_for,
    open_picture,
    picture_text,
)
from resnet_viz.i18n import _
from resnet_viz.inside import Prediction
from resnet_viz.runs.lanes import available_cores
from resnet_viz.runs.sources import find_source
from resnet_viz.runs.store import RunStore
from resnet_viz.sources import STATISTICS, NetCard, Source

DEFAULT_NET = "resnet-56"


@dataclass(frozen=True, eq=False)
class Looked:
    """A net, and an image as it sees it.

    Attributes:
        source, card: the net.
        name: of the image's file.
        square: that was cut out.
        pixels: uint8 (S, S, 3) at the net's size.
    """

    source: Source
    card: NetCard
    name: str
    square: Square
    pixels: Pixels

    @property
    def text(self) -> str:
        """The `image` argument of a job."""
        return picture_text(self.pixels)

    def report(self) -> dict[str, Any]:
        """Net and image as JSON values."""
        return {
            "net": {"name": self.source.name, "title": self.card.title, "step": self.card.step},
            "spec": self.card.net.to_dict(full=True),
            "image": self.name,
            "square": [self.square.x, self.square.y, self.square.side],
            "image_size": self.card.image_size,
        }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the image and the net to a command."""
    parser.add_argument("image", type=Path, metavar="IMAGE", help=_("a picture's file"))
    parser.add_argument(
        "--net",
        default=DEFAULT_NET,
        help=_("resnet-56, run:12, run:12@300, imagenet:resnet50, or a file with weights"),
    )
    parser.add_argument(
        "--statistics",
        choices=tuple(STATISTICS),
        default="",
        help=_("mean and deviation of the images of a net whose file does not say"),
    )
    parser.add_argument(
        "--square",
        metavar="X,Y,SIDE",
        help=_("of the picture, in pixels from its upper left corner; else the middle"),
    )


def open_looked(options: argparse.Namespace) -> Looked:
    """The net and the image of a command.

    Raises:
        PictureError: the file is not a picture.
        SpecError: the square does not lie in it, or there is no such net.
        DataError: the net cannot be opened.
        OSError: there is no such file.
    """
    picture = open_picture(options.image.read_bytes(), options.image.name)
    square = centre_square(picture)
    if options.square is not None:
        square = parse_square(options.square)
        fitting = square.fit(picture)
        if square != fitting:
            text = _("square {given} does not lie in the picture of {w}×{h} pixels; nearest: {x}")
            near = f"{fitting.x},{fitting.y},{fitting.side}"
            raise SpecError(
                text.format(given=options.square, w=picture.width, h=picture.height, x=near)
            )
    for note in picture.notes:
        print(note, file=sys.stderr)
    source = find_source(RunStore(), options.net, statistics=options.statistics)
    card: NetCard = ask_here(card_question(source))
    for note in card.notes:
        print(note, file=sys.stderr)
    pixels = cut_for(picture, square, card.image_size, card.channels)
    return Looked(source, card, picture.name, square, pixels)


def parse_square(text: str) -> Square:
    """ "120,0,480": left and upper edge, and side.

    Raises:
        SpecError: not three whole numbers.
    """
    numbers = parse_numbers(text, "square")
    if len(numbers) != 3:
        raise SpecError(_("square {text!r} is not X,Y,SIDE such as 120,0,480").format(text=text))
    return Square(*numbers)


def ask_here(question: Question) -> Any:
    """The result of a question, computed in this process with all cores; says how far it is.

    Raises:
        DataError: what went wrong, for a person.
    """
    shows = len(question.jobs) > 1 and sys.stderr.isatty()
    try:
        load_torch(available_cores())
        return answer_here(question, _show if shows else None)
    except Exception as error:
        text, trouble = describe(error)
        if trouble:
            print(trouble, file=sys.stderr)
        raise DataError(text) from error


def _show(done: int, total: int) -> None:
    text = f"{done} / {total}" if done < total else ""
    print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)


def check_folders(*files: Path | None) -> None:
    """Refuse files to be written whose folder is not there, before anything is computed.

    Raises:
        FileNotFoundError: one is missing.
    """
    for file in files:
        if file is not None and not file.absolute().parent.is_dir():
            raise FileNotFoundError(_("There is no folder {f}").format(f=file.parent))


def prediction_lines(prediction: Prediction, card: NetCard, count: int = 5) -> list[str]:
    """The most probable classes, a line each."""
    return [
        f"{100 * float(prediction.probabilities[i]):6.2f} %  {card.classes[i]}"
        for i in prediction.top(count)
    ]


def prediction_report(prediction: Prediction, card: NetCard) -> list[dict[str, Any]]:
    """Every class as JSON values, the most probable first."""
    return [
        {
            "class": card.classes[i],
            "probability": float(prediction.probabilities[i]),
            "logit": float(prediction.logits[i]),
        }
        for i in prediction.top(len(card.classes))
    ]
