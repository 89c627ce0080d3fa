"""Real worker processes under a real supervisor: kill -9, stop, pause, resume, signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import torch

from resnet_viz.nets.costs import Machine
from resnet_viz.records import RunInfo
from resnet_viz.runs import worker as worker_module
from resnet_viz.runs.rows import WorkerInfo
from resnet_viz.runs.store import RunStore
from resnet_viz.runs.supervisor import Supervisor
from resnet_viz.specs import DataSpec, TrainSpec
from resnet_viz.sweeps import SweepSpec
from tests.runs.making import tiny_sweep
from tests.runs.test_session import MACHINE, assert_same, expected_history

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 120.0  # of a test that hangs; no promise about speed
SERVER = """
import sys, time
from pathlib import Path
from resnet_viz.runs.store import RunStore
from resnet_viz.runs.supervisor import Supervisor
Supervisor(RunStore(Path(sys.argv[1])), device="cpu", cores=1).start()
print("started", flush=True)
time.sleep(600)
"""


def wait_for(what: Callable[[], object]) -> None:
    """Return as soon as `what` holds."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not what():
        assert time.monotonic() < deadline, "this never came"
        time.sleep(0.02)


class House:
    """A store with one CPU worker, whose machine is not measured but the tests' own."""

    def __init__(self, store: RunStore) -> None:
        self.store = store
        store.set_machine(MACHINE, measured_with=worker_module.MEASURED_WITH)
        self.supervisor = Supervisor(store, device="cpu", cores=1)

    def train(self, spec: SweepSpec) -> str:
        return self.store.create_sweep(spec, name="s", device="cpu", cores=1)

    def runs(self) -> list[RunInfo]:
        return self.store.runs()

    def statuses(self) -> set[str]:
        return {run.status for run in self.runs()}

    def worker(self) -> WorkerInfo:
        """The worker, once there is one that trains."""
        found: list[WorkerInfo] = []

        def look() -> bool:
            found[:] = [w for w in self.supervisor.workers() if w.state == "training"]
            return bool(found)

        wait_for(look)
        return found[0]

    def wait_for_step(self, step: int) -> None:
        wait_for(lambda: all(run.step >= step for run in self.runs()))

    def assert_done_as_if_uninterrupted(self) -> None:
        wait_for(lambda: self.statuses() == {"done"})
        for run in self.runs():
            assert_same(self.store.history(run.id), expected_history(run.spec))


@pytest.fixture
def house(store: RunStore) -> Iterator[House]:
    torch.set_num_threads(1)
    house = House(store)
    yield house
    house.supervisor.close()
    for worker in house.supervisor.workers():
        if worker.pid and psutil.pid_exists(worker.pid):
            os.kill(worker.pid, signal.SIGKILL)


def test_a_killed_worker_loses_nothing_that_was_checkpointed(house: House) -> None:
    house.supervisor.start()
    house.train(tiny_sweep(800, families=("plain", "resnet")))
    wait_for(lambda: all(run.checkpoint_step for run in house.runs()))
    house.wait_for_step(1 + max(run.checkpoint_step or 0 for run in house.runs()))
    first = house.worker()
    os.kill(first.pid, signal.SIGKILL)
    wait_for(lambda: all(run.epoch == 2 for run in house.runs()))
    assert all(run.checkpoint_step and run.step < 800 for run in house.runs())
    assert house.worker().id != first.id
    house.assert_done_as_if_uninterrupted()


def test_a_killed_server_does_not_stop_its_workers_and_the_next_one_finds_them(
    house: House,
) -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(house.store.home)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    assert server.stdout.readline() == "started\n"
    house.train(tiny_sweep(400))
    house.wait_for_step(1)
    server.kill()
    server.wait()
    step = house.runs()[0].step
    house.wait_for_step(step + 50)
    worker = house.worker()
    house.supervisor.start()
    house.assert_done_as_if_uninterrupted()
    assert [w.id for w in house.supervisor.workers()] == [worker.id]
    assert house.runs()[0].epoch == 1


def test_a_terminated_worker_hands_its_runs_back_at_the_step_they_have_reached(
    house: House,
) -> None:
    house.supervisor.start()
    house.train(tiny_sweep(400))
    house.wait_for_step(20)
    os.kill(house.worker().pid, signal.SIGTERM)
    wait_for(lambda: house.runs()[0].epoch == 2)
    assert house.runs()[0].checkpoint_step is not None
    house.assert_done_as_if_uninterrupted()


def test_pause_and_resume_through_the_store(house: House) -> None:
    house.supervisor.start()
    sweep_id = house.train(tiny_sweep(400))
    house.wait_for_step(20)
    (run,) = house.runs()
    house.store.request_pause([run.id])
    wait_for(lambda: house.statuses() == {"paused"})
    (run,) = house.runs()
    assert run.checkpoint_step == run.step
    house.store.resume([run.id])
    house.assert_done_as_if_uninterrupted()
    house.store.delete_sweep(sweep_id)
    assert not house.store.checkpoint_folder(run.id).exists()


def test_a_step_of_seconds_does_not_keep_a_person_waiting(house: House) -> None:
    stubborn = SweepSpec(
        families=("resnet",),
        depths=(32,),
        data=DataSpec("digits", image_size=32),
        train=TrainSpec(steps=10, batch_size=2048),
        width=8,
    )
    house.supervisor.start()
    house.train(stubborn)
    worker = house.worker()
    wait_for(lambda: house.runs()[0].dtype)  # it is about to take its first step
    (run,) = house.runs()
    house.store.request_stop([run.id])
    wait_for(lambda: house.statuses() == {"stopped"})
    assert house.runs()[0].step < 10
    wait_for(lambda: worker.id not in [w.id for w in house.supervisor.workers()])
    house.train(tiny_sweep(40))  # the next worker is ready for work
    wait_for(lambda: house.runs()[1].status == "done")


def test_what_waits_for_a_device_that_is_not_there_fails_with_the_reason(house: House) -> None:
    if torch.backends.mps.is_available():
        pytest.skip("this computer has that device")
    house.supervisor.start()
    house.store.create_sweep(tiny_sweep(), name="s", device="mps")
    wait_for(lambda: house.statuses() == {"failed"})
    assert "mps" in (house.runs()[0].error or "")


def test_two_supervisors_do_not_double_the_workers(house: House) -> None:
    other = Supervisor(house.store, device="cpu", cores=1)
    for _ in range(3):
        house.supervisor.tick()
        other.tick()
    assert len(house.supervisor.workers()) == 1
    house.supervisor.start()  # buries the worker if it was the one that started it
    other.close()


def test_a_worker_that_cannot_start_is_said_and_not_started_over_and_over(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(house.store.home / "no-python"))
    for _ in range(5):
        house.supervisor.tick()
    assert "no-python" in (house.supervisor.error or "")
    assert house.supervisor.workers() == []


def test_an_idle_worker_ends_without_a_server_and_without_work(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "IDLE_SECONDS", 0.0)
    store.set_machine(
        Machine.from_dict(MACHINE.to_dict()), measured_with=worker_module.MEASURED_WITH
    )
    store.create_sweep(tiny_sweep(), name="s", device="cpu", cores=1)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        worker_module.Worker("w", "cpu", 1).run()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert store.runs()[0].status == "done"
    with store.database.read() as db:
        assert db.execute("SELECT count(*) FROM workers").fetchone()[0] == 0
