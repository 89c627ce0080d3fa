"""Commands on what is there: list, export, download."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from resnet_viz.datasets import catalogue
from resnet_viz.i18n import _
from resnet_viz.nets.imagenet_files import NETS, PREFIX
from resnet_viz.runs.archive import export_sweep
from resnet_viz.runs.downloads import download
from resnet_viz.runs.profile_reader import ProfileReader
from resnet_viz.runs.profile_tables import profiles_csv, profiles_json
from resnet_viz.runs.reader import SweepReader
from resnet_viz.runs.store import RunStore
from resnet_viz.runs.tables import sweep_csv, sweep_json
from resnet_viz.specs import DATASETS, DataSpec


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this module's commands."""
    listing = commands.add_parser("list", help=_("list the sweeps of the data folder"))
    listing.set_defaults(command=_list)

    export = commands.add_parser("export", help=_("write a sweep to a file"))
    export.set_defaults(command=_export)
    export.add_argument("sweep")
    export.add_argument("file", type=Path, help=_(".zip with checkpoints, .json, .csv or .html"))

    export.add_argument(
        "--gradients",
        action="store_true",
        help=_("what was measured layer by layer, as .json, .csv or .html"),
    )

    text = _("download a data set, or the weights of an ImageNet net")
    fetching = commands.add_parser("download", help=text)
    fetching.set_defaults(command=_download)
    nets = [PREFIX + name for name in NETS]
    fetching.add_argument("name", choices=[*(d for d in DATASETS if d != "folder"), *nets])


def _list(_options: argparse.Namespace) -> int:
    for sweep in RunStore().sweeps():
        counts = ", ".join(f"{n} {status}" for status, n in sorted(sweep.counts.items()))
        print(f"{sweep.id}  {sweep.name}  ({counts})")
    return 0


def _export(options: argparse.Namespace) -> int:
    store, file = RunStore(), options.file
    sweep_id = store.sweep(options.sweep).id
    if file.suffix == ".zip" and not options.gradients:
        export_sweep(store, sweep_id, file)
        return 0
    write = (_gradients if options.gradients else _errors).get(file.suffix)
    if write is None:
        text = _("Name a file that ends in {endings}.")
        endings = ".json, .csv, .html" if options.gradients else ".zip, .json, .csv, .html"
        print(text.format(endings=endings), file=sys.stderr)
        return 2
    file.write_text(write(store, sweep_id), "utf-8")
    return 0


# Figures are imported only when they are asked for, so that the other commands work where
# plotly is not installed.


def _errors_page(store: RunStore, sweep_id: str) -> str:
    from resnet_viz.figures.page import figures_page

    return figures_page(SweepReader(store, sweep_id).refresh(), store.sweep(sweep_id).name)


def _gradients_csv(store: RunStore, sweep_id: str) -> str:
    return profiles_csv(ProfileReader(store, sweep_id).refresh())


def _gradients_json(store: RunStore, sweep_id: str) -> str:
    runs = ProfileReader(store, sweep_id).refresh()
    return json.dumps(profiles_json(runs, store.sweep(sweep_id).name)) + "\n"


def _gradients_page(store: RunStore, sweep_id: str) -> str:
    from resnet_viz.figures.profiles.page import profiles_page

    return profiles_page(ProfileReader(store, sweep_id).refresh(), store.sweep(sweep_id).name)


_errors: dict[str, Callable[[RunStore, str], str]] = {
    ".csv": sweep_csv,
    ".json": lambda store, sweep_id: json.dumps(sweep_json(store, sweep_id)) + "\n",
    ".html": _errors_page,
}
_gradients: dict[str, Callable[[RunStore, str], str]] = {
    ".csv": _gradients_csv,
    ".json": _gradients_json,
    ".html": _gradients_page,
}


def _download(options: argparse.Namespace) -> int:
    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done / 1e6:.1f} / {total / 1e6:.1f} MB", end="", file=sys.stderr, flush=True)

    if options.name in DATASETS and catalogue.is_present(DataSpec(options.name)):
        return 0
    download(options.name, show, lambda: False)
    return 0
