"""Writing into the tables: sweeps, runs, records and profiles, and what sums them up. No torch."""

from __future__ import annotations

import base64
import json
import secrets
import sqlite3
import time
from collections.abc import Iterable, Sequence
from typing import Any

from resnet_viz.i18n import _
from resnet_viz.records import COLUMNS, PROFILE_COLUMNS, Profile, Record
from resnet_viz.runs import rows
from resnet_viz.runs.schema import StoreError
from resnet_viz.specs import RunSpec
from resnet_viz.sweeps import PRESETS, SweepSpec

MAX_NAME = 200

_LATEST = {column: kind for kind, columns in COLUMNS.items() for column in columns}
_SUMMARY = (
    *("running_error", "train_error", "val_error", "test_error"),
    *("seconds", "images_per_second"),
)
_INSERT_RECORD = (
    f"INSERT INTO records (run_id, {rows.RECORD_FIELDS}) "
    f"VALUES ({', '.join('?' * (3 + len(_LATEST)))})"
)
_INSERT_PROFILE = (
    f"INSERT INTO profiles (run_id, {rows.PROFILE_FIELDS}) "
    f"VALUES ({', '.join('?' * (2 + len(PROFILE_COLUMNS)))})"
)


def clean_name(name: str) -> str:
    """A sweep's name on one line and not too long.

    Raises:
        StoreError: nothing is left of it.
    """
    text = "".join(c if c.isprintable() else " " for c in name)
    text = " ".join(text.split())[:MAX_NAME]
    if not text:
        raise StoreError(_("A sweep needs a name."))
    return text


def insert_sweep(db: sqlite3.Connection, spec: SweepSpec, name: str, imported: bool = False) -> str:
    """Add a sweep without runs; returns its new id."""
    sweep_id = base64.b32encode(secrets.token_bytes(5)).decode().lower()
    preset = next((preset for preset, known in PRESETS.items() if known == spec), None)
    text = json.dumps(spec.to_dict(), sort_keys=True)
    db.execute(
        "INSERT INTO sweeps (id, name, spec, preset, created, imported) VALUES (?, ?, ?, ?, ?, ?)",
        (sweep_id, clean_name(name), text, preset, time.time(), int(imported)),
    )
    return sweep_id


def insert_run(
    db: sqlite3.Connection, sweep_id: str, position: int, spec: RunSpec, values: dict[str, Any]
) -> int:
    """Add a run to a sweep; returns its id.

    Args:
        values: further columns of the table `runs`.
    """
    now = time.time()
    row = {"sweep_id": sweep_id, "position": position, "key": spec.key, "spec": spec.to_json()}
    row |= {"created": now, "updated": now, **values}
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    cursor = db.execute(f"INSERT INTO runs ({names}) VALUES ({marks})", tuple(row.values()))
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def insert_records(db: sqlite3.Connection, run_id: int, records: Iterable[Record]) -> None:
    """Add records to a run; its summary does not know of them yet."""
    db.executemany(_INSERT_RECORD, rows.record_rows(run_id, records))


def insert_profiles(db: sqlite3.Connection, run_id: int, found: Iterable[rows.ProfileRow]) -> None:
    """Add rows of `rows.profile_row` to a run; its summary does not know of them yet."""
    db.executemany(_INSERT_PROFILE, ((run_id, *row) for row in found))


def add_records(
    db: sqlite3.Connection, run_id: int, epoch: int, found: Sequence[Record | Profile]
) -> bool:
    """Add to a running run and bring its summary up to date; False if the claim is lost."""
    records = [r for r in found if isinstance(r, Record)]
    profiles = [rows.profile_row(p) for p in found if isinstance(p, Profile)]
    latest = {c: r.values[c] for r in records for c in _SUMMARY if c in r.values}
    values = {name: rows.finite(value) for name, value in latest.items()}
    values["step"] = max((r.step for r in records), default=0)
    names = ", ".join(f"{name} = coalesce(:{name}, {name})" for name in values if name != "step")
    query = (
        f"UPDATE runs SET step = max(step, :step), {names + ', ' if names else ''}"
        "record_count = record_count + :count, "
        "profile_bytes = profile_bytes + :profile_bytes, updated = :now "
        "WHERE id = :id AND epoch = :epoch AND status = 'running'"
    )
    values |= {"count": len(records), "now": time.time()}
    values |= {"profile_bytes": sum(map(rows.profile_bytes, profiles))}
    values |= {"id": run_id, "epoch": epoch}
    if not db.execute(query, values).rowcount:
        return False
    insert_records(db, run_id, records)
    insert_profiles(db, run_id, profiles)
    return True


def rewind(db: sqlite3.Connection, run_id: int, checkpoint_step: int | None) -> None:
    """Take a run back to its checkpoint: what is later goes, its summary follows."""
    step = -1 if checkpoint_step is None else checkpoint_step
    db.execute("DELETE FROM records WHERE run_id = ? AND step > ?", (run_id, step))
    db.execute("DELETE FROM profiles WHERE run_id = ? AND step > ?", (run_id, step))
    db.execute("DELETE FROM checkpoints WHERE run_id = ? AND step > ?", (run_id, step))
    summarise(db, run_id)


def summarise(db: sqlite3.Connection, run_id: int) -> None:
    """Set the columns of a run that sum up its records and profiles."""
    latest = ", ".join(
        f"{column} = {'coalesce' if column == 'seconds' else ''}((SELECT {column} FROM records "
        f"WHERE run_id = :id AND kind = '{_LATEST[column]}' AND {column} IS NOT NULL "
        f"ORDER BY step DESC LIMIT 1){', 0' if column == 'seconds' else ''})"
        for column in _SUMMARY
    )
    blobs = (f"coalesce(length({column}), 0)" for column in PROFILE_COLUMNS)
    profile = " + ".join((str(rows.PROFILE_ROW_BYTES), *blobs))
    db.execute(
        "UPDATE runs SET step = coalesce((SELECT max(step) FROM records WHERE run_id = :id), 0), "
        "record_count = (SELECT count(*) FROM records WHERE run_id = :id), "
        f"profile_bytes = (SELECT coalesce(sum({profile}), 0) FROM profiles "
        f"WHERE run_id = :id), {latest} WHERE id = :id",
        {"id": run_id},
    )
