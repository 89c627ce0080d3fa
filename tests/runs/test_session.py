"""A worker's session, in this process: what it stores is what the training says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch

from resnet_viz.nets.costs import Machine
from resnet_viz.records import History, Profile, Record
from resnet_viz.runs import session as session_module
from resnet_viz.runs.archive import export_sweep, import_archive
from resnet_viz.runs.queue import Claim, Queue
from resnet_viz.runs.schema import DiskFullError, StoreError
from resnet_viz.runs.session import Session
from resnet_viz.runs.store import RunStore
from resnet_viz.specs import RunSpec
from resnet_viz.training.checkpoint import Checkpoint
from resnet_viz.training.training import Training
from tests.runs.making import make_queue, tiny_sweep
from tests.runs.test_trouble import limit_size

MACHINE = Machine("cpu", "float32", True, 1e-4, 1e-9, 1e-11, 500_000_000)
REPEATED = ("running_error", "running_loss", "lr", "train_error", "test_error")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def expected_history(spec: RunSpec) -> History:
    """The same training without store, queue or session."""
    training = Training(spec, device="cpu", threads=1, machine=MACHINE, probe_every=0)
    history = History()
    while not training.finished:
        history.extend(training.advance())
    return history


def expected_profiles(spec: RunSpec, probe_every: int) -> list[Profile]:
    """What the same training without store, queue or session says layer by layer."""
    training = Training(spec, device="cpu", threads=1, machine=MACHINE, probe_every=probe_every)
    found = []
    while not training.finished:
        found += [r for r in training.advance() if isinstance(r, Profile)]
    return found


def profiles(store: RunStore, run_id: int) -> list[Profile]:
    return [profile for _run, profile in store.profiles_since([run_id])[0]]


def assert_same(found: History, expected: History) -> None:
    """Equal in every bit, but for the speeds."""
    for column in REPEATED:
        assert found.steps[column] == expected.steps[column]
        assert found.values[column] == expected.values[column]


def start(
    store: RunStore, steps: int = 40, probe_every: int = 10, **shape: object
) -> tuple[Queue, list[Claim]]:
    store.create_sweep(
        tiny_sweep(steps, **shape),  # type: ignore[arg-type]
        name="s",
        device="cpu",
        cores=1,
        probe_every=probe_every,
    )
    queue = make_queue(store)
    return queue, queue.claim()


def train(
    queue: Queue, claims: Sequence[Claim], ending: Callable[[], bool] = lambda: False
) -> Session:
    session = Session(queue, claims, MACHINE, ending)
    session.train()
    return session


def train_watched(queue: Queue, claims: Sequence[Claim], act: Callable[[], None]) -> None:
    """Train with a watcher beside; `act` is called once half a dozen steps are stored."""
    session, over = Session(queue, claims, MACHINE, lambda: False), threading.Event()

    def watch() -> None:
        acted = False
        while not over.is_set():
            if not acted and queue.store.runs()[0].step >= 6:
                act()
                acted = True
            session.watch()
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        session.train()
    finally:
        over.set()
        watcher.join()


@pytest.fixture
def _written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "FLUSH_SECONDS", 0.0)


def test_what_is_stored_is_what_the_training_says(store: RunStore) -> None:
    queue, claims = start(store, depths=(8, 14), families=("plain", "resnet"))
    train(queue, claims)
    for run in store.runs():
        assert (run.status, run.step, run.dtype, run.checkpoint_step) == ("done", 40, "float32", 40)
        assert_same(store.history(run.id), expected_history(run.spec))
        assert profiles(store, run.id) == expected_profiles(run.spec, 10)
        assert run.test_error == store.history(run.id).last("test_error")
        folder = store.checkpoint_folder(run.id)
        assert [path.name for path in folder.glob("*.*")] == ["40.safetensors"]


@pytest.mark.usefixtures("_written_at_once")
@pytest.mark.parametrize("wish", ["stop", "pause"])
def test_a_run_that_was_stopped_or_paused_goes_on_as_if_it_had_not(
    store: RunStore, wish: str
) -> None:
    queue, claims = start(store, steps=150, probe_every=4)
    (run_id,) = (claim.run_id for claim in claims)
    ask, expected = {
        "stop": (store.request_stop, "stopped"),
        "pause": (store.request_pause, "paused"),
    }[wish]
    train_watched(queue, claims, lambda: ask([run_id]))
    (run,) = store.runs()
    assert (run.status, run.wish) == (expected, None)
    assert 6 <= run.step < 150
    assert run.checkpoint_step == run.step  # nothing that was computed is lost
    store.resume([run_id])
    train(queue, queue.claim())
    (run,) = store.runs()
    assert run.status == "done"
    assert_same(store.history(run_id), expected_history(run.spec))
    assert profiles(store, run_id) == expected_profiles(run.spec, 4)


def test_a_run_can_be_stopped_before_its_first_step(store: RunStore) -> None:
    queue, claims = start(store)
    store.request_stop([claims[0].run_id])
    session = Session(queue, claims, MACHINE, lambda: False)
    session.watch()
    session.train()
    (run,) = store.runs()
    assert (run.status, run.step) == ("stopped", 0)
    store.resume([run.id])
    train(queue, queue.claim())
    assert_same(store.history(run.id), expected_history(run.spec))


@pytest.mark.parametrize("name", ["1.safetensors", "40.safetensors"])
def test_a_sweep_that_is_deleted_while_its_checkpoint_is_written_leaves_nothing(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    queue, claims = start(store)
    save = Checkpoint.save

    def save_and_delete(checkpoint: Checkpoint, path: Path) -> None:
        save(checkpoint, path)
        if path.name == name:
            queue.finish(claims[0], "stopped")
            store.delete_sweep(store.sweeps()[0].id)
            save(checkpoint, path)  # as if the file had come a moment later

    monkeypatch.setattr(Checkpoint, "save", save_and_delete)
    train(queue, claims)
    assert store.runs() == []
    assert list((store.home / "checkpoints").iterdir()) == []


@pytest.mark.usefixtures("_written_at_once")
def test_one_net_can_be_stopped_while_the_others_go_on(store: RunStore) -> None:
    queue, claims = start(store, steps=100, depths=(8, 14))
    train_watched(queue, claims, lambda: store.request_stop([claims[0].run_id]))
    assert [run.status for run in store.runs()] == ["stopped", "done"]


def test_a_worker_that_has_to_end_hands_its_runs_back(store: RunStore) -> None:
    queue, claims = start(store, steps=150)
    steps_left = iter(range(50))
    train(queue, claims, ending=lambda: next(steps_left, None) is None)
    (run,) = store.runs()
    assert run.status == "queued"
    assert run.checkpoint_step == run.step == 50
    train(queue, queue.claim())
    assert_same(store.history(run.id), expected_history(run.spec))


def test_a_step_that_takes_too_long_does_not_keep_a_person_waiting(store: RunStore) -> None:
    queue, claims = start(store, steps=150)
    inside, let_go = threading.Event(), threading.Event()
    session = Session(queue, claims, MACHINE, lambda: False)
    advance = Training.advance

    def slow(training: Training) -> list[Record]:
        if training.step == 20:
            inside.set()
            let_go.wait()
        return advance(training)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Training, "advance", slow)
        trainer = threading.Thread(target=session.train)
        trainer.start()
        inside.wait()
        store.request_stop([claims[0].run_id])
        while not session.watch():
            time.sleep(0.01)
        # The watcher says that the process is to end; here the step may come back instead.
        (run,) = store.runs()
        assert (run.status, run.step) == ("stopped", 20)
        let_go.set()
        trainer.join()
    (run,) = store.runs()
    assert (run.status, run.step) == ("stopped", 20)  # what came late was refused
    store.resume([run.id])
    train(queue, queue.claim())
    assert_same(store.history(run.id), expected_history(run.spec))


def test_a_lost_run_is_dropped_and_its_neighbour_goes_on(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "FLUSH_SECONDS", 0.0)
    queue, claims = start(store, depths=(8, 14))
    queue.revoke(claims[0], "stopped")  # somebody took it away
    train(queue, claims)
    assert [(run.status, run.step) for run in store.runs()] == [("stopped", 0), ("done", 40)]
    assert not store.checkpoint_folder(claims[0].run_id).exists()


def test_a_full_disk_fails_the_run_with_its_reason_and_keeps_what_is_stored(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "FLUSH_SECONDS", 0.0)
    queue, claims = start(store, steps=1000)
    limit_size(store, 4)
    with pytest.raises(DiskFullError):
        train(queue, claims)
    again = RunStore(store.home)
    (run,) = again.runs()
    assert run.status == "failed"
    assert "Free some space" in (run.error or "")
    assert again.history(run.id).steps["lr"] == list(range(1, run.step + 1))
    again.resume([run.id])
    (claim,) = make_queue(again).claim()
    assert claim.run_id == run.id


def test_a_checkpoint_that_cannot_be_written_fails_the_run_with_its_reason(
    store: RunStore,
) -> None:
    queue, claims = start(store)
    (store.home / "checkpoints").write_text("in the way")
    with pytest.raises(StoreError):
        train(queue, claims)
    (run,) = store.runs()
    assert run.status == "failed"
    assert "checkpoints" in (run.error or "")
    assert run.step == 40


def test_a_damaged_checkpoint_is_said_and_the_next_resume_starts_again(store: RunStore) -> None:
    queue, claims = start(store, steps=100)
    (run_id,) = (claim.run_id for claim in claims)
    steps_left = iter(range(20))
    train(queue, claims, ending=lambda: next(steps_left, None) is None)
    store.checkpoint_path(run_id, 20).write_bytes(b"damaged")
    train(queue, queue.claim())
    (run,) = store.runs()
    assert run.status == "failed"
    assert "20.safetensors" in (run.error or "")
    assert run.step == 20  # its curve is still there
    store.resume([run_id])
    train(queue, queue.claim())
    assert_same(store.history(run_id), expected_history(run.spec))


def test_a_checkpoint_of_another_step_is_refused(store: RunStore) -> None:
    queue, claims = start(store, steps=100)
    steps_left = iter(range(20))
    train(queue, claims, ending=lambda: next(steps_left, None) is None)
    path = store.checkpoint_path(claims[0].run_id, 20)
    checkpoint = Checkpoint.load(path)
    Checkpoint(19, checkpoint.tensors, {**checkpoint.meta, "step": 19}).save(path)
    train(queue, queue.claim())
    assert store.runs()[0].status == "failed"


def test_files_of_a_claim_that_was_cut_short_go(store: RunStore) -> None:
    queue, claims = start(store)
    folder = store.checkpoint_folder(claims[0].run_id)
    folder.mkdir(parents=True)
    for name in ("17.safetensors", "17.part"):
        (folder / name).write_bytes(b"left behind")
    train(queue, claims)
    assert [path.name for path in folder.glob("*.*")] == ["40.safetensors"]


def test_a_data_set_that_is_not_there_fails_its_run_alone(store: RunStore) -> None:
    spec = tiny_sweep()
    missing = type(spec).from_dict(spec.to_dict() | {"data": {"name": "cifar10"}})
    store.create_sweep(missing, name="s", cores=1)
    queue = make_queue(store)
    train(queue, queue.claim())
    (run,) = store.runs()
    assert run.status == "failed"
    assert "Traceback" not in (run.error or "Traceback")


def test_a_loss_that_is_not_finite_ends_the_run_as_diverged(store: RunStore) -> None:
    spec = tiny_sweep(steps=200)
    wild = type(spec).from_dict(
        spec.to_dict() | {"norm": "none", "train": {**spec.train.to_dict(), "lr": 1e6}}
    )
    store.create_sweep(wild, name="s", cores=1)
    queue = make_queue(store)
    train(queue, queue.claim())
    (run,) = store.runs()
    assert run.status == "diverged"
    assert "step" in (run.error or "")


def test_a_run_goes_on_in_another_store_as_if_it_had_stayed(
    store: RunStore, tmp_path: Path
) -> None:
    queue, claims = start(store, steps=60)
    steps_left = iter(range(20))
    train(queue, claims, ending=lambda: next(steps_left, None) is None)
    export_sweep(store, store.sweeps()[0].id, tmp_path / "sweep.zip")
    other = RunStore(tmp_path / "other")
    import_archive(other, tmp_path / "sweep.zip")
    (run,) = other.runs()
    assert (run.status, run.checkpoint_step, run.step) == ("stopped", 20, 20)
    other.resume([run.id])
    other_queue = make_queue(other)
    train(other_queue, other_queue.claim())
    assert other.runs()[0].status == "done"
    assert_same(other.history(run.id), expected_history(run.spec))
