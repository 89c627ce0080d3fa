"""A store that an older version wrote opens, keeps everything, and takes what is new."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from resnet_viz.records import PROBE_EVERY
from resnet_viz.runs.layout import SCHEMA_VERSION
from resnet_viz.runs.rows import ROW_BYTES, KeptCheckpoint
from resnet_viz.runs.schema import APPLICATION_ID, Database, StoreError
from resnet_viz.runs.store import RunStore
from tests.runs import version_1, version_2
from tests.runs.making import make_queue, net_profile, tiny_sweep, training_record

TABLES = {1: version_1.TABLES, 2: version_2.TABLES}


def write_old(folder: Path, version: int) -> dict[str, list[tuple[Any, ...]]]:
    """A store with a finished and a paused run, by SQL alone; returns its rows by table."""
    folder.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(folder / "runs.sqlite3", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    for statement in TABLES[version]:
        db.execute(statement)
    db.execute(f"PRAGMA application_id={APPLICATION_ID}")
    db.execute(f"PRAGMA user_version={version}")
    spec = tiny_sweep(depths=(8, 14))
    text = json.dumps(spec.to_dict(), sort_keys=True)
    db.execute("INSERT INTO sweeps VALUES (4, 'abcdefgh', 'Old', ?, NULL, 1.5, 0)", (text,))
    for i, (run, status) in enumerate(zip(spec.runs(), ("done", "paused"), strict=True)):
        db.execute(
            "INSERT INTO runs (id, sweep_id, position, key, spec, status, lane, target, threads, "
            "dtype, step, running_error, record_count, epoch, created, updated) "
            "VALUES (?, 'abcdefgh', ?, ?, ?, ?, 0, 'auto', 1, 'float32', 3, 0.25, 3, 2, 1.5, 2.5)",
            (7 + i, i, run.key, run.to_json(), status),
        )
        db.executemany(
            "INSERT INTO records (run_id, kind, step, running_error, running_loss, lr) "
            "VALUES (?, 'training', ?, ?, 1.0, 0.1)",
            [(7 + i, step, 1 / step) for step in (1, 2, 3)],
        )
    db.execute("""INSERT INTO settings VALUES ('auto_device', '"cpu"')""")
    found = rows_of(db)
    db.close()
    return found


def rows_of(db: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    names = ("sweeps", "runs", "records", "settings", "workers", "servers", "downloads")
    return {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in names}


def columns_of(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Table and index to what SQLite says of its columns, without their places."""
    db = sqlite3.connect(path)
    names = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE sql IS NOT NULL")]
    out = {name: db.execute(f"PRAGMA table_info({name})").fetchall() for name in names}
    out |= {f"{n} keys": db.execute(f"PRAGMA foreign_key_list({n})").fetchall() for n in names}
    out["version"] = db.execute("PRAGMA user_version").fetchall()
    db.close()
    return out


def test_a_store_of_version_1_keeps_everything_and_trains_on(tmp_path: Path) -> None:
    before = write_old(tmp_path, 1)
    store = RunStore(tmp_path)
    db = sqlite3.connect(tmp_path / "runs.sqlite3")
    after = rows_of(db)
    db.close()
    assert after.pop("runs") == [(*row, PROBE_EVERY, 0) for row in before.pop("runs")]
    assert after == before
    (sweep,) = store.sweeps()
    assert (sweep.name, sweep.counts) == ("Old", {"done": 1, "paused": 1})
    done, paused = store.runs(sweep.id)
    assert store.history(done.id).values["running_error"] == [1, 1 / 2, 1 / 3]
    assert store.profiles_since([done.id, paused.id]) == ([], 0)
    store.resume([paused.id])
    queue = make_queue(store)
    (claim,) = queue.claim()
    assert (claim.run_id, claim.probe_every) == (paused.id, PROBE_EVERY)
    profile = net_profile(claim.spec.net, 1)
    queue.append([(claim, [training_record(1), profile])])
    assert store.profiles_since([paused.id])[0] == [(paused.id, profile)]
    queue.finish(claim, "done")
    store.delete_sweep(sweep.id)
    assert store.profiles_since([paused.id])[0] == []


def test_a_store_of_version_2_keeps_everything_and_keeps_nets(tmp_path: Path) -> None:
    before = write_old(tmp_path, 2)
    store = RunStore(tmp_path)
    db = sqlite3.connect(tmp_path / "runs.sqlite3")
    assert rows_of(db) == before
    db.close()
    (sweep,) = store.sweeps()
    done, paused = store.runs(sweep.id)
    assert store.kept_checkpoints(done.id) == store.kept_checkpoints(paused.id) == []
    store.resume([paused.id])
    queue = make_queue(store)
    (claim,) = queue.claim()
    queue.record_kept(claim, 1, 1000)
    assert store.kept_checkpoints(paused.id) == [KeptCheckpoint(1, 1000)]
    assert store.sweep(sweep.id).size_bytes == sweep.size_bytes - 3 * ROW_BYTES + 1000


@pytest.mark.parametrize("version", TABLES)
def test_a_migrated_file_has_the_tables_of_a_new_one(tmp_path: Path, version: int) -> None:
    write_old(tmp_path / "old", version)
    for name in ("old", "new"):
        RunStore(tmp_path / name).close()
    old, new = (columns_of(tmp_path / name / "runs.sqlite3") for name in ("old", "new"))
    assert old == new
    assert old["version"] == [(SCHEMA_VERSION,)]


@pytest.mark.parametrize("version", TABLES)
def test_many_that_open_it_at_once_migrate_it_once(tmp_path: Path, version: int) -> None:
    write_old(tmp_path, version)
    found: list[int | str] = []

    def look() -> None:
        try:
            found.append(len(RunStore(tmp_path).runs()))
        except StoreError as error:
            found.append(str(error))

    in_parallel([look] * 8)
    assert found == [2] * 8


def in_parallel(functions: Sequence[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = write_old(tmp_path, 1)
    broken = {1: ("ALTER TABLE runs ADD COLUMN extra INTEGER", "CREATE TABLE runs (x)"), 2: ()}
    with monkeypatch.context() as patch:
        patch.setattr("resnet_viz.runs.schema.MIGRATIONS", broken)
        with pytest.raises(StoreError):
            Database(tmp_path / "runs.sqlite3")
    db = sqlite3.connect(tmp_path / "runs.sqlite3")
    assert db.execute("PRAGMA user_version").fetchone() == (1,)
    assert rows_of(db) == before
    db.close()
    assert len(RunStore(tmp_path).runs()) == 2
