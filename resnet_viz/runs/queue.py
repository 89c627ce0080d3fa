"""The queue as a worker sees it: claim runs, write what they give, hand them back. No torch.

Every claim raises a run's epoch. What a worker writes names the epoch of its claim and is
refused when the run has another one by now, or is no longer running: a worker that was taken
for dead cannot spoil what its successor writes.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from resnet_viz.records import Profile, Record
from resnet_viz.runs import rows
from resnet_viz.runs.schema import LostClaim
from resnet_viz.runs.store import RunStore
from resnet_viz.runs.writing import add_records, rewind
from resnet_viz.specs import RunSpec

# How much a dead worker counts against its runs. One that died before it stored anything of a
# run may well have died of it (memory); later it may have been anything.
CRASH, EARLY_CRASH = 1, 4
MAX_CRASHES = 3 * EARLY_CRASH  # a run with so many since its last checkpoint has failed
ALONE = 2 * EARLY_CRASH  # with so many it trains alone: its neighbours may be innocent

_ADD_WORKER = (
    "INSERT INTO workers (id, pid, device, threads, started, heartbeat, state) "
    "VALUES (:id, :pid, :device, :threads, :now, :now, :state) "
    "ON CONFLICT (id) DO UPDATE SET pid = :pid, device = :device, threads = :threads, "
    "heartbeat = :now, state = :state"
)
_WAITING = "status = 'queued' AND target IN (SELECT value FROM json_each(:targets))"


@dataclass(frozen=True)
class Claim:
    """A run that is this worker's, as long as its epoch is this one.

    Attributes:
        threads: of the process that trains it.
        checkpoint_step: where it goes on, or None.
        probe_every: steps between profiles as asked for; 0 for none.
    """

    run_id: int
    epoch: int
    spec: RunSpec
    threads: int
    checkpoint_step: int | None
    probe_every: int


class Queue:
    """One worker's access to the queue of a store.

    Args:
        worker_id: names this worker in the store.
        device: "cpu", "cuda" or "mps": the one it trains on.
        targets: wishes that it can fulfil: its device, and "auto" if that is the chosen one.
        cores: how many threads all workers of a CPU may use together.
    """

    def __init__(
        self, store: RunStore, worker_id: str, device: str, targets: Sequence[str], cores: int
    ) -> None:
        self.store = store
        self.worker_id = worker_id
        self.device = device
        self.capacity = cores if device == "cpu" else 1
        self._targets = json.dumps(list(targets))

    # --- this worker ---

    def beat(self, state: str, threads: int = 0) -> None:
        """Say that this worker is alive, and what it does."""
        with self.store.database.write() as db:
            self._beat(db, state, threads)

    def _beat(self, db: sqlite3.Connection, state: str, threads: int) -> None:
        values = {"id": self.worker_id, "pid": os.getpid(), "device": self.device}
        values |= {"threads": threads, "now": time.time(), "state": state}
        db.execute(_ADD_WORKER, values)

    def leave(self) -> None:
        """Sign off: this worker is about to end and holds nothing any more."""
        with self.store.database.write() as db:
            db.execute("DELETE FROM workers WHERE id = ?", (self.worker_id,))

    def take_turn(self, state: str) -> bool:
        """Enter `state` if no other worker of this device is in it."""
        with self.store.database.write() as db:
            busy = db.execute(
                "SELECT 1 FROM workers WHERE state = ? AND device = ? AND id <> ?",
                (state, self.device, self.worker_id),
            ).fetchone()
            if not busy:
                self._beat(db, state, 0)
        return not busy

    # --- claims ---

    def waiting(self) -> bool:
        """Whether any run waits for a worker of this kind."""
        query = f"SELECT 1 FROM runs WHERE {_WAITING} LIMIT 1"
        with self.store.database.read() as db:
            return db.execute(query, {"targets": self._targets}).fetchone() is not None

    def claim(self) -> list[Claim]:
        """Take the next lane of the oldest sweep that waits; empty when nothing may start yet.

        What is past a run's checkpoint goes in the same transaction.
        """
        if not self.waiting():
            return []
        with self.store.database.write() as db:
            chosen = self._choose(db)
            if not chosen:
                return []
            for row in chosen:
                db.execute(
                    "UPDATE runs SET status = 'running', epoch = epoch + 1, owner = ?, "
                    "wish = NULL, updated = ? WHERE id = ?",
                    (self.worker_id, time.time(), row["id"]),
                )
                rewind(db, row["id"], row["checkpoint_step"])
            self._beat(db, "training", chosen[0]["threads"])
        return [
            Claim(
                r["id"],
                r["epoch"] + 1,
                rows.parse_run_spec(r["spec"]),
                r["threads"],
                r["checkpoint_step"],
                r["probe_every"],
            )
            for r in chosen
        ]

    def _choose(self, db: sqlite3.Connection) -> list[sqlite3.Row]:
        """The runs to claim together. First come, first served: nothing overtakes a sweep."""
        values = {"targets": self._targets, "alone": ALONE}
        oldest = f"SELECT sweep_id FROM runs WHERE {_WAITING} ORDER BY id LIMIT 1"
        query = (
            f"SELECT * FROM runs WHERE {_WAITING} AND sweep_id = ({oldest}) "
            "ORDER BY crashes >= :alone, lane, threads, position"
        )
        found = db.execute(query, values).fetchall()
        if not found or not self._fits(db, found[0]["threads"]):
            return []
        first = found[0]
        if first["crashes"] >= ALONE:
            return [first]
        together = [row for row in found if row["crashes"] < ALONE]
        if self.device != "cpu":
            return together  # one process, however many lanes the sweep was dealt out over
        return [
            r for r in together if (r["lane"], r["threads"]) == (first["lane"], first["threads"])
        ]

    def _fits(self, db: sqlite3.Connection, threads: int) -> bool:
        """Whether so many threads may start; one lane always may where nothing trains."""
        query = "SELECT total(threads) FROM workers WHERE device = ? AND id <> ?"
        busy = db.execute(query, (self.device, self.worker_id)).fetchone()[0]
        return not busy or busy + threads <= self.capacity

    def begin(self, claim: Claim, *, dtype: str, version: str, notes: str = "") -> None:
        """Note with what a run trains, and what is to be known of its data.

        Raises:
            LostClaim: the run is somebody else's by now; so may every method below.
        """
        values = {"device": self.device, "dtype": dtype, "version": version}
        self._update(claim, {**values, "notes": notes or None})

    def append(self, batches: Iterable[tuple[Claim, Sequence[Record | Profile]]]) -> None:
        """Keep records and profiles of several runs, all in one transaction.

        Raises:
            LostClaim: some runs are somebody else's by now; the records of the others are kept.
        """
        lost: set[int] = set()
        with self.store.database.write() as db:
            for claim, records in batches:
                if not add_records(db, claim.run_id, claim.epoch, records):
                    lost.add(claim.run_id)
        if lost:
            raise LostClaim(lost)

    def record_checkpoint(self, claim: Claim, step: int, size_bytes: int) -> None:
        """Note a checkpoint whose file is in place, also of a run that was just stopped.

        A run that has come so far does not count its earlier crashes any more.
        """
        values = {"checkpoint_step": step, "checkpoint_bytes": size_bytes, "crashes": 0}
        self._update(claim, values, running=False)

    def record_kept(self, claim: Claim, step: int, size_bytes: int) -> None:
        """Note a net kept along the way, whose file is in place, as `record_checkpoint`."""
        query = (
            "INSERT OR REPLACE INTO checkpoints (run_id, step, bytes) "
            "SELECT id, ?, ? FROM runs WHERE id = ? AND epoch = ?"
        )
        with self.store.database.write() as db:
            if not db.execute(query, (step, size_bytes, claim.run_id, claim.epoch)).rowcount:
                raise LostClaim({claim.run_id})

    def forget_checkpoint(self, claim: Claim) -> None:
        """A damaged one: the next resume starts again."""
        self._update(claim, {"checkpoint_step": None, "checkpoint_bytes": 0})

    def finish(self, claim: Claim, status: str, error: str | None = None) -> None:
        """End a run, or (status "queued") hand it back."""
        self._update(claim, {"status": status, "error": error, "owner": None, "wish": None})

    def revoke(self, claim: Claim, status: str) -> None:
        """End a run over the head of its training: what that still says is refused."""
        values = {"status": status, "owner": None, "wish": None, "epoch": claim.epoch + 1}
        self._update(claim, values)

    def _update(
        self, claim: Claim, values: Mapping[str, str | int | None], *, running: bool = True
    ) -> None:
        names = ", ".join(f"{name} = ?" for name in values)
        query = f"UPDATE runs SET {names}, updated = ? WHERE id = ? AND epoch = ?"
        if running:
            query += " AND status = 'running'"
        with self.store.database.write() as db:
            parameters = (*values.values(), time.time(), claim.run_id, claim.epoch)
            if not db.execute(query, parameters).rowcount:
                raise LostClaim({claim.run_id})

    def wishes(self, claims: Iterable[Claim]) -> dict[int, str]:
        """Run id to "stop" or "pause", as a person wishes, or to "lost"."""
        ids = json.dumps([claim.run_id for claim in claims])
        query = (
            "SELECT id, epoch, status, wish FROM runs WHERE id IN (SELECT value FROM json_each(?))"
        )
        with self.store.database.read() as db:
            found = {row["id"]: row for row in db.execute(query, (ids,))}
        out = {}
        for claim in claims:
            row = found.get(claim.run_id)
            if row is None or row["epoch"] != claim.epoch or row["status"] != "running":
                out[claim.run_id] = "lost"
            elif row["wish"]:
                out[claim.run_id] = row["wish"]
        return out


def refuse_waiting(store: RunStore, device: str, error: str) -> None:
    """End the runs that wait for a device which is not there."""
    with store.database.write() as db:
        db.execute(
            "UPDATE runs SET status = 'failed', error = ?, updated = ? "
            "WHERE status = 'queued' AND target = ?",
            (error, time.time(), device),
        )
