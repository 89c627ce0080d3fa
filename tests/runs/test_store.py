"""What pages are promised: ids, incremental reading, wishes, deletion."""

from __future__ import annotations

import threading

import pytest

from resnet_viz.records import Record
from resnet_viz.runs.schema import StoreError
from resnet_viz.runs.store import RunStore, UnknownSweepError
from resnet_viz.sweeps import PRESETS
from tests.runs.making import (
    evaluation_record,
    make_queue,
    speed_record,
    tiny_sweep,
    training_record,
)


def run_ids(store: RunStore, sweep_id: str | None = None) -> list[int]:
    return [run.id for run in store.runs(sweep_id)]


def statuses(store: RunStore) -> list[str]:
    return [run.status for run in store.runs()]


def test_a_sweep_keeps_its_spec_and_the_order_of_its_runs(store: RunStore) -> None:
    spec = PRESETS["quick"]
    sweep_id = store.create_sweep(spec, name="  a\nname ", cores=2)
    sweep = store.sweep(sweep_id)
    assert (sweep.spec, sweep.name, sweep.preset) == (spec, "a name", "quick")
    assert [run.spec for run in store.runs(sweep_id)] == spec.runs()
    assert sweep.counts == {"queued": len(spec.runs())}
    assert len(sweep_id) == 8


def test_ids_of_deleted_runs_and_records_are_not_given_again(store: RunStore) -> None:
    first = store.create_sweep(tiny_sweep(), name="first")
    (claim,) = make_queue(store).claim()
    make_queue(store).append([(claim, [training_record(1)])])
    _, last_row = store.records_since(run_ids(store))
    make_queue(store).finish(claim, "done")
    old = run_ids(store)
    store.delete_sweep(first)
    store.create_sweep(tiny_sweep(), name="second")
    assert not set(old) & set(run_ids(store))
    (claim,) = make_queue(store).claim()
    make_queue(store).append([(claim, [training_record(1)])])
    found, _ = store.records_since(run_ids(store), last_row)
    assert len(found) == 1  # a reader that knew the old rows sees the new one


def test_records_come_back_as_they_were_written(store: RunStore) -> None:
    store.create_sweep(tiny_sweep(), name="s")
    queue = make_queue(store)
    (claim,) = queue.claim()
    written = [
        training_record(1, 0.1 + 0.2),
        evaluation_record(1, 1 / 3),
        speed_record(1, 5e-324),
        training_record(2, 1.0),
    ]
    queue.append([(claim, written)])
    found, last_row = store.records_since([claim.run_id])
    assert [record for _, record in found] == written
    assert store.records_since([claim.run_id], last_row) == ([], last_row)
    history = store.history(claim.run_id)
    assert history.steps["running_error"] == [1, 2]
    (run,) = store.runs()
    assert (run.step, run.running_error, run.test_error, run.seconds) == (2, 1.0, 1 / 3, 5e-324)


def test_what_is_not_a_finite_number_is_left_out(store: RunStore) -> None:
    store.create_sweep(tiny_sweep(), name="s")
    queue = make_queue(store)
    (claim,) = queue.claim()
    record = Record("training", 1, {"running_loss": float("nan"), "lr": float("inf")})
    queue.append([(claim, [record])])
    assert store.records_since([claim.run_id])[0] == [(claim.run_id, Record("training", 1, {}))]


def test_a_reader_beside_a_writer_misses_nothing_and_sees_nothing_twice(store: RunStore) -> None:
    store.create_sweep(tiny_sweep(steps=400), name="s")
    queue = make_queue(store)
    (claim,) = queue.claim()
    written = [training_record(step) for step in range(1, 301)]

    def write() -> None:
        for record in written:
            queue.append([(claim, [record])])

    writer = threading.Thread(target=write)
    writer.start()
    seen: list[Record] = []
    last_row = 0
    writing = True
    while writing:
        writing = writer.is_alive()  # asked first: what it wrote last is read after it ended
        found, last_row = store.records_since([claim.run_id], last_row)
        seen += [record for _, record in found]
    assert seen == written


