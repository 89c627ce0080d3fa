"""Fit the linear probes that come with a bundled net, and say how long it takes.

python -m benchmarks.linear_probes --net resnet-56 --data-folder FOLDER [--words TEXT] [--out FILE]

FOLDER holds train/<class>/… and test/<class>/… as a data set of one's own does; its classes are
the net's. --net takes the name of any bundled net. Without --out nothing is written; to bring the
probes with the program, write them to resnet_viz/assets/probes/<net>.safetensors.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import torch

from resnet_viz.analysis.linear_files import write_probes
from resnet_viz.analysis.linear_jobs import USUAL, ProbeImages, probes_question
from resnet_viz.analysis.opened import measure_card
from resnet_viz.analysis.question import answer_here
from resnet_viz.figures.maps.linear import Probed
from resnet_viz.figures.maps.linear_captions import probe_caption
from resnet_viz.inside import LinearProbes
from resnet_viz.nets.bundled import bundled_names
from resnet_viz.sources import Source
from resnet_viz.specs import DataSpec


def fit(net: str, data: DataSpec, images: ProbeImages) -> LinearProbes:
    """The probes, job by job as a page asks for them; says what each kind of job took."""
    source = Source("bundled", net)
    question = probes_question(source, measure_card(source.to_dict()), replace(images, data=data))
    torch.set_num_threads(1)
    times: list[float] = []
    found: LinearProbes = answer_here(
        question, on_progress=lambda _done, _total: times.append(time.perf_counter())
    )
    print(f"{net}: {len(question.jobs)} jobs, {times[-1] - times[0]:.1f} s")
    seconds: dict[str, list[float]] = defaultdict(list)
    for job, start, end in zip(question.jobs, times, times[1:], strict=False):
        seconds[job.function.split(":")[1]].append(end - start)
    for kind, took in seconds.items():
        print(f"  {kind}: {len(took)}, {sum(took):.1f} s in all, the longest {max(took):.2f} s")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--net", required=True, choices=bundled_names())
    parser.add_argument("--data-folder", required=True, metavar="FOLDER")
    parser.add_argument("--words", default="", help="what the images are; else what the net says")
    parser.add_argument("--out", type=Path, metavar="FILE")
    options = parser.parse_args()
    data = DataSpec("folder", folder=options.data_folder)
    probes = fit(options.net, data, USUAL)
    words = options.words or measure_card(Source("bundled", options.net).to_dict()).trained_on
    probes = replace(probes, data=words)
    for point, train, test in zip(
        probes.points, probes.train_error, probes.test_error, strict=True
    ):
        print(f"{point:16}  fitted {100 * train:5.1f} %  test {100 * test:5.1f} %")
    print(probe_caption([Probed(options.net, probes)]))
    if options.out:
        write_probes(options.out, probes, dtype="float16")
        print(f"{options.out}: {options.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
