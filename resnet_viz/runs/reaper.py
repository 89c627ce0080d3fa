"""Which workers are dead, and what becomes of their runs. No torch.

A process id says little (a zombie still has one, and a new process may have got it), so a
worker lives as long as its heartbeat changes. The clock that judges is the observer's own, and
one that stands still while the computer sleeps.
"""

from __future__ import annotations

import time

from resnet_viz.i18n import _
from resnet_viz.runs.queue import CRASH, EARLY_CRASH, MAX_CRASHES
from resnet_viz.runs.rows import WorkerInfo
from resnet_viz.runs.store import RunStore

SILENT_SECONDS = 5.0
STARTING_SECONDS = 60.0  # a worker imports torch before its first heartbeat
LONG_DEAD_SECONDS = 20.0  # on the calendar's clock, for a worker that was never seen alive


class Reaper:
    """Looks at the heartbeats of all workers of a store, again and again."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._seen: dict[str, tuple[float, float]] = {}  # worker -> heartbeat, when it was new

    def workers(self) -> list[WorkerInfo]:
        """The workers that count as alive, the oldest first."""
        with self._store.database.read() as db:
            found = db.execute("SELECT * FROM workers ORDER BY started, id").fetchall()
        return [WorkerInfo(**dict(row)) for row in found]

    def look(self) -> None:
        """Reap the workers that have been silent for too long, and runs without a worker."""
        workers, now = self.workers(), time.monotonic()
        self._seen = {w.id: self._seen.get(w.id, (0.0, now)) for w in workers}
        for worker in workers:
            heartbeat, since = self._seen[worker.id]
            starting = worker.state == "starting"
            if heartbeat == 0.0 and time.time() - worker.heartbeat > (
                STARTING_SECONDS if starting else LONG_DEAD_SECONDS
            ):
                reap(self._store, worker.id)
            elif heartbeat != worker.heartbeat:
                self._seen[worker.id] = worker.heartbeat, now
            elif now - since > (STARTING_SECONDS if starting else SILENT_SECONDS):
                reap(self._store, worker.id)
        for owner in self._orphans():
            reap(self._store, owner)

    def _orphans(self) -> list[str]:
        """Owners of running runs that are no workers (any more)."""
        query = (
            "SELECT DISTINCT owner FROM runs WHERE status = 'running' "
            "AND owner NOT IN (SELECT id FROM workers)"
        )
        with self._store.database.read() as db:
            return [row["owner"] for row in db.execute(query)]


def reap(store: RunStore, worker_id: str) -> str | None:
    """Take back what a dead worker held: wishes are fulfilled, other runs wait again.

    A run whose workers die again and again without coming further has failed.

    Returns:
        The state in which the worker died; None if it had signed off.
    """
    values = {"worker": worker_id, "now": time.time(), "most": MAX_CRASHES}
    values |= {"late": CRASH, "early": EARLY_CRASH}
    values["too_often"] = _(
        "The training process ended again and again while it trained this net. Most often there "
        "was not enough memory: try a smaller batch size, width or image size, or close other "
        "programs; then resume."
    )
    crashes = "crashes + iif(step > coalesce(checkpoint_step, 0), :late, :early)"
    with store.database.write() as db:
        row = db.execute(
            "DELETE FROM workers WHERE id = ? RETURNING state", (worker_id,)
        ).fetchone()
        held = "owner = :worker AND status = 'running'"
        db.execute(f"UPDATE runs SET crashes = {crashes} WHERE {held} AND wish IS NULL", values)
        db.execute(
            "UPDATE runs SET status = CASE WHEN wish = 'stop' THEN 'stopped' "
            "WHEN wish = 'pause' THEN 'paused' "
            "WHEN crashes >= :most THEN 'failed' ELSE 'queued' END, "
            "error = iif(wish IS NULL AND crashes >= :most, :too_often, error), "
            f"owner = NULL, wish = NULL, updated = :now WHERE {held}",
            values,
        )
        db.execute(
            "UPDATE downloads SET status = iif(status = 'stopping', 'stopped', 'queued'), "
            "owner = NULL WHERE owner = ? AND status IN ('running', 'stopping')",
            (worker_id,),
        )
    return None if row is None else str(row["state"])
