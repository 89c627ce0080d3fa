"""From a picture's bytes to feature maps and attributions, and our jobs beside captum itself.

python -m benchmarks.inside [--only upload,methods,imagenet] [--rounds 3] [--json FILE]

upload: a large JPEG file to the prediction and one point's maps of resnet-56, through an analysis
process that starts for it, that has not opened the net yet, and that has. methods: the same to
each attribution, warm. imagenet: ResNet-50 at 224 pixels with random weights, our jobs and captum's
own call with its defaults in turn, in this process; both must give the same map. Every round has
another picture, so that no answer is known. resnet-56 is the bundled one, or a fresh one in its
place. Threads: as many as a page server gives its analysis process.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from benchmarks.stand_in import fresh_source
from resnet_viz import __version__
from resnet_viz.analysis.attribution_jobs import attribution_question
from resnet_viz.analysis.feature_jobs import maps_question, overview_question
from resnet_viz.analysis.process import AnalysisProcess
from resnet_viz.analysis.question import (
    Question,
    all_jobs,
    answer_here,
    card_question,
    results,
)
from resnet_viz.datasets.picture import centre_square, cut, open_picture, picture_text
from resnet_viz.methods import NAMES, method
from resnet_viz.nets.bundled import bundled_names
from resnet_viz.runs.lanes import available_cores
from resnet_viz.sources import NetCard, Source
from resnet_viz.specs import NetSpec

PARTS = ("upload", "methods", "imagenet")
PHOTO_PIXELS = (4000, 3000)
POINT = "stage2.block3"
TARGET = 3
CAPTUM_BYTES = 10e9  # its Integrated Gradients send all steps through ResNet-50 in one batch
IMAGENET_PIXELS = 224
RESNET_50 = NetSpec(
    "resnet",
    50,
    block="bottleneck",
    shortcut="B",
    width=64,
    blocks=(3, 4, 6, 3),
    stem="imagenet",
)


@dataclass(frozen=True)
class Row:
    """What was measured of one thing.

    Attributes:
        part, what: of the benchmark.
        seconds: a round.
        captum_seconds: of captum's own call in the same round; empty where there is none.
        difference: norm of the difference of both maps over the norm of captum's, the largest of
            the rounds; None where there is one map.
    """

    part: str
    what: str
    seconds: tuple[float, ...]
    captum_seconds: tuple[float, ...] = ()
    difference: float | None = None

    @property
    def ratio(self) -> float | None:
        """Captum's time over ours, median of the rounds."""
        pairs = list(zip(self.captum_seconds, self.seconds, strict=False))
        return statistics.median(theirs / ours for theirs, ours in pairs) if pairs else None

    def line(self) -> str:
        """For a person."""
        middle = statistics.median(self.seconds)
        text = f"{self.part:>9}  {self.what:<42} {middle:8.2f} s"
        text += f"  ({min(self.seconds):.2f} to {max(self.seconds):.2f})"
        if self.ratio is not None:
            theirs = statistics.median(self.captum_seconds)
            text += f"  captum {theirs:.2f} s, {self.ratio:.2f} times ours"
            text += f"; maps differ by {self.difference:.1e}"
        return text


def photo(seed: int) -> bytes:
    """A JPEG file as large as a telephone's."""
    small = np.random.default_rng(seed).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(small).resize(PHOTO_PIXELS, Image.Resampling.BICUBIC).save(file, "JPEG")
    return file.getvalue()


def square_text(data: bytes, card: NetCard) -> str:
    """What happens to an upload in the server: decoded, cut, encoded for the job."""
    picture = open_picture(data, "photo.jpg")
    return picture_text(cut(picture, centre_square(picture), card.image_size))


def ask(process: AnalysisProcess, questions: Sequence[Question]) -> list[Any]:
    """Results, through the analysis process."""
    inquiry = process.ask(all_jobs(questions))
    inquiry.wait()
    if inquiry.error is not None:
        raise RuntimeError(inquiry.trouble or inquiry.error)
    return results(questions, inquiry.answers)


def ask_card(process: AnalysisProcess, source: Source) -> NetCard:
    """What is known of a net; opens it."""
    card: NetCard
    (card,) = ask(process, [card_question(source)])
    return card


@contextmanager
def fresh_process(home: Path, threads: int) -> Iterator[AnalysisProcess]:
    """An analysis process of its own."""
    process = AnalysisProcess(home, threads=threads)
    try:
        yield process
    finally:
        process.close()


