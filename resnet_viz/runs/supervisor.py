"""Keeps training processes running, and takes back the runs of those that died. No torch.

Every page server has one, and so has the command line. Several at once get along: a place
for a worker is reserved in the store before the worker is started.
"""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

import resnet_viz
from resnet_viz.i18n import _
from resnet_viz.runs.lanes import available_cores
from resnet_viz.runs.reaper import Reaper, reap
from resnet_viz.runs.rows import WorkerInfo
from resnet_viz.runs.schema import StoreError
from resnet_viz.runs.store import RunStore

TICK_SECONDS = 0.2
BEAT_SECONDS = 2.0
WORKER_BYTES = 600_000_000  # resident memory of a worker with a small net
MAX_BACKOFF_SECONDS = 60.0
FORGIVING_SECONDS = 60.0  # without a failure, after which the next one is the first again
KEPT_LOGS = 20
DISMISS_SECONDS = 20.0

_log = logging.getLogger(__name__)


class Supervisor:
    """Starts workers, and notices when one has died.

    Args:
        device: what its workers train on: "auto", "cpu", "cuda" or "mps".
        cores: threads of all workers of a CPU together; None for every core.

    Attributes:
        error: why no worker can be started or the store cannot be used, for a person; or None.
    """

    def __init__(self, store: RunStore, *, device: str = "auto", cores: int | None = None) -> None:
        self.store = store
        self.device = device
        self.cores = cores or available_cores()
        self.error: str | None = None
        self.id = secrets.token_hex(4)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._reaper = Reaper(store)
        self._failures = 0
        self._not_before = 0.0
        self._beaten = 0.0
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Supervise in the background until `close`."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
            self._thread.start()
            atexit.register(self.close)

    def close(self) -> None:
        """Stop supervising and sign off. Workers go on with what they train."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()
        atexit.unregister(self.close)
        try:
            with self.store.database.write() as db:
                db.execute("DELETE FROM servers WHERE id = ?", (self.id,))
        except StoreError as error:
            _log.warning("%s", error)

    def dismiss(self) -> None:
        """Stop supervising, and end the workers started here as soon as they train nothing.

        They would end by themselves in a while; until then they hold memory of their device and
        the store's file.
        """
        self._closed.set()
        if self._thread is not None:
            self._thread.join()
        deadline = time.monotonic() + DISMISS_SECONDS
        while self._children and time.monotonic() < deadline:
            idle = {worker.id for worker in self.workers() if worker.state == "idle"}
            for worker_id in idle & self._children.keys():
                self._children[worker_id].terminate()
            time.sleep(TICK_SECONDS)
            self._bury_children()

    def _run(self) -> None:
        while not self._closed.is_set():
            self.tick()
            self._closed.wait(TICK_SECONDS)

    def tick(self) -> None:
        """One round; what goes wrong is kept in `error` and tried again in the next."""
        try:
            with self._lock:
                self._beat()
                self._bury_children()
                self._reaper.look()
                self.ensure_workers()
        except StoreError as error:
            self.error = str(error)
        except OSError as error:
            text = _("A training process cannot be started: {error}.")
            self.error = text.format(error=error)
            self._back_off()

    def _beat(self) -> None:
        if time.monotonic() - self._beaten < BEAT_SECONDS:
            return
        self._beaten = time.monotonic()
        with self.store.database.write() as db:
            db.execute("INSERT OR REPLACE INTO servers VALUES (?, ?)", (self.id, time.time()))
            db.execute("DELETE FROM servers WHERE heartbeat < ?", (time.time() - 3600,))

    def _bury_children(self) -> None:
        """Notice at once which of the workers started here have ended (and leave no zombies)."""
        for worker_id, child in list(self._children.items()):
            status = child.poll()
            if status is None:
                continue
            del self._children[worker_id]
            state = reap(self.store, worker_id)
            if state == "starting" or status == 1:
                tail = _tail(self._log_path(worker_id))
                text = _("A training process ended with status {status}: {tail}")
                self.error = text.format(status=status, tail=tail)
                self._back_off()

    def _back_off(self) -> None:
        self._failures += 1
        self._not_before = time.monotonic() + min(2.0**self._failures, MAX_BACKOFF_SECONDS)

    # --- starting ---

    def ensure_workers(self) -> None:
        """Start the workers that are missing, for this device and for whatever waits.

        Raises:
            StoreError: the store cannot be used.
            OSError: no process can be started.
        """
        if any(worker.state != "starting" for worker in self.workers()):
            self.error = None
        now = time.monotonic()
        if now > self._not_before + FORGIVING_SECONDS:
            self._failures = 0
        if now < self._not_before:
            return
        for device in {self.device, *self._waiting_targets()}:
            while self._reserve(device):
                pass

    def _waiting_targets(self) -> list[str]:
        with self.store.database.read() as db:
            found = db.execute("SELECT DISTINCT target FROM runs WHERE status = 'queued'")
            return [row["target"] for row in found]

    def _reserve(self, device: str) -> bool:
        """Start one more worker for `device` if there is a place for it."""
        chosen = self.store.setting("auto_device") if device == "auto" else device
        limit = self.cores if chosen == "cpu" else 1  # the first worker finds out what "auto" is
        worker_id = secrets.token_hex(4)
        with self.store.database.write() as db:
            present = db.execute(
                "SELECT count(*) FROM workers WHERE device IN (?, ?)", (device, chosen or device)
            ).fetchone()[0]
            if present >= limit or (present and available_bytes() < WORKER_BYTES):
                return False
            db.execute(
                "INSERT INTO workers (id, pid, device, started, heartbeat, state) "
                "VALUES (?, 0, ?, ?, ?, 'starting')",
                (worker_id, chosen or device, time.time(), time.time()),
            )
        try:
            self._children[worker_id] = self._spawn(worker_id, device)
        except OSError:
            reap(self.store, worker_id)
            raise
        return True

    def _spawn(self, worker_id: str, device: str) -> subprocess.Popen[bytes]:
        """A process of its own session: it outlives this one."""
        path = self._log_path(worker_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        for old in sorted(path.parent.glob("worker-*.log"), key=_age)[KEPT_LOGS:]:
            old.unlink(missing_ok=True)
        command = [sys.executable, "-m", "resnet_viz.runs.worker", "--id", worker_id]
        command += ["--home", str(self.store.home), "--device", device]
        command += ["--cores", str(self.cores)]
        package = str(Path(resnet_viz.__file__).parents[1])
        paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
        flags = ("CREATE_NEW_PROCESS_GROUP", "CREATE_NO_WINDOW")  # Windows
        with path.open("ab") as log:
            return subprocess.Popen(
                command,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                creationflags=sum(getattr(subprocess, flag, 0) for flag in flags),
            )

    def _log_path(self, worker_id: str) -> Path:
        return self.store.home / "logs" / f"worker-{worker_id}.log"

    def workers(self) -> list[WorkerInfo]:
        """The workers of this store, whoever started them."""
        return self._reaper.workers()


def available_bytes() -> int:
    """Memory that a new process can have."""
    return int(psutil.virtual_memory().available)


def _age(path: Path) -> float:
    try:
        return -path.stat().st_mtime
    except OSError:  # just removed by another supervisor
        return 0.0


def _tail(path: Path) -> str:
    """The last line of a log, or "" where there is none."""
    try:
        lines = path.read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""
