"""From what a person types or chooses to the net that is meant. No torch.

Understood are the name of a net that comes with the program ("resnet-56"), a run of the store at
its newest or another kept step ("run:12", "run:12@300"), a net of torchvision
("imagenet:resnet50"), and the path of a file of one's own.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from resnet_viz.checks import check_choice
from resnet_viz.i18n import _
from resnet_viz.nets.bundled import bundled_names
from resnet_viz.nets.imagenet_files import NETS, PREFIX, imagenet_source
from resnet_viz.records import RunInfo
from resnet_viz.runs.own_nets import own_net_title, own_nets_folder
from resnet_viz.runs.store import RunStore
from resnet_viz.sources import STATISTICS, Source
from resnet_viz.specs import SpecError

RUN = "run:"
_RUN = re.compile(r"run:(\d{1,18})(?:@(\d{1,18}))?")


@dataclass(frozen=True)
class StoredNet:
    """A run whose net can be looked into.

    Attributes:
        run: as the store has it.
        sweep: name of its sweep.
        steps: at which the net was kept, ascending; at least one.
    """

    run: RunInfo
    sweep: str
    steps: tuple[int, ...]


def find_source(store: RunStore, text: str, *, statistics: str = "") -> Source:
    """The net that a text means.

    Args:
        statistics: one of `STATISTICS`, for a file of one's own; "" leaves it to the file.

    Raises:
        SpecError: it means none, or statistics are given for a net that has its own; the message
            names the nearest.
    """
    text = text.strip()
    if statistics:
        check_choice("statistics", statistics, tuple(STATISTICS))
    source = _find_known(store, text)
    if source is None:
        return file_source(store, _existing_file(text), statistics=statistics)
    if statistics:
        message = _("{net} says itself how images are normalised; leave statistics away")
        raise SpecError(message.format(net=text))
    return source


def _find_known(store: RunStore, text: str) -> Source | None:
    """A net that comes with the program, of the store, or of torchvision; None for a path."""
    if text in bundled_names():
        return Source("bundled", text)
    if text.startswith(RUN):
        return _find_run(store, text)
    if text.startswith(PREFIX):
        return imagenet_source(text)
    return None


# --- runs of the store ---


def list_runs(store: RunStore) -> list[StoredNet]:
    """The runs that have a net to look into, the newest first."""
    names = {sweep.id: sweep.name for sweep in store.sweeps()}
    found = []
    for run in reversed(store.runs()):
        steps = tuple(kept.step for kept in store.kept_checkpoints(run.id))
        if steps and run.sweep_id in names:
            found.append(StoredNet(run, names[run.sweep_id], steps))
    return found


def run_source(store: RunStore, run: RunInfo, step: int | None = None) -> Source:
    """A run's net at one of its kept steps, or at the newest.

    Raises:
        SpecError: it has none yet, or none at that step; the message names those it has.
    """
    steps = [kept.step for kept in store.kept_checkpoints(run.id)]
    if not steps:
        text = _("Run {run} has kept no net yet; the first comes after some steps of training.")
        raise SpecError(text.format(run=run.id))
    step = steps[-1] if step is None else step
    if step not in steps:
        text = _("Run {run} has kept no net at step {step}; choose one of: {steps}")
        known = ", ".join(map(str, steps))
        raise SpecError(text.format(run=run.id, step=step, steps=known))
    path = store.kept_path(run.id, step)
    name = f"{RUN}{run.id}@{step}"
    spec = run.spec.to_json()
    return Source("run", name, str(path), fingerprint=_fingerprint(path), step=step, spec=spec)


def _find_run(store: RunStore, text: str) -> Source:
    found = _RUN.fullmatch(text)
    if found is None:
        message = _("{text!r:.100} names no run; write run:12, or run:12@300 for a step of it")
        raise SpecError(message.format(text=text))
    run_id = int(found[1])
    for run in store.runs():
        if run.id == run_id:
            return run_source(store, run, int(found[2]) if found[2] else None)
    near = [f"{RUN}{stored.run.id}" for stored in list_runs(store)[:5]]
    message = _("There is no run {run}; the newest with a net are: {near}")
    raise SpecError(message.format(run=run_id, near=", ".join(near) or _("none")))


# --- files ---


def file_source(store: RunStore, path: Path, *, statistics: str = "") -> Source:
    """A file of one's own; it is opened later, in the analysis process.

    Raises:
        SpecError: it cannot be read.
    """
    kept = path.resolve().parent == own_nets_folder(store.home).resolve()
    name = own_net_title(path) if kept else path.name
    fingerprint = _fingerprint(path)
    return Source("file", name, str(path.absolute()), fingerprint, statistics=statistics)


def _fingerprint(path: Path) -> str:
    try:
        about = path.stat()
    except OSError as error:
        text = _("{path} cannot be read: {reason}")
        reason = error.strerror or str(error)
        raise SpecError(text.format(path=path, reason=reason)) from None
    return f"{about.st_size}-{about.st_mtime_ns}"


def _existing_file(text: str) -> Path:
    if _is_file(text):
        return Path(text).expanduser()
    known = [*bundled_names(), *(PREFIX + name for name in NETS)]
    near = difflib.get_close_matches(text, known, n=3) or list(bundled_names())
    message = _(
        "{text!r:.200} is no net: nearest are {near}. Give one of these, run:NUMBER or "
        "run:NUMBER@STEP for a run of the store, {prefix}NAME, or the path of a file of weights."
    )
    raise SpecError(message.format(text=text, near=", ".join(near), prefix=PREFIX))


def _is_file(text: str) -> bool:
    try:
        return bool(text) and Path(text).expanduser().is_file()
    except (OSError, RuntimeError, ValueError):  # too long, no such home, a zero byte
        return False
