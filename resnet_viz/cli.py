"""The jobs of the pages without a browser: `python -m resnet_viz --help`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from resnet_viz import __version__
from resnet_viz.checks import parse_numbers
from resnet_viz.datasets import catalogue
from resnet_viz.datasets.errors import DataError
from resnet_viz.i18n import _
from resnet_viz.records import ACTIVE, RunInfo
from resnet_viz.runs.archive import export_sweep
from resnet_viz.runs.estimate import estimate_sweep, why_it_cannot_fit
from resnet_viz.runs.lanes import available_cores
from resnet_viz.runs.progress import measure_progress
from resnet_viz.runs.schema import StoreError
from resnet_viz.runs.store import RunStore
from resnet_viz.runs.supervisor import Supervisor
from resnet_viz.runs.tables import report, sweep_csv, sweep_json
from resnet_viz.specs import DATASETS, DataSpec, SpecError
from resnet_viz.sweeps import PRESETS, SweepSpec

POLL_SECONDS = 0.2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status: 0 done, 1 a run failed, 2 bad input."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.command(options)
    except (SpecError, DataError, StoreError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("resnet_viz", description=_("Train nets, compare depths."))
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    sweep = commands.add_parser("sweep", help=_("train a sweep and print its errors"))
    sweep.set_defaults(command=_sweep)
    sweep.add_argument("--preset", choices=PRESETS, default="quick")
    sweep.add_argument("--data", choices=DATASETS)
    sweep.add_argument("--folder", help=_("folder of images, for --data folder"))
    sweep.add_argument("--image-size", type=int)
    sweep.add_argument("--families", help="plain,resnet,preact")
    sweep.add_argument("--depths", help="8,20,32,56")
    sweep.add_argument("--width", type=int)
    sweep.add_argument("--steps", type=int)
    sweep.add_argument("--batch-size", type=int)
    sweep.add_argument("--lr", type=float)
    sweep.add_argument("--seeds", type=int)
    sweep.add_argument("--seed", type=int, help=_("the first seed"))
    _device_and_json(sweep)

    resume = commands.add_parser("resume", help=_("go on with a stopped or failed sweep"))
    resume.set_defaults(command=_resume)
    resume.add_argument("sweep")
    _device_and_json(resume)

    listing = commands.add_parser("list", help=_("list the sweeps of the data folder"))
    listing.set_defaults(command=_list)

    export = commands.add_parser("export", help=_("write a sweep to a file"))
    export.set_defaults(command=_export)
    export.add_argument("sweep")
    export.add_argument("file", type=Path, help=_(".zip with checkpoints, .json, .csv or .html"))

    download = commands.add_parser("download", help=_("download a data set"))
    download.set_defaults(command=_download)
    download.add_argument("data", choices=[d for d in DATASETS if d != "folder"])
    return parser


def _device_and_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    parser.add_argument("--json", type=Path, metavar="FILE", help=_("write specs and errors"))


def sweep_of(options: argparse.Namespace) -> SweepSpec:
    """The preset with what the options change in it.

    Raises:
        SpecError: an option that cannot be used.
    """
    spec = PRESETS[options.preset]
    changed: dict[str, Any] = {}
    if options.families:
        changed["families"] = tuple(options.families.split(","))
    if options.depths:
        changed["depths"] = parse_numbers(options.depths)
    if options.data or options.folder or options.image_size is not None:
        name = options.data or ("folder" if options.folder else spec.data.name)
        same = name == spec.data.name
        preset_size = spec.data.image_size if same else None
        changed["data"] = DataSpec(
            name,
            folder=options.folder,
            image_size=preset_size if options.image_size is None else options.image_size,
            crop_padding=spec.data.crop_padding,
            flip=spec.data.flip and name != "digits",
            val_images=spec.data.val_images if same else 0,
        )
    recipe = {"steps": options.steps, "batch_size": options.batch_size, "lr": options.lr}
    recipe["seed"] = options.seed
    given = {name: value for name, value in recipe.items() if value is not None}
    changed["train"] = replace(spec.train, **given)
    for name in ("width", "seeds"):
        if getattr(options, name) is not None:
            changed[name] = getattr(options, name)
    if options.lr is not None:
        changed["lrs"] = ()
    return replace(spec, **changed)


def _sweep(options: argparse.Namespace) -> int:
    spec = sweep_of(options)
    if not catalogue.is_present(spec.data):
        catalogue.describe(spec.data)  # a folder that is not there says so itself
        print(
            _("{data} is not on this computer: python -m resnet_viz download {data}").format(
                data=spec.data.name
            ),
            file=sys.stderr,
        )
        return 2
    store = RunStore()
    machine = store.machine(options.device)
    device = machine.device if machine else options.device
    estimate = estimate_sweep(
        spec.runs(),
        catalogue.describe(spec.data),
        device=device,
        cores=available_cores(),
        machine=machine,
    )
    if reason := why_it_cannot_fit(estimate, device="cpu" if device == "auto" else device):
        print(reason, file=sys.stderr)
        return 2
    name = f"{options.preset}: {spec.data.name}, {' + '.join(spec.families)}"
    with _supervised(store, options.device) as supervisor:
        sweep_id = store.create_sweep(
            spec,
            name=name,
            device=options.device,
            cores=available_cores(),
            machine=machine,
        )
        print(_("sweep {id}").format(id=sweep_id), file=sys.stderr)
        return _watch(store, supervisor, sweep_id, options.json)


def _resume(options: argparse.Namespace) -> int:
    store = RunStore()
    sweep_id = store.sweep(options.sweep).id
    with _supervised(store, options.device) as supervisor:
        store.resume([run.id for run in store.runs(sweep_id)])
        return _watch(store, supervisor, sweep_id, options.json)


class _supervised:  # noqa: N801 - reads as a clause: with _supervised(store, device)
    """Workers for as long as the command lasts."""

    def __init__(self, store: RunStore, device: str) -> None:
        self._supervisor = Supervisor(store, device=device)

    def __enter__(self) -> Supervisor:
        self._supervisor.start()
        return self._supervisor

    def __exit__(self, *_details: object) -> None:
        self._supervisor.close()


def _watch(store: RunStore, supervisor: Supervisor, sweep_id: str, file: Path | None) -> int:
    """Draw progress until nothing of the sweep waits or trains; Ctrl-C stops its runs."""
    said: set[str] = set()
    try:
        while True:
            runs = store.runs(sweep_id)
            _draw(runs)
            for text in filter(None, (supervisor.error, *(run.notes for run in runs))):
                if text not in said:
                    print(f"\n{text}", file=sys.stderr)
                    said.add(text)
            if not any(run.status in ACTIVE for run in runs):
                break
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        store.request_stop([run.id for run in store.runs(sweep_id)])
        while any(run.status in ACTIVE for run in store.runs(sweep_id)):
            time.sleep(POLL_SECONDS)
        print(
            "\n" + _("Stopped. Go on with: python -m resnet_viz resume {id}").format(id=sweep_id),
            file=sys.stderr,
        )
    runs = store.runs(sweep_id)
    print(file=sys.stderr)
    print(table(runs))
    if file is not None:
        file.write_text(json.dumps(report(store, sweep_id), indent=2) + "\n", "utf-8")
    return 0 if all(run.status == "done" for run in runs) else 1


def _draw(runs: list[RunInfo]) -> None:
    on_cpu = all(run.device in (None, "cpu") for run in runs)
    progress = measure_progress(runs, available_cores() if on_cpu else 1)
    if not sys.stderr.isatty():
        return
    filled = int(30 * progress.share)
    left = "" if progress.seconds_left is None else f" · {progress.seconds_left:.0f} s left"
    speed = progress.images_per_second
    speed_text = "" if speed is None else f" · {speed:,.0f} images/s"
    bar = "█" * filled + "░" * (30 - filled)
    print(
        f"\r{bar} {progress.share:4.0%}{left}{speed_text}\033[K",
        end="",
        file=sys.stderr,
        flush=True,
    )


def table(runs: Sequence[RunInfo]) -> str:
    """Errors of every run in per cent, as aligned text."""
    head = ("net", "seed", "lr", "status", "steps", "running", "train", "test", "seconds")
    rows: list[tuple[str, ...]] = [head]
    for run in runs:
        train = run.spec.train
        rows.append(
            (
                run.spec.net.name,
                str(train.seed),
                f"{train.lr:g}",
                run.status,
                str(run.step),
                *(_per_cent(e) for e in (run.running_error, run.train_error, run.test_error)),
                f"{run.seconds:.1f}",
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join([*lines, _("Errors in per cent.")])


def _per_cent(fraction: float | None) -> str:
    return "-" if fraction is None else f"{100 * fraction:.1f}"


def _list(_options: argparse.Namespace) -> int:
    for sweep in RunStore().sweeps():
        counts = ", ".join(f"{n} {status}" for status, n in sorted(sweep.counts.items()))
        print(f"{sweep.id}  {sweep.name}  ({counts})")
    return 0


def _export(options: argparse.Namespace) -> int:
    store, file = RunStore(), options.file
    sweep_id = store.sweep(options.sweep).id
    if file.suffix == ".zip":
        export_sweep(store, sweep_id, file)
    elif file.suffix == ".json":
        file.write_text(json.dumps(sweep_json(store, sweep_id)) + "\n", "utf-8")
    elif file.suffix == ".csv":
        file.write_text(sweep_csv(store, sweep_id), "utf-8")
    elif file.suffix == ".html":
        # Only here, so that the other commands work where plotly is not installed.
        from resnet_viz.figures.page import figures_page
        from resnet_viz.runs.reader import SweepReader

        runs = SweepReader(store, sweep_id).refresh()
        file.write_text(figures_page(runs, store.sweep(sweep_id).name), "utf-8")
    else:
        print(_("Name a file that ends in .zip, .json, .csv or .html."), file=sys.stderr)
        return 2
    return 0


def _download(options: argparse.Namespace) -> int:
    # Only here: the other commands leave torch to their workers.
    from resnet_viz.datasets.download import download

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done / 1e6:.1f} / {total / 1e6:.1f} MB", end="", file=sys.stderr, flush=True)

    if not catalogue.is_present(DataSpec(options.data)):
        download(options.data, show)
    return 0
