"""What is written of a repeated experiment: figure, curves in short, every record."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from resnet_viz.datasets.naming import named_data
from resnet_viz.i18n import _
from resnet_viz.records import RunInfo
from resnet_viz.reproductions import FIGURE6_ITERATIONS
from resnet_viz.runs.hardware import processor_name, trained_on_key
from resnet_viz.runs.reader import RunHistory, SweepReader
from resnet_viz.runs.reference import (
    MOST_RECORDS,
    compact_run,
    read_reference,
    write_reference,
)
from resnet_viz.runs.store import RunStore
from resnet_viz.runs.tables import sweep_csv, sweep_json


def write_files(store: RunStore, sweep_id: str, options: argparse.Namespace) -> None:
    """Write the files that the options of the command name, for runs at any stage."""
    data, words = named_data(store.sweep(sweep_id).spec.data)
    machine = machine_words(store, sweep_id)
    if options.csv:
        options.csv.write_text(sweep_csv(store, sweep_id), "utf-8")
    if options.json:
        compact = [compact_run(run, MOST_RECORDS) for run in sweep_json(store, sweep_id)["runs"]]
        for run in compact:
            run["spec"] |= {"data": data.to_dict(full=True)}
        command = command_of(options, public=True)
        write_reference(options.json, compact, machine=machine, command=command, data=words)
        print(f"{options.json}: {options.json.stat().st_size / 1e3:.0f} kB", file=sys.stderr)
    runs = [
        (replace(info, spec=replace(info.spec, data=data)), history)
        for info, history in SweepReader(store, sweep_id).refresh()
    ]
    about = about_lines(words, machine, [info for info, _history in runs])
    _draw(runs, about, options.html)


def draw_file(options: argparse.Namespace) -> list[RunInfo]:
    """Draw what a file of --json holds; returns its runs.

    Raises:
        StoreError: it is not such a file.
        OSError: it cannot be read.
    """
    found = read_reference(Path(options.draw))
    infos = [info for info, _history in found.runs]
    _draw(found.runs, about_lines(found.data, found.machine, infos), options.html)
    return infos


def about_lines(data: str, machine: str, runs: Sequence[RunInfo]) -> list[str]:
    """What the runs were: data, split, iterations of the paper's, device, time."""
    spec = runs[0].spec
    first = _(
        "Trained on {data} ({val:,} training images held out), {n:,} iterations (the paper: "
        "{paper:,}), batches of {batch}, seed {seed}, one training of each net."
    ).format(
        data=data,
        val=spec.data.val_images,
        n=spec.train.steps,
        paper=FIGURE6_ITERATIONS,
        batch=spec.train.batch_size,
        seed=spec.train.seed,
    )
    lines = [first]
    if machine:
        lines.append(_("Trained by this program: {machine}.").format(machine=machine))
    if not all(run.status == "done" for run in runs):
        lines.append(_("Not every net is trained to the end yet."))
    return lines


def _draw(runs: Sequence[RunHistory], about: Sequence[str], file: Path) -> None:
    """Write the figure, where there is plotly."""
    try:
        from resnet_viz.figures.figure6 import figure6_page
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "plotly":
            raise
        text = _(
            "The figure needs plotly, which is not installed here (pip install plotly). Where it "
            "is, draw it from a file of --json: python -m resnet_viz reproduce figure6 --draw FILE"
        )
        print(text, file=sys.stderr)
        return
    file.write_text(figure6_page(runs, about), "utf-8")
    print(_("figure: {file}").format(file=file), file=sys.stderr)


def note_machine(store: RunStore, sweep_id: str, seconds: float) -> None:
    """Keep on what a sweep was trained, and for how long; several computers may take their turns.

    Args:
        seconds: by the clock, of this piece of the training.
    """
    run = next((run for run in store.runs(sweep_id) if run.device), None)
    if run is None or run.device is None:
        return
    threads = _("{n} thread a process").format(n=run.threads) if run.device == "cpu" else ""
    parts = (_device_name(run.device), run.device, run.dtype, threads, run.version)
    words = ", ".join(str(part) for part in parts if part)
    kept: dict[str, float] = store.setting(trained_on_key(sweep_id)) or {}
    store.set_setting(trained_on_key(sweep_id), kept | {words: kept.get(words, 0.0) + seconds})


def machine_words(store: RunStore, sweep_id: str) -> str:
    """Every computer that a sweep was trained on by this command, and how long; "" before."""
    kept: dict[str, float] = store.setting(trained_on_key(sweep_id)) or {}
    text = _("{machine}, {minutes:.1f} minutes for all nets")
    return "; ".join(text.format(machine=m, minutes=s / 60) for m, s in kept.items())


def _device_name(device: str) -> str:
    if device == "cuda":
        import torch

        if torch.cuda.is_available():
            return torch.cuda.get_device_name()
    return processor_name() if device == "cpu" else device.upper()


def command_of(options: argparse.Namespace, *, public: bool = False) -> str:
    """The command that goes on with a sweep.

    Args:
        public: for other people: without the places of this computer.
    """
    parts = ["python", "-m", "resnet_viz", "reproduce", options.figure]
    if options.data:
        parts += ["--data", options.data]
    if options.folder:
        parts += ["--folder", "FOLDER" if public else options.folder]
    if options.image_size is not None:
        parts += ["--image-size", str(options.image_size)]
    for name, default in (("iterations", FIGURE6_ITERATIONS), ("seed", 0)):
        if getattr(options, name) != default:
            parts += [f"--{name}", str(getattr(options, name))]
    if not public:
        if options.device != "auto":
            parts += ["--device", options.device]
        if options.home:
            parts += ["--home", options.home]
    return shlex.join(parts)
