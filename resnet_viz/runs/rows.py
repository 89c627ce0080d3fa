"""Rows of the database as the dataclasses that its readers see. No torch."""

from __future__ import annotations

import json
import math
import sqlite3
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from resnet_viz.records import COLUMNS, PROFILE_COLUMNS, Profile, Record, RunInfo
from resnet_viz.runs.layout import RECORD_COLUMNS
from resnet_viz.specs import RunSpec
from resnet_viz.sweeps import SweepSpec

PROFILE_FIELDS = ", ".join(("step", *PROFILE_COLUMNS))
RECORD_FIELDS = ", ".join(("kind", "step", *RECORD_COLUMNS))
# column -> its place in a row of RECORD_FIELDS
_PLACES = {
    kind: [(column, 2 + RECORD_COLUMNS.index(column)) for column in columns]
    for kind, columns in COLUMNS.items()
}

# A sweep is what the most urgent of its runs is.
_URGENCY = ("running", "queued", "paused", "failed", "stopped", "diverged", "done")
# Of a profile, all but its numbers.
PROFILE_ROW_BYTES = 60
ROW_BYTES = 110  # a record in its table and two indexes, measured on a store of 100,000

ProfileRow = tuple[Any, ...]


@dataclass(frozen=True)
class SweepInfo:
    """One sweep of the store as its readers see it.

    Attributes:
        id: eight characters, for links.
        preset: name of the preset that it equals, or None.
        created: seconds since the epoch.
        imported: it came from an archive.
        counts: status to number of runs.
        best_train_error, best_test_error: the lowest of its runs, fractions, or None.
        size_bytes: on disk, records, profiles and checkpoints.
    """

    id: str
    name: str
    spec: SweepSpec
    preset: str | None
    created: float
    imported: bool
    counts: Mapping[str, int]
    best_train_error: float | None
    best_test_error: float | None
    size_bytes: int

    @property
    def status(self) -> str:
        """One of `records.STATUSES`: that of its most urgent run."""
        return next(status for status in _URGENCY if self.counts.get(status))


@dataclass(frozen=True)
class WorkerInfo:
    """A training process.

    Attributes:
        state: "starting", "idle", "measuring", "downloading" or "training".
        threads: in use for training; 0 when it trains nothing.
        started, heartbeat: seconds since the epoch.
    """

    id: str
    pid: int
    device: str
    threads: int
    started: float
    heartbeat: float
    state: str


@dataclass(frozen=True)
class DownloadInfo:
    """Data or weights on their way.

    Attributes:
        dataset: name of the job: a data set's, or "imagenet:resnet50".
        status: "queued", "running", "done", "failed" or "stopped".
        bytes_total: 0 while it is not known.
        message: what went wrong, for a failed one.
    """

    dataset: str
    status: str
    bytes_done: int
    bytes_total: int
    message: str | None
    updated: float


@dataclass(frozen=True)
class KeptCheckpoint:
    """A step of a run at which its net can be looked at."""

    step: int
    size_bytes: int


@lru_cache(maxsize=4096)
def parse_run_spec(text: str) -> RunSpec:
    """The spec in canonical JSON; one that has been read is not read again."""
    return RunSpec.from_json(text)


@lru_cache(maxsize=1024)
def parse_sweep_spec(text: str) -> SweepSpec:
    """The sweep in JSON; one that has been read is not read again."""
    return SweepSpec.from_dict(json.loads(text))


_RUN_FIELDS = (
    *("id", "sweep_id", "status", "wish", "step", "running_error", "train_error", "val_error"),
    *("test_error", "seconds", "images_per_second", "device", "dtype", "version", "epoch"),
    *("checkpoint_step", "error", "notes", "created", "updated"),
)


def run_info(row: sqlite3.Row) -> RunInfo:
    """A row of `runs`."""
    values: dict[str, Any] = {name: row[name] for name in _RUN_FIELDS}
    threads = row["threads"] if row["dtype"] else None
    return RunInfo(spec=parse_run_spec(row["spec"]), threads=threads, **values)


SWEEP_QUERY = """
    SELECT s.id, s.name, s.spec, s.preset, s.created, s.imported,
        json_group_array(r.status) AS statuses,
        min(r.train_error) AS best_train_error, min(r.test_error) AS best_test_error,
        sum(r.checkpoint_bytes + r.profile_bytes + (
            SELECT coalesce(sum(c.bytes), 0) FROM checkpoints c WHERE c.run_id = r.id
        )) AS other_bytes,
        sum(r.record_count) AS record_count
    FROM sweeps s JOIN runs r ON r.sweep_id = s.id
"""


def sweep_info(row: sqlite3.Row) -> SweepInfo:
    """A row of `SWEEP_QUERY`."""
    statuses: list[str] = json.loads(row["statuses"])
    return SweepInfo(
        id=row["id"],
        name=row["name"],
        spec=parse_sweep_spec(row["spec"]),
        preset=row["preset"],
        created=row["created"],
        imported=bool(row["imported"]),
        counts={status: statuses.count(status) for status in set(statuses)},
        best_train_error=row["best_train_error"],
        best_test_error=row["best_test_error"],
        size_bytes=row["other_bytes"] + ROW_BYTES * row["record_count"],
    )


def record(row: Any) -> Record:
    """A row that begins with `RECORD_FIELDS`."""
    return Record(
        row[0], row[1], {c: row[place] for c, place in _PLACES[row[0]] if row[place] is not None}
    )


def record_rows(run_id: int, records: Iterable[Record]) -> list[tuple[Any, ...]]:
    """Rows to insert into `records`.

    What is not a finite number is left out: JSON and charts have no place for it.
    """
    return [
        (run_id, r.kind, r.step, *(finite(r.values.get(column)) for column in RECORD_COLUMNS))
        for r in records
    ]


def profile(row: Any) -> Profile:
    """A row that begins with `PROFILE_FIELDS`."""
    blobs = zip(PROFILE_COLUMNS, row[1 : 1 + len(PROFILE_COLUMNS)], strict=True)
    return Profile(row[0], {c: unpack(blob) for c, blob in blobs if blob is not None})


def profile_row(found: Profile) -> ProfileRow:
    """Step, and a blob or None a column: what `writing.insert_profiles` takes."""
    columns = (found.values.get(column) for column in PROFILE_COLUMNS)
    return (found.step, *(None if c is None else pack(c) for c in columns))


def profile_bytes(row: ProfileRow) -> int:
    """What a row of `profile_row` takes on the disk, about."""
    return PROFILE_ROW_BYTES + sum(len(blob) for blob in row[1:] if blob is not None)


def pack(values: tuple[float, ...]) -> bytes:
    """Numbers as float32, little-endian."""
    return struct.pack(f"<{len(values)}f", *values)


def unpack(blob: bytes) -> tuple[float, ...]:
    """The numbers of `pack`; what is not finite is NaN."""
    found = struct.unpack(f"<{len(blob) // 4}f", blob)
    return tuple(value if math.isfinite(value) else math.nan for value in found)


def finite(value: float | None) -> float | None:
    """The value, or None for what is missing or not a finite number."""
    return value if value is not None and abs(value) < float("inf") else None
