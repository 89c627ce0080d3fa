"""Stored sweeps that a page shows before there is any run: reading and writing. No torch."""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from resnet_viz.i18n import _
from resnet_viz.records import COLUMNS, PROFILE_COLUMNS, History, Profile, Record, RunInfo
from resnet_viz.runs.schema import StoreError
from resnet_viz.specs import RunSpec

FOLDER = Path(__file__).parents[1] / "assets"
QUICK, FIGURE6 = "reference", "figure6"  # sweeps that come with the program; the second may lack
_NO_GZIP = (gzip.BadGzipFile, zlib.error, EOFError)
MOST_RECORDS = 1000  # training records kept of one run, where it is thinned


@dataclass(frozen=True)
class Reference:
    """A finished sweep and where it was measured.

    Attributes:
        machine: processor, threads, number format and versions, in words.
        command: what makes it again.
        runs: as a reader of the store would give them.
        profiles: of the runs with the first seed, with four significant digits.
        data: what it was trained on, in words, where the specs do not say all of it, or "".
    """

    machine: str
    command: str
    runs: tuple[tuple[RunInfo, History], ...]
    profiles: tuple[tuple[RunInfo, tuple[Profile, ...]], ...]
    data: str = ""


def reference_path(name: str = QUICK) -> Path:
    """File of a sweep that comes with the program."""
    return FOLDER / f"{name}.json.gz"


def has_reference(name: str) -> bool:
    """Whether a sweep comes with the program."""
    return reference_path(name).is_file()


@cache
def load_reference(name: str = QUICK) -> Reference:
    """A sweep that comes with the program."""
    return read_reference(reference_path(name))


def read_reference(path: Path) -> Reference:
    """The sweep of a file, which may be gzipped.

    Raises:
        StoreError: it is not a file of `write_reference`.
        OSError: it cannot be read.
    """
    content = path.read_bytes()
    try:
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
        return _parse(json.loads(content))
    except (*_NO_GZIP, ValueError, LookupError, TypeError, RecursionError) as error:
        text = _("{file} does not hold a sweep that this program has written: {error}")
        raise StoreError(text.format(file=path.name, error=error)) from None


def _parse(values: Mapping[str, Any]) -> Reference:
    runs, profiles = [], []
    for number, run in enumerate(values["runs"], 1):
        history = History()
        for record in run["records"]:
            columns = {c: record[c] for c in COLUMNS[record["kind"]] if record.get(c) is not None}
            history.extend([Record(record["kind"], record["step"], columns)])
        info = RunInfo(
            id=-number,
            sweep_id="reference",
            spec=RunSpec.from_dict(run["spec"]),
            status=run["status"],
            step=max((steps[-1] for steps in history.steps.values()), default=0),
            running_error=history.last("running_error"),
            train_error=history.last("train_error"),
            val_error=history.last("val_error"),
            test_error=history.last("test_error"),
            seconds=history.last("seconds") or 0.0,
            images_per_second=history.last("images_per_second"),
        )
        runs.append((info, history))
        if found := tuple(map(_profile, run.get("profiles", ()))):
            profiles.append((info, found))
    if not runs:
        raise ValueError("it has no runs")
    return Reference(
        values["machine"],
        values["command"],
        tuple(runs),
        tuple(profiles),
        values.get("data", ""),
    )


def _profile(values: dict[str, Any]) -> Profile:
    columns = {
        name: tuple(math.nan if value is None else value for value in values[name])
        for name in PROFILE_COLUMNS
        if name in values
    }
    return Profile(values["step"], columns)


def compact_run(run: Mapping[str, Any], most: int | None = None) -> dict[str, Any]:
    """A run of `tables.sweep_json` without what belongs to the moment, rounded for a chart.

    Args:
        most: training records to keep, evenly spaced with the last one among them, and of them
            the error alone; None keeps them as they are. Evaluations are all kept.
    """
    kinds: dict[str, list[Mapping[str, Any]]] = {kind: [] for kind in COLUMNS}
    for record in run["records"]:
        kinds[record["kind"]].append(record)
    dropped = {"lr"}
    if most is not None:
        kinds["training"] = _spaced(kinds["training"], most)
        dropped |= {"running_loss"}
    records = [*kinds["training"], *kinds["evaluation"], *kinds["speed"][-1:]]
    rounded = [
        {k: round(v, 5) if isinstance(v, float) else v for k, v in r.items() if k not in dropped}
        for r in records
    ]
    return {"spec": run["spec"], "status": run["status"], "records": rounded}


def _spaced(records: Sequence[Mapping[str, Any]], most: int) -> list[Mapping[str, Any]]:
    """Every n-th record counted from the last."""
    apart = max(1, -(-len(records) // most))
    return list(records[::-1][::apart][::-1])


def write_reference(
    path: Path, runs: Sequence[Mapping[str, Any]], *, machine: str, command: str, data: str = ""
) -> None:
    """Write runs of `compact_run`, gzipped where the file's name says so; see `Reference`."""
    values: dict[str, Any] = {"machine": machine, "command": command}
    if data:
        values["data"] = data
    text = json.dumps({**values, "runs": list(runs)}, separators=(",", ":"), allow_nan=False)
    content = text.encode()
    path.write_bytes(gzip.compress(content, 9, mtime=0) if path.suffix == ".gz" else content)
