"""Command that repeats an experiment of a paper: reproduce figure6."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from resnet_viz.checks import check_integer
from resnet_viz.cli.following import follow
from resnet_viz.cli.looking import check_folders
from resnet_viz.cli.watching import supervised, table
from resnet_viz.datasets import catalogue
from resnet_viz.datasets.naming import named_data
from resnet_viz.i18n import _
from resnet_viz.records import ACTIVE, RESUMABLE, RunInfo
from resnet_viz.reproductions import FIGURE6_ITERATIONS, figure6, paper_split
from resnet_viz.runs.hardware import processor_name
from resnet_viz.runs.lanes import available_cores
from resnet_viz.runs.reader import RunHistory, SweepReader
from resnet_viz.runs.reference import (
    MOST_RECORDS,
    Reference,
    compact_run,
    read_reference,
    write_reference,
)
from resnet_viz.runs.store import RunStore
from resnet_viz.runs.tables import sweep_csv, sweep_json
from resnet_viz.specs import DATASETS, DataSpec
from resnet_viz.sweeps import SweepSpec

PROBE_EVERY = 1000  # steps between profiles, unless asked for: the figure needs none
FINISHED, FAILED, BAD_INPUT, UNFINISHED = 0, 1, 2, 3
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this module's commands."""
    text = _("train the nets of a published figure and draw it beside the published numbers")
    parser = commands.add_parser(
        "reproduce",
        help=text,
        description=text,
        epilog=_(
            "The same command goes on where the last one paused. Exit status: 0 every net is "
            "trained, 1 a net failed, 2 bad input, 3 paused."
        ),
    )
    parser.set_defaults(command=_reproduce)
    parser.add_argument("figure", choices=("figure6",), help=_("of He et al. 2015"))
    parser.add_argument("--folder", help=_("images as train/<class>/… and test/<class>/…"))
    parser.add_argument("--data", choices=DATASETS, help=_("cifar10 unless a folder is given"))
    parser.add_argument("--image-size", type=int, help=_("in pixels, in place of the data's own"))
    parser.add_argument(
        "--iterations",
        type=int,
        default=FIGURE6_ITERATIONS,
        metavar="N",
        help=_("in place of 64,000; the learning rate is divided at 1/2 and 3/4 of them"),
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    parser.add_argument("--home", help=_("the data folder, in place of RESNET_VIZ_HOME"))
    parser.add_argument(
        "--stop-after",
        metavar="TIME",
        type=parse_duration,
        help=_("pause every net after so long: 9m, 540s or 540"),
    )
    parser.add_argument(
        "--probe-every",
        type=int,
        default=PROBE_EVERY,
        metavar="N",
        help=_("measure gradients layer by layer every N steps; 0: never"),
    )
    parser.add_argument(
        "--draw",
        nargs="?",
        const="",
        metavar="FILE",
        help=_("train nothing: draw what is there, or what a file of --json holds"),
    )
    parser.add_argument("--html", type=Path, metavar="FILE", default=Path("figure6.html"))
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help=_("curves in short; .json.gz: gzipped")
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help=_("every record"))


