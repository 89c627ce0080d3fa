"""Train the DenseNet whose feature reuse comes with the program, and measure it.

python -m benchmarks.feature_reuse [--steps 800] [--out FILE]

The net is DenseNet (L=40, k=8) on the program's own drawn shapes. To bring the numbers with the
program, write them to resnet_viz/assets/reuse.json.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from resnet_viz.analysis.reuse_files import SHIPPED, shipped_text
from resnet_viz.figures.blocks.reuse import reuse_caption
from resnet_viz.probes.reuse import measure_reuse
from resnet_viz.records import Record
from resnet_viz.specs import DataSpec, NetSpec, RunSpec, TrainSpec
from resnet_viz.training.training import Training


def main() -> None:
    """Train, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--out", type=Path, default=SHIPPED, metavar="FILE")
    options = parser.parse_args()
    run = RunSpec(
        NetSpec("densenet", 40, growth_rate=8),
        DataSpec("shapes", crop_padding=2, flip=True),
        TrainSpec(steps=options.steps, batch_size=64, lr=0.1, weight_decay=1e-4, warmup_steps=40),
    )
    training = Training(run, threads=1, probe_every=0)
    errors: dict[str, float] = {}
    while not training.finished:
        for record in training.advance():
            if isinstance(record, Record) and record.kind != "speed":
                errors.update(record.values)
        if training.step % 50 == 0:
            print(training.step, errors, flush=True)
    reuse = measure_reuse(training.net, run.net, step=training.step)
    options.out.write_text(shipped_text(run, errors["test_error"], reuse), "utf-8")
    print(reuse_caption(reuse))


if __name__ == "__main__":
    main()
