"""Train the nets that come with the program, and write their files and model card.

python -m benchmarks.bundled --folder FOLDER     # CIFAR-10 as train/<class>/… and test/<class>/…
python -m benchmarks.bundled --shapes            # the program's own drawn shapes
python -m benchmarks.bundled --folder FOLDER --export SWEEP   # a sweep that is in the store already
                                                 # (of its nets, those of these commands)

A training that was stopped goes on where it was when the command is called again.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.bundled_card import write_card
from resnet_viz.analysis.evaluation_jobs import evaluation_question
from resnet_viz.analysis.question import card_question
from resnet_viz.cli.looking import ask_here
from resnet_viz.cli.watching import supervised, watch
from resnet_viz.datasets.catalogue import CIFAR10_CLASSES, SHAPES_CLASSES
from resnet_viz.inside import Evaluation
from resnet_viz.nets.bundled import ENDING, FOLDER
from resnet_viz.records import PROBE_EVERY, RESUMABLE, RunInfo
from resnet_viz.runs.sources import file_source
from resnet_viz.runs.store import RunStore
from resnet_viz.specs import DataSpec, TrainSpec
from resnet_viz.sweeps import SweepSpec
from resnet_viz.training.bundling import bundle
from resnet_viz.training.checkpoint import Checkpoint

MOST_BYTES = 6_000_000  # of all files together


@dataclass(frozen=True)
class Kind:
    """Nets of one data set.

    Attributes:
        sweep: that trains them.
        named: the data as the files name it, which hold no folder of anybody's computer.
        prefix: of the nets' names.
        words: the data, for a person.
        classes: in order of the logits.
    """

    sweep: SweepSpec
    named: DataSpec
    prefix: str
    words: str
    classes: tuple[str, ...]


def cifar10(folder: str) -> Kind:
    """Plain and residual nets of 20 and 56 layers on CIFAR-10, 66 epochs."""
    named = DataSpec("cifar10", crop_padding=4, flip=True)
    data = DataSpec("folder", folder=folder, crop_padding=4, flip=True)
    train = TrainSpec(
        steps=26_000,
        batch_size=128,
        lr=0.1,
        weight_decay=5e-4,
        schedule="cosine",
        warmup_steps=400,
    )
    sweep = SweepSpec(("plain", "resnet"), (20, 56), data, train, width=16)
    return Kind(sweep, named, "", "CIFAR-10, JPEG copy", CIFAR10_CLASSES)


def shapes() -> Kind:
    """Small nets on images whose object is known pixel by pixel."""
    data = DataSpec("shapes", crop_padding=2, flip=True)
    train = TrainSpec(steps=800, batch_size=64, lr=0.1, weight_decay=5e-4, warmup_steps=40)
    sweep = SweepSpec(("plain", "resnet"), (20,), data, train, width=8)
    words = "drawn shapes on clutter, made by this program"
    return Kind(sweep, data, "shapes-", words, SHAPES_CLASSES)


def train(store: RunStore, spec: SweepSpec, device: str) -> str:
    """Train a sweep, or go on with it; returns its id."""
    with supervised(store, device) as supervisor:
        sweep_id = next((s.id for s in store.sweeps() if s.spec == spec), None)
        if sweep_id is None:
            sweep_id = store.create_sweep(
                spec, name="bundled", device=device, probe_every=10 * PROBE_EVERY
            )
        runs = store.runs(sweep_id)
        store.resume([run.id for run in runs if run.status in RESUMABLE])
        if watch(store, supervisor, sweep_id, None):
            sys.exit("not every net is trained; call this command again to go on")
    return sweep_id


def export(store: RunStore, sweep_id: str, kind: Kind, folder: Path) -> None:
    """Write a file for each net of the kind that a sweep has, with its own weights' errors.

    The sweep may be another one than the kind's, with more nets or another recipe: what the files
    say of their training is what its runs say.
    """
    nets = [run.net for run in kind.sweep.runs()]
    for run in store.runs(sweep_id):
        if run.spec.net not in nets:
            print(f"{run.spec.net.name}: left out")
            continue
        assert run.checkpoint_step is not None, f"{run.spec.net.name} has no checkpoint"
        if run.step < run.spec.train.steps:
            print(f"{run.spec.net.name}: {run.checkpoint_step} of {run.spec.train.steps} steps")
        found = Checkpoint.load(store.checkpoint_path(run.id, run.checkpoint_step))
        assert tuple(found.meta["classes"]) == kind.classes, "the classes are not as published"
        name = f"{kind.prefix}{run.spec.net.name}"
        about = {"trained_on": kind.words, "trained_with": trained_with(run)}
        data = replace(run.spec.data, name=kind.named.name, folder=None)
        measured = measure(store, found, kind, data, about)
        path = folder / f"{name}{ENDING}"
        bundle(found, data, about | measured).save(path)
        path.chmod(0o644)  # safetensors lets nobody else read what it writes
        print(name, measured, flush=True)
    size = sum(path.stat().st_size for path in folder.glob(f"*{ENDING}"))
    print(f"{size / 1e6:.2f} MB in all")
    if size > MOST_BYTES:
        sys.exit(f"that is more than {MOST_BYTES / 1e6:.0f} MB")


def trained_with(run: RunInfo) -> str:
    """Where and with what a run was trained."""
    threads = f"{run.threads} thread" if run.device == "cpu" else ""
    parts = (run.device, run.dtype, threads, f"{run.seconds / 60:.0f} minutes", run.version)
    return ", ".join(str(part) for part in parts if part)


def measure(
    store: RunStore, found: Checkpoint, kind: Kind, data: DataSpec, about: Mapping[str, Any]
) -> dict[str, Any]:
    """Errors of the halved weights on every test and training image, without augmentation.

    Images that were held out for validation count as training images here.
    """
    out: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"net{ENDING}"
        bundle(found, data, dict(about)).save(path)
        source = file_source(store, path)
        card = ask_here(card_question(source))
        for split in ("test", "train"):
            question = evaluation_question(source, card, kind.sweep.data, split)
            result: Evaluation = ask_here(question)
            out |= {f"{split}_error": result.error, f"{split}_images": result.images}
    return out


def main() -> None:
    """Train and export, or export alone."""
    parser = argparse.ArgumentParser("benchmarks.bundled", description="Train the bundled nets.")
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--folder", help="CIFAR-10 as images, one folder a class")
    kind.add_argument("--shapes", action="store_true", help="the program's own drawn shapes")
    parser.add_argument("--home", help="the data folder, in place of RESNET_VIZ_HOME")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    parser.add_argument("--export", metavar="SWEEP", help="write this sweep's nets, train nothing")
    parser.add_argument("--out", type=Path, default=FOLDER, help="where the files go")
    options = parser.parse_args()
    if options.home:
        os.environ["RESNET_VIZ_HOME"] = options.home  # the workers' too
    chosen = shapes() if options.shapes else cifar10(options.folder)
    store = RunStore()
    sweep_id = options.export or train(store, chosen.sweep, options.device)
    options.out.mkdir(parents=True, exist_ok=True)
    export(store, store.sweep(sweep_id).id, chosen, options.out)
    write_card(options.out)


if __name__ == "__main__":
    main()
