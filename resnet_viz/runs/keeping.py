"""The nets that runs keep along the way, from the snapshot to the file."""

from __future__ import annotations

import time

from resnet_viz.runs.checkpoints import clear_if_deleted, write_kept
from resnet_viz.runs.queue import Claim, Queue
from resnet_viz.runs.schema import LostClaim
from resnet_viz.training.checkpoint import Checkpoint
from resnet_viz.training.schedule import kept_steps
from resnet_viz.training.training import Training

WAIT_SECONDS = 1.0  # of a snapshot for its file: the first points of a run come first


class Keeper:
    """Snapshots of the runs of one session. Only the thread that trains uses it."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._waiting: list[tuple[Claim, Checkpoint]] = []
        self._since = 0.0

    def look(self, claim: Claim, training: Training) -> None:
        """Take a snapshot at the steps to keep; the last step's is the newest checkpoint."""
        if training.step in kept_steps(claim.spec.train.steps) and not training.finished:
            if not self._waiting:
                self._since = time.monotonic()
            self._waiting.append((claim, training.snapshot()))

    def write_if_due(self) -> None:
        """Write the snapshots if one has waited long enough."""
        if self._waiting and time.monotonic() - self._since >= WAIT_SECONDS:
            self.write()

    def write(self) -> None:
        """Write the snapshots: first the file, then the note of it.

        A run that is somebody else's by now keeps what that one writes.

        Raises:
            StoreError: a file or the store cannot be written.
        """
        waiting, self._waiting = self._waiting, []
        for claim, snapshot in waiting:
            size_bytes = write_kept(self._queue.store, claim.run_id, snapshot)
            try:
                self._queue.record_kept(claim, snapshot.step, size_bytes)
            except LostClaim:
                clear_if_deleted(self._queue.store, claim.run_id)
