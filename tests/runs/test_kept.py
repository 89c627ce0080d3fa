"""Nets kept along the way: which, with what in them, and that none is of a future taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from resnet_viz.records import Profile, Record
from resnet_viz.runs import keeping
from resnet_viz.runs.archive import export_sweep, import_archive
from resnet_viz.runs.queue import Claim, Queue
from resnet_viz.runs.rows import ROW_BYTES
from resnet_viz.runs.schema import LostClaim
from resnet_viz.runs.store import RunStore
from resnet_viz.specs import RunSpec
from resnet_viz.training.checkpoint import Checkpoint, CheckpointError
from resnet_viz.training.schedule import kept_steps
from resnet_viz.training.training import Training
from tests.runs.making import make_queue, tiny_sweep, training_record
from tests.runs.test_session import MACHINE, assert_same, expected_history, start, train

STEPS = 40
KEPT = [0, 1, 4, 13, 40]  # half a decade apart


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def steps_of(store: RunStore, run_id: int) -> list[int]:
    return [kept.step for kept in store.kept_checkpoints(run_id)]


def files_of(store: RunStore, run_id: int) -> list[str]:
    return sorted(path.name for path in store.kept_folder(run_id).iterdir())


def train_until(queue: Queue, claims: list[Claim], step: int) -> None:
    """Train so many steps of a single run; the worker then has to end."""
    left = iter(range(step))
    train(queue, claims, ending=lambda: next(left, None) is None)


def weights_at(spec: RunSpec, steps: list[int]) -> dict[int, dict[str, torch.Tensor]]:
    """The weights and buffers after some steps of the same training without a store."""
    training, found = Training(spec, device="cpu", threads=1, machine=MACHINE), {}
    while True:
        if training.step in steps:
            state = training.net.state_dict()
            found[training.step] = {f"net.{name}": value.clone() for name, value in state.items()}
        if training.finished:
            return found
        training.advance()


def test_the_kept_nets_are_those_of_their_steps_and_nothing_else(store: RunStore) -> None:
    queue, claims = start(store, STEPS, depths=(8, 14), families=("plain", "resnet"))
    train(queue, claims)
    for run in store.runs():
        assert list(kept_steps(STEPS)) == [0, 1, 4, 13, 40]
        assert steps_of(store, run.id) == KEPT
        expected = weights_at(run.spec, KEPT)
        for kept in store.kept_checkpoints(run.id):
            path = store.kept_path(run.id, kept.step)
            assert path.stat().st_size == kept.size_bytes
            found = Checkpoint.load(path)
            assert found.step == kept.step
            net = {name: t for name, t in found.tensors.items() if name.startswith("net.")}
            assert net.keys() == expected[kept.step].keys()
            assert all(torch.equal(net[k], v) for k, v in expected[kept.step].items())
            newest = Checkpoint.load(store.checkpoint_path(run.id, STEPS))
            for name in ("spec", "classes", "mean", "std"):
                assert found.meta[name] == newest.meta[name]
            if kept.step < STEPS:
                assert net.keys() == found.tensors.keys()
        # The last step's net is in the newest checkpoint already.
        assert files_of(store, run.id) == [f"{s}.safetensors" for s in (0, 1, 13, 4)]


def test_a_kept_net_is_not_gone_on_from(store: RunStore) -> None:
    queue, claims = start(store, STEPS)
    train(queue, claims)
    kept = Checkpoint.load(store.kept_path(claims[0].run_id, 13))
    with pytest.raises(CheckpointError):
        Training(claims[0].spec, device="cpu", machine=MACHINE, checkpoint=kept)


def test_snapshots_do_not_change_what_is_trained() -> None:
    (spec,) = tiny_sweep(12).runs()

    def records(snapshots: bool) -> list[Record | Profile]:
        training, found = Training(spec, device="cpu", threads=1, machine=MACHINE), []
        while not training.finished:
            if snapshots:
                training.snapshot()
            found += [r for r in training.advance() if r.kind != "speed"]
        return found

    assert records(True) == records(False)


def test_kept_nets_can_be_looked_at_while_the_run_trains(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "WAIT_SECONDS", 0.0)
    queue, claims = start(store, STEPS)
    (run_id,) = (claim.run_id for claim in claims)
    seen: list[tuple[int, list[int]]] = []

    def look() -> bool:
        steps = steps_of(store, run_id)
        assert all(Checkpoint.load(store.kept_path(run_id, s)).step == s for s in steps)
        seen.append((len(seen), steps))
        return False

    train(queue, claims, ending=look)
    # Asked before each step: at step 5 those of steps 0, 1 and 4 are there, and no later one.
    assert seen[5] == (5, [0, 1, 4])
    assert seen[39] == (39, [0, 1, 4, 13])


def test_a_paused_run_shows_its_newest_net_too_until_it_goes_on(store: RunStore) -> None:
    queue, claims = start(store, STEPS)
    (run_id,) = (claim.run_id for claim in claims)
    train_until(queue, claims, 20)
    store.request_pause([run_id])
    assert steps_of(store, run_id) == [0, 1, 4, 13, 20]
    assert Checkpoint.load(store.kept_path(run_id, 20)).step == 20
    store.resume([run_id])
    assert steps_of(store, run_id) == [0, 1, 4, 13]
    train(queue, queue.claim())
    assert steps_of(store, run_id) == KEPT
    assert_same(store.history(run_id), expected_history(store.runs()[0].spec))


def test_a_resume_takes_back_what_was_kept_past_its_checkpoint(store: RunStore) -> None:
    queue, claims = start(store, STEPS)
    (run_id,) = (claim.run_id for claim in claims)
    train_until(queue, claims, 10)
    (claim,) = queue.claim()
    # As if the worker had come to step 13 and died before its next checkpoint, once before and
    # once after it noted that net.
    folder = store.kept_folder(run_id)
    for name in ("13.safetensors", "39.safetensors", "39.part"):
        (folder / name).write_bytes(b"of a future that was taken back")
    queue.record_kept(claim, 13, 31)
    queue.finish(claim, "queued")
    claims = queue.claim()
    assert steps_of(store, run_id) == [0, 1, 4]
    train_until(queue, claims, 2)
    assert files_of(store, run_id) == ["0.safetensors", "1.safetensors", "4.safetensors"]
    train(queue, queue.claim())
    expected = weights_at(store.runs()[0].spec, [13])[13]
    found = Checkpoint.load(store.kept_path(run_id, 13)).tensors
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_a_run_without_a_checkpoint_begins_with_nothing_kept(store: RunStore) -> None:
    queue, claims = start(store, STEPS)
    queue.record_kept(claims[0], 0, 10)
    queue.finish(claims[0], "queued")
    queue.claim()
    assert store.kept_checkpoints(claims[0].run_id) == []


def test_who_lost_a_run_keeps_nothing_of_it(store: RunStore) -> None:
    queue, claims = start(store)
    queue.revoke(claims[0], "stopped")
    with pytest.raises(LostClaim):
        queue.record_kept(claims[0], 1, 10)
    store.resume([claims[0].run_id])
    (again,) = make_queue(store, "w2").claim()
    with pytest.raises(LostClaim):
        queue.record_kept(claims[0], 1, 10)
    queue.record_kept(again, 1, 20)
    assert [kept.size_bytes for kept in store.kept_checkpoints(again.run_id)] == [20]


def test_a_stopped_run_still_notes_what_it_kept(store: RunStore) -> None:
    queue, claims = start(store)
    queue.finish(claims[0], "stopped")
    queue.record_kept(claims[0], 1, 10)
    assert steps_of(store, claims[0].run_id) == [1]


def test_a_run_that_diverges_keeps_the_nets_before_that(store: RunStore) -> None:
    spec = tiny_sweep(steps=200)
    wild = type(spec).from_dict(
        spec.to_dict() | {"norm": "none", "train": {**spec.train.to_dict(), "lr": 1e6}}
    )
    store.create_sweep(wild, name="s", cores=1)
    queue = make_queue(store)
    (claim,) = queue.claim()
    train(queue, [claim])
    (run,) = store.runs()
    assert run.status == "diverged"
    kept = steps_of(store, run.id)
    assert kept == [step for step in kept_steps(200) if step <= run.step]
    assert 0 in kept


def test_sizes_count_what_is_kept_and_deletion_leaves_nothing(store: RunStore) -> None:
    queue, claims = start(store, STEPS)
    queue.append([(claims[0], [training_record(1)])])
    sweep_id = store.sweeps()[0].id
    before = store.sweep(sweep_id).size_bytes
    queue.record_kept(claims[0], 1, 1234)
    assert store.sweep(sweep_id).size_bytes == store.sweeps()[0].size_bytes == before + 1234
    queue.finish(claims[0], "queued")
    train(queue, queue.claim())
    (run,) = store.runs()
    on_disk = sum(p.stat().st_size for p in store.checkpoint_folder(run.id).rglob("*.safetensors"))
    records = len(store.records_since([run.id])[0])
    profiles = store.sweep(sweep_id).size_bytes - on_disk - ROW_BYTES * records
    assert 0 < profiles < 30_000
    store.delete_sweep(sweep_id)
    assert not store.checkpoint_folder(run.id).exists()
    assert store.kept_checkpoints(run.id) == []


def test_an_archive_carries_the_newest_net_alone(store: RunStore, tmp_path: Path) -> None:
    queue, claims = start(store, STEPS)
    train(queue, claims)
    export_sweep(store, store.sweeps()[0].id, tmp_path / "sweep.zip")
    other = RunStore(tmp_path / "other")
    import_archive(other, tmp_path / "sweep.zip")
    (run,) = other.runs()
    assert steps_of(other, run.id) == [STEPS]
    assert Checkpoint.load(other.kept_path(run.id, STEPS)).step == STEPS
