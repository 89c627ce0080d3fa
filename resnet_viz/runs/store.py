"""What was trained and what is training: the store that pages, notebooks and workers share.

One SQLite file beside a folder of checkpoints, in the data folder. Many threads and
processes may use it at once. No torch here. What workers do with it is in `queue`.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from resnet_viz.home import data_home
from resnet_viz.i18n import _
from resnet_viz.nets.costs import Machine
from resnet_viz.nets.start_files import starts_folder
from resnet_viz.records import (
    ACTIVE,
    PROBE_EVERY,
    RESUMABLE,
    History,
    Profile,
    Record,
    RunInfo,
)
from resnet_viz.runs import rows
from resnet_viz.runs.hardware import trained_on_key
from resnet_viz.runs.lanes import available_cores, deal, deal_again
from resnet_viz.runs.rows import KeptCheckpoint, SweepInfo
from resnet_viz.runs.schema import Database, StoreError
from resnet_viz.runs.writing import clean_name, insert_run, insert_sweep
from resnet_viz.sweeps import SweepSpec
from resnet_viz.training.schedule import check_probe_every

_UNUSED_SECONDS = 86_400.0  # that weights are kept from which no run starts
_IDS = "(SELECT value FROM json_each(?))"  # any number of ids in one parameter


class UnknownSweepError(StoreError):
    """There is no sweep of that id."""


def unknown_sweep(sweep_id: str) -> UnknownSweepError:
    """The error that says so."""
    text = _("There is no sweep {id!r}; it may have been deleted.").format(id=sweep_id)
    return UnknownSweepError(text)


class RunStore:
    """Sweeps, their runs, and the runs' records.

    Args:
        path: the data folder; None for `home.data_home()`.

    Raises:
        StoreError: the folder cannot be used; so may every method.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.home = Path(path) if path is not None else data_home()
        self.database = Database(self.home / "runs.sqlite3")

    def close(self) -> None:
        """Close idle connections; the store can still be used."""
        self.database.close()

    def checkpoint_folder(self, run_id: int) -> Path:
        """Where a run's checkpoints lie."""
        return self.home / "checkpoints" / str(run_id)

    def checkpoint_path(self, run_id: int, step: int) -> Path:
        """File of a run's newest checkpoint, which is of that step."""
        return self.checkpoint_folder(run_id) / f"{step}.safetensors"

    def kept_folder(self, run_id: int) -> Path:
        """Where the nets lie that a run keeps along the way."""
        return self.checkpoint_folder(run_id) / "kept"

    def kept_path(self, run_id: int, step: int) -> Path:
        """File of a run's net at one of the steps of `kept_checkpoints`."""
        path = self.kept_folder(run_id) / f"{step}.safetensors"
        return path if path.is_file() else self.checkpoint_path(run_id, step)

    # --- sweeps ---

    def create_sweep(
        self,
        spec: SweepSpec,
        *,
        name: str,
        device: str = "auto",
        cores: int | None = None,
        machine: Machine | None = None,
        probe_every: int = PROBE_EVERY,
    ) -> str:
        """Put a sweep's runs into the queue.

        Args:
            device: "auto", "cpu", "cuda" or "mps".
            cores: processes to deal the runs out over on a CPU; None for every core.
            machine: what this device is measured to do; None deals out by counted costs.
            probe_every: steps between profiles; 0 for none.

        Returns:
            The sweep's id.

        Raises:
            SpecError: `probe_every` is no number of steps.
        """
        check_probe_every(probe_every)
        runs = spec.runs()
        known = self.setting("auto_device") if device == "auto" else device
        places = deal(runs, known or "cpu", cores or available_cores(), machine)
        with self.database.write() as db:
            sweep_id = insert_sweep(db, spec, name)
            for position, (run, place) in enumerate(zip(runs, places, strict=True)):
                values = {"status": "queued", "lane": place.lane, "threads": place.threads}
                values |= {"target": device, "probe_every": probe_every}
                insert_run(db, sweep_id, position, run, values)
        return sweep_id

    def sweep(self, sweep_id: str) -> SweepInfo:
        """One sweep.

        Raises:
            UnknownSweepError: there is none of that id.
        """
        with self.database.read() as db:
            row = db.execute(f"{rows.SWEEP_QUERY} WHERE s.id = ? GROUP BY s.id", (sweep_id,))
            found = row.fetchone()
        if found is None:
            raise unknown_sweep(sweep_id)
        return rows.sweep_info(found)

    def sweeps(self) -> list[SweepInfo]:
        """Every sweep, the newest first."""
        with self.database.read() as db:
            query = f"{rows.SWEEP_QUERY} GROUP BY s.id ORDER BY s.seq DESC"
            return [rows.sweep_info(row) for row in db.execute(query)]

    def rename_sweep(self, sweep_id: str, name: str) -> None:
        """Give a sweep another name, which may not be empty."""
        with self.database.write() as db:
            values = (clean_name(name), sweep_id)
            if not db.execute("UPDATE sweeps SET name = ? WHERE id = ?", values).rowcount:
                raise unknown_sweep(sweep_id)

    def delete_sweep(self, sweep_id: str) -> None:
        """Delete a sweep with its records, checkpoints, and the weights that only it starts from.

        Raises:
            StoreError: some of its runs wait or train; stop them first.
        """
        with self.database.write() as db:
            found = db.execute("SELECT id, status FROM runs WHERE sweep_id = ?", (sweep_id,))
            runs = {row["id"]: row["status"] for row in found}
            if any(status in ACTIVE for status in runs.values()):
                raise StoreError(_("This sweep is still training. Stop it, then delete it."))
            query = "SELECT json_extract(spec, '$.start') FROM runs WHERE sweep_id = ?"
            starts = {row[0] for row in db.execute(query, (sweep_id,))} - {None}
            db.execute("DELETE FROM sweeps WHERE id = ?", (sweep_id,))
            db.execute("DELETE FROM settings WHERE key = ?", (trained_on_key(sweep_id),))
        for run_id in runs:
            shutil.rmtree(self.checkpoint_folder(run_id), ignore_errors=True)
        self._clear_starts(starts)

    def _clear_starts(self, mine: set[str]) -> None:
        """Remove weights from which no run starts any more.

        Args:
            mine: those of runs that were just deleted. Others go too, once they are a day old:
                until then somebody may be about to start a run from them.
        """
        with self.database.read() as db:
            found = db.execute("SELECT json_extract(spec, '$.start') FROM runs").fetchall()
        used = {row[0] for row in found}
        for path in starts_folder(self.home).glob("*"):
            with suppress(OSError):  # another process was faster
                old = time.time() - path.stat().st_mtime > _UNUSED_SECONDS
                if path.stem not in used and (old or path.stem in mine):
                    path.unlink()

    # --- runs and records ---

    def runs(self, sweep_id: str | None = None) -> list[RunInfo]:
        """The runs of a sweep in its order, or all runs, the oldest first."""
        with self.database.read() as db:
            if sweep_id is None:
                found = db.execute("SELECT * FROM runs ORDER BY id")
            else:
                query = "SELECT * FROM runs WHERE sweep_id = ? ORDER BY position"
                found = db.execute(query, (sweep_id,))
            return [rows.run_info(row) for row in found]

    def records_since(
        self, run_ids: Iterable[int], row_id: int = 0
    ) -> tuple[list[tuple[int, Record]], int]:
        """What has been written about some runs since the last time.

        Args:
            row_id: what this method returned last; 0 for everything. When a run's `epoch` has
                changed, records may have been taken back: read that run from 0.

        Returns:
            (run id, record) in the order of writing, and the row id for the next call.
        """
        found = self._rows_since("records", rows.RECORD_FIELDS, run_ids, row_id)
        return [(r[-2], rows.record(r)) for r in found], found[-1][-1] if found else row_id

    def profiles_since(
        self, run_ids: Iterable[int], row_id: int = 0
    ) -> tuple[list[tuple[int, Profile]], int]:
        """What has been measured layer by layer since the last time, as `records_since`."""
        found = self._rows_since("profiles", rows.PROFILE_FIELDS, run_ids, row_id)
        return [(r[-2], rows.profile(r)) for r in found], found[-1][-1] if found else row_id

    def _rows_since(
        self, table: str, fields: str, run_ids: Iterable[int], row_id: int
    ) -> list[tuple[Any, ...]]:
        """Rows as plain tuples; the last two values of each are its run and its own id."""
        query = (
            f"SELECT {fields}, run_id, id FROM {table} "
            f"WHERE run_id IN {_IDS} AND id > ? ORDER BY id"
        )
        with self.database.read() as db:
            cursor = db.cursor()
            cursor.row_factory = None
            return cursor.execute(query, (json.dumps(list(run_ids)), row_id)).fetchall()

    def history(self, run_id: int) -> History:
        """All records of one run, by column."""
        history = History()
        history.extend(record for _run, record in self.records_since([run_id])[0])
        return history

    def kept_checkpoints(self, run_id: int) -> list[KeptCheckpoint]:
        """The steps at which a run's net can be looked at, ascending.

        Those kept along the way, and its newest checkpoint unless the run goes on and replaces it.
        """
        with self.database.read() as db:
            found = db.execute(
                "SELECT step, bytes FROM checkpoints WHERE run_id = :id "
                "UNION ALL SELECT checkpoint_step, checkpoint_bytes FROM runs WHERE id = :id "
                "AND checkpoint_step IS NOT NULL "
                "AND checkpoint_step NOT IN (SELECT step FROM checkpoints WHERE run_id = :id) "
                "AND status NOT IN (SELECT value FROM json_each(:active)) ORDER BY 1",
                {"id": run_id, "active": json.dumps(ACTIVE)},
            )
            return [KeptCheckpoint(row[0], row[1]) for row in found]

    # --- what a person asks for ---

    def request_stop(self, run_ids: Iterable[int]) -> None:
        """Stop runs: those that wait or are paused at once, the others within half a second."""
        self._wish("stop", "stopped", ("queued", "paused"), run_ids)

    def request_pause(self, run_ids: Iterable[int]) -> None:
        """Pause runs; one that trains writes a checkpoint first."""
        self._wish("pause", "paused", ("queued",), run_ids)

    def _wish(
        self, wish: str, status: str, directly: tuple[str, ...], run_ids: Iterable[int]
    ) -> None:
        ids, now = json.dumps(list(run_ids)), time.time()
        with self.database.write() as db:
            db.execute(
                f"UPDATE runs SET status = ?, updated = ? WHERE id IN {_IDS} "
                "AND status IN (SELECT value FROM json_each(?))",
                (status, now, ids, json.dumps(directly)),
            )
            db.execute(
                f"UPDATE runs SET wish = ? WHERE id IN {_IDS} AND status = 'running' "
                "AND wish IS NOT 'stop'",
                (wish, ids),
            )

    def resume(self, run_ids: Iterable[int], *, cores: int | None = None) -> None:
        """Put paused, stopped and failed runs back into the queue.

        A run goes on from its checkpoint with the threads and dtype with which it began;
        without a checkpoint it starts again. The runs are dealt out anew over the lanes.
        """
        cores = cores or available_cores()
        with self.database.write() as db:
            found = db.execute(
                f"SELECT id, sweep_id, spec, threads FROM runs WHERE id IN {_IDS} "
                "AND status IN (SELECT value FROM json_each(?)) ORDER BY sweep_id, position",
                (json.dumps(list(run_ids)), json.dumps(RESUMABLE)),
            ).fetchall()
            runs = [(r["sweep_id"], rows.parse_run_spec(r["spec"]), r["threads"]) for r in found]
            for lane, row in zip(deal_again(runs, cores), found, strict=True):
                db.execute(
                    "UPDATE runs SET status = 'queued', lane = ?, error = NULL, crashes = 0, "
                    "updated = ?, dtype = iif(checkpoint_step IS NULL, NULL, dtype) WHERE id = ?",
                    (lane, time.time(), row["id"]),
                )

    # --- settings ---

    def setting(self, key: str) -> Any:
        """A value that was put under `key`, or None."""
        with self.database.read() as db:
            row = db.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
        return None if row is None else json.loads(row["value"])

    def set_setting(self, key: str, value: Any) -> None:
        """Keep a JSON value under `key`."""
        with self.database.write() as db:
            db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (key, json.dumps(value)))

    def machine(self, device: str = "auto", measured_with: str | None = None) -> Machine | None:
        """What a worker has measured of a device ("auto" for the one it chose), or None yet.

        Args:
            measured_with: None too if it was measured with something else than this.
        """
        device = (self.setting("auto_device") or device) if device == "auto" else device
        found = self.setting(f"machine:{device}")
        if found is None or measured_with not in (None, found["measured_with"]):
            return None
        return Machine.from_dict(found["machine"])

    def set_machine(self, machine: Machine, measured_with: str) -> None:
        """Keep what was measured of `machine.device`."""
        value = {"measured_with": measured_with, "machine": machine.to_dict()}
        self.set_setting(f"machine:{machine.device}", value)
