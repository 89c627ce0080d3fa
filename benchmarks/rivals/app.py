"""Ourselves as a person has us: a sweep in a store, trained by the program's own processes.

With store, checkpoints and probes at their defaults; what is missing is a browser that watches
(`benchmarks.page` measures that). The data folder is `RESNET_VIZ_HOME`, and a scratch one.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import psutil

from resnet_viz.datasets.load import load
from resnet_viz.nets.costs import Machine
from resnet_viz.records import ACTIVE
from resnet_viz.runs.lanes import available_cores
from resnet_viz.runs.reaper import Reaper
from resnet_viz.runs.store import RunStore
from resnet_viz.runs.supervisor import Supervisor
from resnet_viz.runs.worker import MEASURED_WITH
from resnet_viz.specs import RunSpec
from resnet_viz.sweeps import SweepSpec
from resnet_viz.training.schedule import evaluation_interval, log_interval

LOOK_SECONDS = 0.02  # between two looks at the store, which take some 50 µs each
SETTLE_SECONDS = 3.0  # an idle worker's last act is a small step that loads what the next needs
SILENT_SECONDS = 120.0


class App:
    """Workers that wait, and a store to put sweeps into.

    Args:
        runs: of the sweep. Its evaluations must come later than the steps of a turn.
        machine: as measured before, so that nobody measures again.
    """

    def __init__(self, runs: Sequence[RunSpec], device: str, machine: dict[str, Any]) -> None:
        self._runs, self._device = list(runs), device
        self._store = RunStore()
        self._machine = Machine.from_dict(machine)
        self._store.set_machine(self._machine, measured_with=MEASURED_WITH)
        self._supervisor = Supervisor(self._store, device=device)

    def prepare(self) -> dict[str, Any]:
        """Start the workers and wait until every one has nothing to do."""
        self._supervisor.start()
        count = available_cores() if self._device == "cpu" else 1
        self._wait(lambda: self._idle_workers() >= count)
        time.sleep(SETTLE_SECONDS)
        return {"workers": count}

    def train(self, steps: int) -> dict[str, Any]:
        """Seconds from the step at which every net trains to `steps` later; then the sweep stops.

        Both ends are read in the store, where a step stands within a fifth of a second.
        """
        every = log_interval(self._runs[0].train)
        first = every * -(-10 // every)
        last = first + every * max(1, round(steps / every))
        last = min(last, self._first_evaluation() - every)
        sweep_id = self._create(self._runs)
        self._wait(lambda: self._step(sweep_id) >= first)
        start, begun = time.perf_counter(), self._step(sweep_id)
        self._wait(lambda: self._step(sweep_id) >= last)
        seconds, taken = time.perf_counter() - start, self._step(sweep_id) - begun
        self._store.request_stop([run.id for run in self._store.runs(sweep_id)])
        self._wait_until_over(sweep_id)
        return {"seconds": seconds * steps / taken, "measured": [seconds, taken]}

    def train_whole(self, steps: int) -> dict[str, Any]:
        """Seconds of a whole sweep of `steps` steps, from the click to the last "done"."""
        start = time.perf_counter()
        runs = [replace(run, train=replace(run.train, steps=steps)) for run in self._runs]
        sweep_id = self._create(runs)
        self._wait(lambda: not self._active(sweep_id))
        seconds = time.perf_counter() - start
        self._wait_until_over(sweep_id)
        trained = [run.seconds for run in self._store.runs(sweep_id)]
        return {"seconds": seconds, "training_seconds": trained}

    def _first_evaluation(self) -> int:
        """The step before which nothing but training and probes takes time."""
        data = load(self._runs[0].data)
        held_out = len(data.val_labels) + len(data.test_labels)
        return evaluation_interval(self._runs[0].train, held_out)

    def _create(self, runs: list[RunSpec]) -> str:
        nets = [run.net for run in runs]
        spec = SweepSpec(
            families=tuple(dict.fromkeys(net.family for net in nets)),
            depths=tuple(dict.fromkeys(net.depth for net in nets)),
            data=runs[0].data,
            train=runs[0].train,
            given=tuple(runs),
        )
        return self._store.create_sweep(
            spec, name="benchmark", device=self._device, machine=self._machine
        )

    def _step(self, sweep_id: str) -> int:
        """Of the net that is furthest behind."""
        with self._store.database.read() as db:
            query = "SELECT min(step) FROM runs WHERE sweep_id = ?"
            return int(db.execute(query, (sweep_id,)).fetchone()[0])

    def _active(self, sweep_id: str) -> bool:
        with self._store.database.read() as db:
            marks = ", ".join("?" * len(ACTIVE))
            query = f"SELECT count(*) FROM runs WHERE sweep_id = ? AND status IN ({marks})"
            return bool(db.execute(query, (sweep_id, *ACTIVE)).fetchone()[0])

    def _wait_until_over(self, sweep_id: str) -> None:
        """Wait for the last checkpoints, and refuse a sweep of which a net failed."""
        self._wait(lambda: not self._active(sweep_id))
        failed = [run for run in self._store.runs(sweep_id) if run.error]
        if failed:
            raise RuntimeError(f"{failed[0].spec.net.name}: {failed[0].error}")
        count = available_cores() if self._device == "cpu" else 1
        self._wait(lambda: self._idle_workers() >= count)
        self._store.delete_sweep(sweep_id)

    def _idle_workers(self) -> int:
        return sum(worker.state == "idle" for worker in Reaper(self._store).workers())

    def _wait(self, what: Callable[[], bool]) -> None:
        """Return once it holds.

        Raises:
            RuntimeError: it does not, or no worker can be started.
        """
        deadline = time.monotonic() + SILENT_SECONDS
        while not what():
            if self._supervisor.error:
                raise RuntimeError(self._supervisor.error)
            if time.monotonic() > deadline:
                raise RuntimeError(f"nothing happened for {SILENT_SECONDS:.0f} seconds")
            time.sleep(LOOK_SECONDS)

    def close(self) -> None:
        """End the workers, which would outlive this process."""
        self._supervisor.close()
        for worker in Reaper(self._store).workers():
            with suppress(psutil.NoSuchProcess):
                if worker.pid and worker.id in psutil.Process(worker.pid).cmdline():
                    os.kill(worker.pid, signal.SIGTERM)