def parse_duration(text: str) -> float:
    """Seconds of "9m", "540s", "540" or "1.5h".

    Raises:
        argparse.ArgumentTypeError: another text.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    if not found:
        message = _("{text!r} is no length of time; write 9m, 540s or 1.5h").format(text=text)
        raise argparse.ArgumentTypeError(message)
    return float(found[1]) * _UNITS[found[2]]


def _reproduce(options: argparse.Namespace) -> int:
    started = time.monotonic()
    if options.home:
        os.environ["RESNET_VIZ_HOME"] = options.home  # the workers' too
    check_folders(options.html, options.json, options.csv)
    if options.draw:
        return _draw_file(options)
    spec = spec_of(options)
    store = RunStore()
    sweep_id = find_sweep(store, spec)
    if options.draw is None:
        check_integer("probe_every", options.probe_every, 0, 10_000_000)
        if not catalogue.is_present(spec.data):
            text = _("{data} is not on this computer: python -m resnet_viz download {data}")
            print(text.format(data=spec.data.name), file=sys.stderr)
            return BAD_INPUT
        sweep_id = sweep_id or _create(store, spec, options)
        _train(store, sweep_id, options, started)
    elif sweep_id is None:
        print(_("Nothing of this has been trained here yet."), file=sys.stderr)
        return BAD_INPUT
    runs = store.runs(sweep_id)
    print(table(runs))
    _write(store, sweep_id, options)
    return _tell(runs, options)


def spec_of(options: argparse.Namespace) -> SweepSpec:
    """The sweep that the options of a command ask for.

    Raises:
        SpecError: an option that cannot be used.
        DataError: the folder is missing, or has no classes or no images.
    """
    name = options.data or ("folder" if options.folder else "cifar10")
    data = DataSpec(name, folder=options.folder, image_size=options.image_size)
    about = catalogue.describe(data)
    data = paper_split(data, train_images=about.train_images, image_size=about.image_size)
    return figure6(data, iterations=options.iterations, seed=options.seed)


def find_sweep(store: RunStore, spec: SweepSpec) -> str | None:
    """The newest sweep of a spec that can still be finished, else the newest, else None."""
    found = [sweep for sweep in store.sweeps() if sweep.spec == spec]
    found.sort(key=lambda sweep: not any(s in sweep.counts for s in (*ACTIVE, *RESUMABLE)))
    return found[0].id if found else None


def _create(store: RunStore, spec: SweepSpec, options: argparse.Namespace) -> str:
    name = _("Figure 6: {data}, {n:,} iterations").format(data=spec.data.name, n=spec.train.steps)
    return store.create_sweep(
        spec,
        name=name,
        device=options.device,
        cores=available_cores(),
        machine=store.machine(options.device),
        probe_every=options.probe_every,
    )


def _train(store: RunStore, sweep_id: str, options: argparse.Namespace, started: float) -> None:
    """Train what is left of a sweep, until its end or the time that was given."""
    waiting = [run.id for run in store.runs(sweep_id) if run.status in (*ACTIVE, *RESUMABLE)]
    if not waiting:
        return
    print(_("sweep {id}").format(id=sweep_id), file=sys.stderr)

    def is_time() -> bool:
        return options.stop_after is not None and time.monotonic() - started >= options.stop_after

    with supervised(store, options.device) as supervisor:
        store.resume(waiting)
        follow(store, supervisor, sweep_id, is_time)
        supervisor.dismiss()
    note_machine(store, sweep_id)


def note_machine(store: RunStore, sweep_id: str) -> str:
    """Keep what this computer calls the device that a sweep was trained on; returns all so far."""
    run = next((run for run in store.runs(sweep_id) if run.device), None)
    if run is None or run.device is None:
        return machine_words(store, sweep_id)
    threads = _("{n} thread a process").format(n=run.threads) if run.device == "cpu" else ""
    parts = (_device_name(run.device), run.device, run.dtype, threads, run.version)
    words = ", ".join(str(part) for part in parts if part)
    kept: list[str] = store.setting(_key(sweep_id)) or []
    if words not in kept:
        store.set_setting(_key(sweep_id), [*kept, words])
    return machine_words(store, sweep_id)


def machine_words(store: RunStore, sweep_id: str) -> str:
    """Every computer that a sweep was trained on here, in words; "" before its training."""
    return "; ".join(store.setting(_key(sweep_id)) or [])


def _key(sweep_id: str) -> str:
    return f"trained_on:{sweep_id}"


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


# --- what is written ---


def _write(store: RunStore, sweep_id: str, options: argparse.Namespace) -> None:
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
    _draw(
        SweepReader(store, sweep_id).refresh(),
        about_lines(words, machine, store.runs(sweep_id)),
        options.html,
    )


def _draw_file(options: argparse.Namespace) -> int:
    found: Reference = read_reference(Path(options.draw))
    infos = [info for info, _history in found.runs]
    print(table(infos))
    _draw(found.runs, about_lines(found.data, found.machine, infos), options.html)
    return FINISHED


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


def _tell(runs: Sequence[RunInfo], options: argparse.Namespace) -> int:
    """Say how far each net is where they are not all trained; the exit status."""
    if all(run.status == "done" for run in runs):
        return FINISHED
    steps = runs[0].spec.train.steps
    far = ", ".join(f"{run.spec.net.name} {run.step:,}" for run in runs)
    print(_("Of {n:,} iterations: {far}.").format(n=steps, far=far), file=sys.stderr)
    lost = [run.spec.net.name for run in runs if run.status in ("diverged", "failed")]
    if lost:
        print(_("Diverged or failed: {nets}.").format(nets=", ".join(lost)), file=sys.stderr)
    if any(run.status in (*ACTIVE, *RESUMABLE) for run in runs):
        text = _("Not finished. Go on with: {command}")
        print(text.format(command=command_of(options)), file=sys.stderr)
    return FAILED if lost else UNFINISHED
