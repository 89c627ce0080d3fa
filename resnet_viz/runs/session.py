"""The runs that a worker trains together: a loop over `train_many` that writes what it yields.

Two threads share a session. The main one trains. The watcher looks every few hundredths of a
second whether somebody wants a run to end; it also writes records that wait for a long step.
Whoever takes a run out of `_active` is the one to end it.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Sequence

import torch

import resnet_viz
from resnet_viz.datasets.errors import DataError
from resnet_viz.i18n import _
from resnet_viz.nets.costs import Machine
from resnet_viz.nets.start_files import StartError
from resnet_viz.records import Profile, Record
from resnet_viz.runs.checkpoints import (
    clear_checkpoints,
    clear_if_deleted,
    clear_kept,
    read_checkpoint,
    write_checkpoint,
)
from resnet_viz.runs.keeping import Keeper
from resnet_viz.runs.queue import Claim, Queue
from resnet_viz.runs.schema import LostClaim, StoreError
from resnet_viz.training.checkpoint import Checkpoint, CheckpointError
from resnet_viz.training.loop import Chunk, make_training, train_many
from resnet_viz.training.training import Training

FLUSH_SECONDS = 0.2
FIRST_CHECKPOINT_SECONDS = 2.0  # the interval doubles from here
CHECKPOINT_SECONDS = 10.0  # to here
# How long a step may go on after a wish before the run ends without it.
PATIENCE_SECONDS = {"stop": 0.15, "pause": 10.0}
LINGER_SECONDS = 1.0  # that a step may still take before the process ends with it
VERSION = f"resnet_viz {resnet_viz.__version__}, torch {torch.__version__}"

_log = logging.getLogger(__name__)


class Session:
    """Claimed runs, from claim to end.

    Args:
        machine: the number format and memory layout for runs that begin.
        ending: whether the worker has to end; the runs then go back into the queue.
    """

    def __init__(
        self, queue: Queue, claims: Sequence[Claim], machine: Machine, ending: Callable[[], bool]
    ) -> None:
        self._queue = queue
        self._machine = machine
        self._ending = ending
        self._lock = threading.RLock()
        self._active = {claim.run_id: claim for claim in claims}
        self._outbox: dict[int, list[Record | Profile]] = {}
        self._outbox_since = 0.0
        self._wishes: dict[int, tuple[str, float]] = {}  # run -> wish, when it was first seen
        self._closing = 0  # runs that the main thread is just ending
        self._stopped: list[tuple[Claim, Training]] = []  # whose checkpoints are to be written
        self._revoked: float | None = None  # when the last run was ended over the main thread
        self._trouble: StoreError | None = None
        self._checkpoint_due: dict[int, tuple[float, float]] = {}  # run -> when, interval
        self._keeper = Keeper(queue)

    # --- main thread ---

    def train(self) -> None:
        """Train until every run has ended.

        Raises:
            StoreError: the store cannot be written. What could not be marked as failed still
                counts as running until somebody notices that this worker has ended.
        """
        claims, trainings = [], []
        try:
            for claim in list(self._active.values()):
                training = self._prepare(claim)
                if training is not None:
                    claims.append(claim)
                    trainings.append(training)
            for chunk in train_many(trainings, should_stop=lambda i: self._unwanted(claims[i])):
                self._take(claims[chunk.index], trainings[chunk.index], chunk)
                if self._trouble:
                    raise self._trouble
            self._save_stopped()
        except StoreError as error:
            self._abandon(str(error))
            raise

    def _unwanted(self, claim: Claim) -> bool:
        return (
            claim.run_id in self._wishes
            or claim.run_id not in self._active
            or self._ending()
            or self._trouble is not None
        )

    def _prepare(self, claim: Claim) -> Training | None:
        """The run's training, at its checkpoint; None if it is not to be or cannot be trained."""
        if claim.run_id not in self._active:
            return None
        try:
            training = make_training(
                claim.spec,
                device=self._queue.device,
                threads=claim.threads,
                machine=self._machine,
                checkpoint=self._load_checkpoint(claim),
                probe_every=claim.probe_every,
            )
        except (DataError, StartError) as error:
            self._refuse(claim, str(error))
            return None
        except CheckpointError as error:
            text = _("Its checkpoint cannot be used: {error}. When resumed, the run starts again.")
            self._refuse(claim, text.format(error=error), forget=True)
            return None
        except StoreError:
            raise
        except Exception:  # noqa: BLE001 - whatever it was, the other runs can go on
            self._refuse(claim, traceback.format_exc())
            return None
        self._checkpoint_due[claim.run_id] = (
            time.monotonic() + FIRST_CHECKPOINT_SECONDS,
            FIRST_CHECKPOINT_SECONDS,
        )
        try:
            notes = "\n".join(training.data.notes)
            self._queue.begin(claim, dtype=training.dtype, version=VERSION, notes=notes)
        except LostClaim:
            self._drop(claim)
            return None
        self._keeper.look(claim, training)
        return training

    def _load_checkpoint(self, claim: Claim) -> Checkpoint | None:
        """The newest one; files of earlier claims that were never recorded go."""
        store, step = self._queue.store, claim.checkpoint_step
        clear_checkpoints(store, claim.run_id, but=step)
        clear_kept(store, claim.run_id)
        return None if step is None else read_checkpoint(store, claim.run_id, step)

    def _refuse(self, claim: Claim, error: str, *, forget: bool = False) -> None:
        """End a run that cannot be trained, if nobody else has ended it."""
        if self._drop(claim):
            self._fail(claim, error, forget=forget)

    def _fail(self, claim: Claim, error: str, *, forget: bool = False) -> None:
        try:
            if forget:
                self._queue.forget_checkpoint(claim)
            self._queue.finish(claim, "failed", error)
        except LostClaim:
            _log.info("run %d was taken away", claim.run_id)

    def _take(self, claim: Claim, training: Training, chunk: Chunk) -> None:
        """Keep what a training says after its turn; end the run if that was its last one."""
        self._revoked = None  # this thread is back from its step
        self._put(claim, chunk.records)
        if chunk.status == "running":
            self._keeper.look(claim, training)
            self._save_stopped()
            self._flush_if_due()
            self._keeper.write_if_due()
            due, interval = self._checkpoint_due[claim.run_id]
            if time.monotonic() >= due and claim.run_id in self._active:
                self._save(claim, training)
                interval = min(2 * interval, CHECKPOINT_SECONDS)
                self._checkpoint_due[claim.run_id] = time.monotonic() + interval, interval
            return
        with self._lock:
            self.flush()
            if not self._drop(claim):
                return
            self._closing += 1
        try:
            self._end(claim, training, chunk)
        except LostClaim:
            _log.info("run %d was taken away", claim.run_id)
        except StoreError as error:
            self._fail(claim, str(error))
            raise
        finally:
            self._closing -= 1

    def _end(self, claim: Claim, training: Training, chunk: Chunk) -> None:
        status, error = chunk.status, chunk.error
        if status == "stopped":
            if self._trouble:
                status, error = "failed", str(self._trouble)
            elif claim.run_id not in self._wishes:
                status = "queued"  # the worker has to end
            elif self._wishes[claim.run_id][0] == "pause":
                status = "paused"
        if status in ("done", "paused", "queued"):
            self._save(claim, training)
        elif status != "stopped":
            self._keeper.write()
        self._queue.finish(claim, status, error)
        if status == "stopped":  # a person waits for the word, not for the file
            self._stopped.append((claim, training))

    def _save_stopped(self) -> None:
        """Write the checkpoints of the runs that have just been stopped."""
        for claim, training in self._stopped:
            self._save(claim, training)
        self._stopped = []

    def _save(self, claim: Claim, training: Training) -> None:
        """Write a checkpoint: first the file, then every record up to it, then the note of it.

        What is to be kept of earlier steps comes before: a resume does not pass there again.
        """
        self._keeper.write()
        store, checkpoint = self._queue.store, training.checkpoint()
        size_bytes = write_checkpoint(store, claim.run_id, checkpoint)
        self.flush()
        try:
            self._queue.record_checkpoint(claim, checkpoint.step, size_bytes)
        except LostClaim:
            clear_if_deleted(store, claim.run_id)  # a new owner clears up by itself
            self._drop(claim)
        else:
            clear_checkpoints(store, claim.run_id, but=checkpoint.step)

    def _abandon(self, error: str) -> None:
        """Mark what is left as failed, if the store still takes that."""
        for claim in list(self._active.values()):
            self._refuse(claim, error)

    # --- both threads ---

    def _drop(self, claim: Claim) -> bool:
        """Take a run out; True for the one who did, and who ends it."""
        with self._lock:
            self._outbox.pop(claim.run_id, None)
            return self._active.pop(claim.run_id, None) is not None

    def _put(self, claim: Claim, records: Sequence[Record | Profile]) -> None:
        with self._lock:
            if records and claim.run_id in self._active:
                if not self._outbox:
                    self._outbox_since = time.monotonic()
                self._outbox.setdefault(claim.run_id, []).extend(records)

    def _flush_if_due(self) -> None:
        if self._outbox and time.monotonic() - self._outbox_since >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write the records that wait; runs that are somebody else's by now are dropped."""
        with self._lock:
            if not self._outbox:
                return
            batches = [(self._active[run_id], found) for run_id, found in self._outbox.items()]
            try:
                self._queue.append(batches)
            except LostClaim as lost:
                for run_id in lost.run_ids:
                    self._active.pop(run_id, None)
            self._outbox = {}

    # --- watcher thread ---

    def watch(self) -> bool:
        """Look for wishes, and end the runs whose step has kept a person waiting too long.

        Returns:
            Whether nothing is left to train while the main thread goes on sitting in a step: the
            process is then to end.
        """
        try:
            return self._watch()
        except StoreError as error:
            self._trouble = error  # the main thread ends the session
            return False

    def _watch(self) -> bool:
        with self._lock:
            self._flush_if_due()
            claims = list(self._active.values())
        found, now, ended = self._queue.wishes(claims), time.monotonic(), False
        for claim in claims:
            wish = found.get(claim.run_id)
            if wish == "lost":
                self._drop(claim)
            elif wish is not None:
                known, since = self._wishes.get(claim.run_id, ("", now))
                self._wishes[claim.run_id] = (wish, since if known == wish else now)
                if now - self._wishes[claim.run_id][1] > PATIENCE_SECONDS[wish]:
                    ended |= self._revoke(claim, wish)
        with self._lock:
            if ended:
                self._revoked = now
            busy = self._active or self._closing or self._stopped
            return self._revoked is not None and now - self._revoked > LINGER_SECONDS and not busy

    def _revoke(self, claim: Claim, wish: str) -> bool:
        """End a run at what it has stored; False if the main thread just ended it itself."""
        with self._lock:
            self.flush()
            if not self._drop(claim):
                return False
            try:
                self._queue.revoke(claim, "stopped" if wish == "stop" else "paused")
            except LostClaim:
                _log.info("run %d was taken away", claim.run_id)
            return True