def seconds_of(action: Callable[[], Any]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def measure_upload(home: Path, source: Source, rounds: int, threads: int) -> Iterator[Row]:
    """Bytes to prediction and maps: cold, with the net not open, and warm."""
    photos = iter([photo(seed) for seed in range(3 * rounds + 1)])
    found: dict[str, list[float]] = {"process starts": [], "net not open": [], "warm": []}
    for _round in range(rounds):

        def look(process: AnalysisProcess, data: bytes) -> None:
            card = ask_card(process, source)
            text = square_text(data, card)
            maps = maps_question(source, card, text, POINT)
            ask(process, [overview_question(source, text, card), maps])

        with fresh_process(home, threads) as process:
            found["process starts"].append(seconds_of(lambda: look(process, next(photos))))
            found["warm"].append(seconds_of(lambda: look(process, next(photos))))
        with fresh_process(home, threads) as process:
            process.start()
            while not process.ready:
                time.sleep(0.02)
            found["net not open"].append(seconds_of(lambda: look(process, next(photos))))
    for what, seconds in found.items():
        yield Row("upload", f"prediction and maps, {what}", tuple(seconds))


def measure_methods(
    home: Path, source: Source, names: Sequence[str], rounds: int, threads: int
) -> Iterator[Row]:
    """Bytes to each attribution with its default parameters, warm."""
    with fresh_process(home, threads) as process:
        card = ask_card(process, source)
        photos = [photo(seed) for seed in range(rounds + 1)]
        for name in names:

            def attribute(data: bytes, name: str = name) -> None:
                text = square_text(data, card)
                parameters = method(name, card.net, card.image_size).fill()
                ask(process, [attribution_question(source, card, text, name, parameters, TARGET)])

            seconds = [seconds_of(lambda data=data: attribute(data)) for data in photos]
            yield Row("methods", name, tuple(seconds[1:]))  # in the first one captum is imported


def measure_imagenet(home: Path, names: Sequence[str], rounds: int, threads: int) -> Iterator[Row]:
    """Our jobs and captum's own calls in turn, in this process."""
    import torch

    from benchmarks.captum_defaults import CALLS
    from resnet_viz.analysis.opened import open_net
    from resnet_viz.analysis.pictures import as_input

    torch.set_num_threads(threads)
    source = fresh_source(home, RESNET_50, IMAGENET_PIXELS, classes=1000)
    opened = open_net(source.to_dict())
    card = opened.card
    # As a person would have it: another net with the same weights, not frozen.
    theirs_net = open_net({**source.to_dict(), "fingerprint": "captum"}).net.requires_grad_(True)
    for name, (given, call) in CALLS.items():
        if name not in names:
            continue
        parameters = method(name, card.net, card.image_size).fill(given)
        ours, theirs, differences = [], [], []
        for seed in range(rounds + 1):
            text = square_text(photo(seed), card)
            x = as_input(text, opened)
            # The class it names: for another Grad-CAM's map may be zero everywhere.
            target = int(opened.net(x).argmax())
            question = attribution_question(source, card, text, name, parameters, target)
            start = time.perf_counter()
            found = answer_here(question)
            middle = time.perf_counter()
            expected = call(theirs_net, x, target, parameters)
            theirs.append(time.perf_counter() - middle)
            ours.append(middle - start)
            values = found.values if found.coarse is None else found.coarse
            expected = expected.reshape(values.shape)
            gap = np.linalg.norm(values - expected) / np.linalg.norm(expected)
            differences.append(float(gap))
        what = " ".join([name, *(f"{key} {value}" for key, value in given.items())])
        yield Row("imagenet", what, tuple(ours[1:]), tuple(theirs[1:]), max(differences))


def resnet_56(home: Path) -> Source:
    """The bundled net, or a fresh one where it is not there."""
    if "resnet-56" in bundled_names():
        return Source("bundled", "resnet-56")
    return fresh_source(home, NetSpec("resnet", 56), 32)


def measure(options: argparse.Namespace, home: Path) -> Iterator[Row]:
    """What was asked for."""
    rounds, threads = options.rounds, options.threads
    source = resnet_56(home)
    if "upload" in options.only:
        yield from measure_upload(home, source, rounds, threads)
    if "methods" in options.only:
        yield from measure_methods(home, source, options.methods, rounds, threads)
    if "imagenet" in options.only:
        yield from measure_imagenet(home, options.methods, rounds, threads)


def main() -> None:
    """Measure and print; write a file if asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inside", description=__doc__)
    parser.add_argument("--only", type=words, default=PARTS, help=",".join(PARTS))
    parser.add_argument("--methods", type=words, default=NAMES, help="saliency,occlusion,…")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=max(1, available_cores() // 2))
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    print(
        f"{available_cores()} cores, {options.threads} threads, load {psutil.getloadavg()[0]:.1f}"
    )
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for row in measure(options, Path(folder)):
            print(row.line(), flush=True)
            rows.append(row)
    if options.json is not None:
        report = {
            "version": __version__,
            "cores": available_cores(),
            "threads": options.threads,
            "load": psutil.getloadavg(),
            "bundled": "resnet-56" in bundled_names(),
            "rows": [{**asdict(row), "ratio": row.ratio} for row in rows],
        }
        options.json.write_text(json.dumps(report, indent=2) + "\n", "utf-8")


def words(text: str) -> tuple[str, ...]:
    """ "upload,methods" in parts."""
    return tuple(text.split(","))


if __name__ == "__main__":
    main()
