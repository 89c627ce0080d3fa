"""Measure lesions of an included net, and say how long that takes.

python -m benchmarks.lesions --net resnet-56 [--images 1000] [--data-folder FOLDER] [--out FILE]

Without --data-folder the net's own data set is taken, which has to be on this computer. FOLDER
holds train/<class>/… and test/<class>/… with the net's classes. To bring the numbers with the
program, write them to resnet_viz/assets/lesions/<net>.json.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from resnet_viz.analysis.lesion_files import shipped_text
from resnet_viz.analysis.lesion_jobs import randoms_question, singles_question
from resnet_viz.analysis.opened import measure_card
from resnet_viz.analysis.question import Question, answer_here
from resnet_viz.figures.blocks.lesion_captions import randoms_caption, singles_caption
from resnet_viz.nets.bundled import bundled_names
from resnet_viz.sources import Source
from resnet_viz.specs import DataSpec


def timed(name: str, question: Question) -> Any:
    """The result of a question; says what it took."""
    ticks: list[tuple[float, float]] = []
    found = answer_here(
        question,
        on_progress=lambda _done, _n: ticks.append((time.perf_counter(), time.process_time())),
    )
    (wall, cpu), (wall_end, cpu_end) = ticks[0], ticks[-1]
    longest = max(b[0] - a[0] for a, b in pairwise(ticks[1:]))
    print(
        f"{name}: {len(question.jobs)} jobs, {wall_end - wall:.1f} s, {cpu_end - cpu:.1f} s of "
        f"processor time, the longest job after the first {longest:.2f} s"
    )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--net", required=True, choices=bundled_names())
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data-folder", metavar="FOLDER")
    parser.add_argument("--out", type=Path, metavar="FILE")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    source = Source("bundled", options.net)
    card = measure_card(source.to_dict())
    if options.data_folder:
        card = replace(card, data=DataSpec("folder", folder=options.data_folder))
    singles = timed("single blocks", singles_question(source, card, options.images))
    randoms = timed("random blocks", randoms_question(source, card, options.images))
    print(singles_caption([(options.net, singles)], len(card.classes)))
    print(randoms_caption([(options.net, randoms)], len(card.classes)))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(shipped_text(singles, randoms), "utf-8")


if __name__ == "__main__":
    main()
