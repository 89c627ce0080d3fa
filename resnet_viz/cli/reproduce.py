"""Command that repeats an experiment of a paper: reproduce figure6."""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from resnet_viz.cli.following import follow
from resnet_viz.cli.looking import check_folders
from resnet_viz.cli.reproduced import command_of, draw_file, note_machine, write_files
from resnet_viz.cli.watching import supervised, table
from resnet_viz.datasets import catalogue
from resnet_viz.i18n import _
from resnet_viz.records import ACTIVE, RESUMABLE, RunInfo
from resnet_viz.reproductions import FIGURE6_ITERATIONS, figure6, paper_split
from resnet_viz.runs.estimate import estimate_sweep, why_it_cannot_fit
from resnet_viz.runs.lanes import available_cores
from resnet_viz.runs.store import RunStore
from resnet_viz.specs import DATASETS, DataSpec
from resnet_viz.sweeps import SweepSpec
from resnet_viz.training.schedule import check_probe_every

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
        print(table(draw_file(options)))
        return FINISHED
    spec = spec_of(options)
    store = RunStore()
    sweep_id = find_sweep(store, spec)
    if options.draw is None:
        check_probe_every(options.probe_every)
        if not catalogue.is_present(spec.data):
            text = _("{data} is not on this computer: python -m resnet_viz download {data}")
            print(text.format(data=spec.data.name), file=sys.stderr)
            return BAD_INPUT
        if sweep_id is None and (reason := _why_it_cannot_fit(store, spec, options.device)):
            print(reason, file=sys.stderr)
            return BAD_INPUT
        sweep_id = sweep_id or _create(store, spec, options)
        _train(store, sweep_id, options, started)
    elif sweep_id is None:
        print(_("Nothing of this has been trained here yet."), file=sys.stderr)
        return BAD_INPUT
    runs = store.runs(sweep_id)
    print(table(runs))
    write_files(store, sweep_id, options)
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


def _why_it_cannot_fit(store: RunStore, spec: SweepSpec, device: str) -> str | None:
    machine = store.machine(device)
    device = machine.device if machine else device
    about, cores = catalogue.describe(spec.data), available_cores()
    estimate = estimate_sweep(spec.runs(), about, device=device, cores=cores, machine=machine)
    return why_it_cannot_fit(estimate, device=device)


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
        seconds = follow(store, supervisor, sweep_id, is_time)
        supervisor.dismiss()
    note_machine(store, sweep_id, seconds)


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
