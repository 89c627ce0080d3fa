"""The training process: `python -m resnet_viz.runs.worker --home FOLDER --device cpu`.

Supervisors start it before it is needed. It outlives them, and ends by itself when there has
been neither a server nor work for a while.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import secrets
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType

import torch

from resnet_viz.nets.costs import Machine
from resnet_viz.runs.downloads import claim_download, download
from resnet_viz.runs.lanes import available_cores
from resnet_viz.runs.queue import Queue, refuse_waiting
from resnet_viz.runs.schema import StoreError
from resnet_viz.runs.session import Session
from resnet_viz.runs.store import RunStore
from resnet_viz.specs import DataSpec, NetSpec, RunSpec, TrainSpec
from resnet_viz.training.loop import make_training
from resnet_viz.training.machine import measure_machine, resolve_device

POLL_SECONDS = 0.1  # of an idle worker
WATCH_SECONDS = 0.05  # of a training one
BEAT_SECONDS = 1.0
IDLE_SECONDS = 15.0  # without a server and without work
SERVER_SECONDS = 30.0  # a server that has been silent for so long is none
LOG_BYTES = 1 << 20
NICENESS = 19  # a click on the page comes first
MEASURED_WITH = f"torch {torch.__version__} on {platform.node()}"

_log = logging.getLogger(__name__)


class Worker:
    """One process that trains what it finds in the queue.

    Args:
        worker_id: its name in the store, which a supervisor may have reserved.
        device: "auto", "cpu", "cuda" or "mps".
        cores: how many threads all workers of a CPU may use together; None for every core.
    """

    def __init__(self, worker_id: str, device: str, cores: int | None) -> None:
        torch.set_num_threads(1)
        self.store = RunStore()
        auto = resolve_device("auto")
        if self.store.setting("auto_device") != auto:
            self.store.set_setting("auto_device", auto)
        try:
            self.device = resolve_device(device)
        except ValueError as error:
            refuse_waiting(self.store, device, str(error))
            raise
        targets = ("auto", self.device) if self.device == auto else (self.device,)
        self.queue = Queue(self.store, worker_id, self.device, targets, cores or available_cores())
        self._machine: Machine | None = None
        self._state, self._threads = "idle", 0
        self._state_lock = threading.Lock()  # what a heartbeat says is what the store shall hold
        self._session: Session | None = None
        self._ending = threading.Event()
        self._ended = threading.Event()

    def run(self) -> None:
        """Work until there is nothing left to wait for, or until a signal says so."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        self._enter("idle")
        watcher = threading.Thread(target=self._watch, name="watcher", daemon=True)
        watcher.start()
        self._wait_for_work()
        self._ended.set()
        watcher.join()  # or it might sign on again
        self.queue.leave()

    def _wait_for_work(self) -> None:
        warm, idle_since = False, time.monotonic()
        while not self._ending.is_set():
            if self._measure() or self._train() or self._download():
                idle_since = time.monotonic()
            elif self._machine and not warm:
                self._warm_up(self._machine)
                warm = True
            elif time.monotonic() - idle_since > IDLE_SECONDS and self._is_alone():
                return
            else:
                self._ending.wait(POLL_SECONDS)

    def _end(self, _signal: int, _frame: FrameType | None) -> None:
        self._ending.set()

    def _enter(self, state: str, threads: int = 0) -> None:
        with self._state_lock:
            self._state, self._threads = state, threads
            self.queue.beat(state, threads)

    # --- jobs ---

    def _measure(self) -> bool:
        """Measure this device once for all workers; one measures while the others wait for it."""
        if self._machine is None:
            self._machine = self.store.machine(self.device, measured_with=MEASURED_WITH)
        if self._machine is not None:
            return False
        with self._state_lock:
            if not self.queue.take_turn("measuring"):
                return False
            self._state = "measuring"
        self.store.set_machine(measure_machine(self.device), measured_with=MEASURED_WITH)
        self._enter("idle")
        return True

    def _train(self) -> bool:
        """Train a lane, if one waits; False if there was nothing to do."""
        if self._machine is None:
            return False
        with self._state_lock:
            claims = self.queue.claim()
            if not claims:
                return False
            self._state, self._threads = "training", claims[0].threads
        self._session = Session(self.queue, claims, self._machine, self._ending.is_set)
        try:
            self._session.train()
        finally:
            self._session = None
        self._enter("idle")
        return True

    def _download(self) -> bool:
        """Download data or weights, if any are asked for; False if there was nothing to do."""
        job = claim_download(self.store, self.queue.worker_id, download)
        if job is None:
            return False
        self._enter("downloading")
        job.run(self._ending.is_set)
        self._enter("idle")
        return True

    def _warm_up(self, machine: Machine) -> None:
        """Take one small step, so that the next start finds libraries and digits loaded."""
        net, data = NetSpec("resnet", 8, width=8), DataSpec("digits", image_size=16)
        spec = RunSpec(net, data, TrainSpec(steps=2))
        make_training(spec, device=self.device, threads=1, machine=machine).advance()

    def _is_alone(self) -> bool:
        """Whether there is no server and nothing waits."""
        since = time.time() - SERVER_SECONDS
        with self.store.database.read() as db:
            server = db.execute("SELECT 1 FROM servers WHERE heartbeat > ?", (since,)).fetchone()
        return server is None and not self.queue.waiting()

    # --- watcher thread ---

    def _watch(self) -> None:
        """Heartbeat, wishes, and an end to a step that nobody wants any more."""
        beaten = 0.0
        while not self._ended.wait(WATCH_SECONDS):
            try:
                if time.monotonic() - beaten >= BEAT_SECONDS:
                    beaten = time.monotonic()
                    with self._state_lock:
                        self.queue.beat(self._state, self._threads)
                    trim_log()
                session = self._session
                if session is not None and session.watch():
                    self.queue.leave()
                    os._exit(0)
            except StoreError as error:  # the main thread meets it, too
                _log.warning("%s", error)


def trim_log() -> None:
    """Empty this process's log file once it is long; it is opened for appending."""
    try:
        if os.fstat(sys.stderr.fileno()).st_size > LOG_BYTES:
            os.ftruncate(sys.stderr.fileno(), 0)
    except (OSError, ValueError):  # a terminal, or nothing
        return


def main() -> int:
    """Run a worker; the exit status is 1 if the store or the device cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m resnet_viz.runs.worker")
    parser.add_argument("--home", type=Path, required=True, help="the data folder")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--cores", type=int, help="threads of all workers together")
    parser.add_argument("--id", default=secrets.token_hex(4), help="its name in the store")
    options = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    os.environ["RESNET_VIZ_HOME"] = str(options.home.resolve())  # where the data sets are, too
    try:
        Worker(options.id, options.device, options.cores).run()
    except (StoreError, ValueError) as error:
        _log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