def test_stop_and_pause_of_waiting_runs_take_effect_at_once(store: RunStore) -> None:
    store.create_sweep(tiny_sweep(depths=(8, 14, 20)), name="s")
    first, second, _ = run_ids(store)
    store.request_stop([first])
    store.request_pause([second])
    assert statuses(store) == ["stopped", "paused", "queued"]
    store.request_stop([second])
    assert statuses(store) == ["stopped", "stopped", "queued"]
    store.resume([first, second])
    assert statuses(store) == ["queued"] * 3


def test_a_wish_waits_for_the_worker_and_stop_beats_pause(store: RunStore) -> None:
    store.create_sweep(tiny_sweep(), name="s")
    queue = make_queue(store)
    (claim,) = queue.claim()
    store.request_pause([claim.run_id])
    assert queue.wishes([claim]) == {claim.run_id: "pause"}
    store.request_stop([claim.run_id])
    store.request_pause([claim.run_id])
    assert queue.wishes([claim]) == {claim.run_id: "stop"}
    assert statuses(store) == ["running"]


@pytest.mark.parametrize("status", ["done", "diverged"])
def test_what_has_come_to_its_end_is_neither_stopped_nor_resumed(
    store: RunStore, status: str
) -> None:
    store.create_sweep(tiny_sweep(), name="s")
    queue = make_queue(store)
    (claim,) = queue.claim()
    queue.finish(claim, status)
    store.request_stop([claim.run_id])
    store.resume([claim.run_id])
    assert statuses(store) == [status]


def test_a_sweep_that_trains_is_not_deleted_and_one_that_ended_leaves_nothing(
    store: RunStore,
) -> None:
    sweep_id = store.create_sweep(tiny_sweep(), name="s")
    queue = make_queue(store)
    (claim,) = queue.claim()
    queue.append([(claim, [training_record(1)])])
    path = store.checkpoint_path(claim.run_id, 1)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x" * 1000)
    queue.record_checkpoint(claim, 1, 1000)
    assert 1000 < store.sweep(sweep_id).size_bytes < 1500
    with pytest.raises(StoreError, match="Stop it"):
        store.delete_sweep(sweep_id)
    assert path.exists()
    queue.finish(claim, "stopped")
    store.delete_sweep(sweep_id)
    assert not path.parent.exists()
    assert store.records_since([claim.run_id]) == ([], 0)
    with pytest.raises(UnknownSweepError, match=sweep_id):
        store.sweep(sweep_id)


def test_names_are_changed_and_never_empty(store: RunStore) -> None:
    sweep_id = store.create_sweep(tiny_sweep(), name="old")
    store.rename_sweep(sweep_id, "new" * 1000)
    assert store.sweep(sweep_id).name.startswith("newnew")
    assert len(store.sweep(sweep_id).name) <= 200
    with pytest.raises(StoreError, match="name"):
        store.rename_sweep(sweep_id, " \n\x00 ")
    with pytest.raises(UnknownSweepError):
        store.rename_sweep("nothing", "x")


def test_a_sweep_is_what_its_most_urgent_run_is(store: RunStore) -> None:
    sweep_id = store.create_sweep(tiny_sweep(depths=(8, 14)), name="s", device="cuda")
    queue = make_queue(store, device="cuda")
    first, second = queue.claim()
    queue.append([(first, [evaluation_record(40, 0.25)]), (second, [evaluation_record(40, 0.5)])])
    assert store.sweep(sweep_id).status == "running"
    queue.finish(first, "done")
    queue.finish(second, "failed", "why")
    sweep = store.sweep(sweep_id)
    assert (sweep.status, sweep.best_train_error, sweep.best_test_error) == ("failed", 0.25, 0.25)
    assert store.runs()[1].error == "why"


def test_sweeps_come_newest_first(store: RunStore) -> None:
    ids = [store.create_sweep(tiny_sweep(), name=str(i)) for i in range(3)]
    assert [sweep.id for sweep in store.sweeps()] == ids[::-1]


def test_settings_keep_json(store: RunStore) -> None:
    assert store.setting("machine:cpu") is None
    store.set_setting("k", {"a": [1, 2.5]})
    store.set_setting("k", {"a": [1, 2.5, None]})
    assert RunStore(store.home).setting("k") == {"a": [1, 2.5, None]}
