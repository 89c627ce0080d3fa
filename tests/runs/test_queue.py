"""Claims: who gets what, in which order, and who may write."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from resnet_viz.runs.lanes import deal, deal_lanes
from resnet_viz.runs.queue import MAX_CRASHES, Claim, Queue
from resnet_viz.runs.reaper import reap
from resnet_viz.runs.schema import LostClaim
from resnet_viz.runs.store import RunStore
from resnet_viz.sweeps import PRESETS
from tests.runs.making import (
    evaluation_record,
    make_queue,
    speed_record,
    tiny_sweep,
    training_record,
)

ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from pathlib import Path
from resnet_viz.records import Record
from resnet_viz.runs.queue import Queue
from resnet_viz.runs.store import RunStore

store = RunStore(Path(sys.argv[1]))
queue = Queue(store, sys.argv[2], "cpu", ("cpu",), 2)
claims = queue.claim()
for step in range(1, 301):
    queue.append([(c, [Record("training", step, {"lr": step / 7})]) for c in claims])
print(*(c.run_id for c in claims))
"""


def ids(claims: list[Claim]) -> list[int]:
    return [claim.run_id for claim in claims]


def test_two_processes_share_a_sweep_and_no_row_is_lost_or_doubled(store: RunStore) -> None:
    spec = tiny_sweep(300, depths=(8, 14, 20, 26))
    sweep_id = store.create_sweep(spec, name="s", device="cpu", cores=2)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(store.home), name],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("w1", "w2")
    ]
    claimed = [writer.communicate()[0].split() for writer in writers]
    runs = [run.id for run in store.runs(sweep_id)]
    assert sorted(int(run) for part in claimed for run in part) == runs
    found, _ = store.records_since(runs)
    expected = {(run, step) for run in runs for step in range(1, 301)}
    assert len(found) == len(expected)
    assert {(run, record.step) for run, record in found} == expected
    assert all(record.values == {"lr": record.step / 7} for _, record in found)


def test_the_longest_jobs_are_dealt_first() -> None:
    seconds = [1, 1, 4, 2, 2]
    lanes = deal_lanes(seconds, 2)
    loads = [sum(s for s, lane in zip(seconds, lanes, strict=True) if lane == n) for n in (0, 1)]
    assert sorted(loads) == [5, 5]  # the best there is; dealt in the given order: 4 and 6


def test_a_quick_sweep_on_two_cores_gives_each_lane_one_of_the_deepest() -> None:
    runs = PRESETS["quick"].runs()
    places = deal(runs, "cpu", 2, None)
    deepest = {p.lane for p, run in zip(places, runs, strict=True) if run.net.depth == 56}
    assert deepest == {0, 1}
    assert {p.threads for p in places} == {1}


def test_a_lone_run_takes_every_core_and_an_accelerator_has_one_lane() -> None:
    (place,) = deal(tiny_sweep().runs(), "cpu", 4, None)
    assert (place.lane, place.threads) == (0, 4)
    assert {p.lane for p in deal(PRESETS["quick"].runs(), "cuda", 4, None)} == {0}


def test_an_accelerator_takes_all_lanes_of_a_sweep_together(store: RunStore) -> None:
    # dealt out for a CPU, because nobody knew yet what "auto" is here
    store.create_sweep(tiny_sweep(depths=(8, 14, 20)), name="s", cores=2)
    assert len(make_queue(store, device="cuda").claim()) == 3
    assert make_queue(store, "w2", device="cuda").claim() == []


def test_workers_leave_to_others_what_waits_for_another_device(store: RunStore) -> None:
    store.create_sweep(tiny_sweep(), name="s", device="cuda")
    assert make_queue(store).claim() == []
    assert len(make_queue(store, device="cuda").claim()) == 1


def test_first_come_first_served_within_the_cores(store: RunStore) -> None:
    first = store.create_sweep(tiny_sweep(depths=(8, 14)), name="1", device="cpu", cores=2)
    second = store.create_sweep(tiny_sweep(), name="lone", device="cpu", cores=2)
    third = store.create_sweep(tiny_sweep(depths=(8, 14)), name="3", device="cpu", cores=2)
    w1, w2, w3 = (make_queue(store, name) for name in ("w1", "w2", "w3"))
    (one,), (two,) = w1.claim(), w2.claim()
    assert sorted([one.run_id, two.run_id]) == [run.id for run in store.runs(first)]
    assert w3.claim() == []  # no core is free
    w1.finish(one, "done")
    w1.beat("idle")
    assert w1.claim() == []  # the lone run needs both cores, and nothing overtakes it
    w2.finish(two, "done")
    w2.beat("idle")
    assert ids(w1.claim()) == [run.id for run in store.runs(second)]
    assert w2.claim() == []
    assert {run.status for run in store.runs(third)} == {"queued"}


def test_a_run_with_more_threads_than_there_are_cores_trains_alone(store: RunStore) -> None:
    store.create_sweep(tiny_sweep(), name="s", device="cpu", cores=16)
    (claim,) = make_queue(store, cores=2).claim()
    assert claim.threads == 16


def test_a_worker_that_lost_its_claim_cannot_write(store: RunStore) -> None:
    store.create_sweep(tiny_sweep(depths=(8, 14)), name="s", device="cuda")
    old, new = make_queue(store, "old", "cuda"), make_queue(store, "new", "cuda")
    lost, kept = old.claim()
    old.append([(lost, [training_record(1)])])
    reap(store, "old")
    mine, _ = new.claim()
    assert (mine.run_id, mine.epoch) == (lost.run_id, lost.epoch + 1)
    for write in (
        lambda: old.append([(lost, [training_record(2)])]),
        lambda: old.finish(lost, "done"),
        lambda: old.record_checkpoint(lost, 2, 1),
        lambda: old.revoke(lost, "stopped"),
        lambda: old.begin(lost, dtype="float32", version="x"),
    ):
        with pytest.raises(LostClaim):
            write()
    assert old.wishes([lost, kept]) == {lost.run_id: "lost", kept.run_id: "lost"}
    assert store.records_since([lost.run_id])[0] == []
    assert store.runs()[0].status == "running"


def test_a_lost_run_does_not_take_its_neighbours_records_along(store: RunStore) -> None:
    store.create_sweep(tiny_sweep(depths=(8, 14)), name="s", device="cuda")
    queue = make_queue(store, device="cuda")
    lost, kept = queue.claim()
    queue.revoke(lost, "stopped")
    with pytest.raises(LostClaim) as caught:
        queue.append([(lost, [training_record(1)]), (kept, [training_record(1)])])
    assert caught.value.run_ids == {lost.run_id}
    assert [run for run, _ in store.records_since([lost.run_id, kept.run_id])[0]] == [kept.run_id]


def test_a_resume_goes_back_to_the_checkpoint(store: RunStore) -> None:
    store.create_sweep(tiny_sweep(), name="s")
    queue = make_queue(store)
    (claim,) = queue.claim()
    early = [training_record(s, 1 / s) for s in range(1, 11)]
    early += [evaluation_record(10, 0.3), speed_record(10, 3.0)]
    late = [training_record(s, 1 / s) for s in range(11, 16)]
    late += [evaluation_record(15, 0.2), speed_record(15, 9.0)]
    queue.append([(claim, early)])
    queue.record_checkpoint(claim, 10, 100)
    queue.append([(claim, late)])
    queue.finish(claim, "stopped")
    assert (store.runs()[0].step, store.runs()[0].test_error) == (15, 0.2)
    store.resume([claim.run_id])
    (again,) = queue.claim()
    assert again.checkpoint_step == 10
    assert [record for _, record in store.records_since([claim.run_id])[0]] == early
    (run,) = store.runs()
    assert (run.step, run.running_error, run.test_error, run.seconds) == (10, 0.1, 0.3, 3.0)
    queue.append([(again, late)])  # the same steps once more: no clash
    assert store.runs()[0].step == 15


def test_without_a_checkpoint_a_resume_starts_again(store: RunStore) -> None:
    store.create_sweep(tiny_sweep(), name="s")
    queue = make_queue(store)
    (claim,) = queue.claim()
    queue.begin(claim, dtype="bfloat16", version="v")
    queue.append([(claim, [training_record(1)])])
    queue.finish(claim, "failed", "why")
    store.resume([claim.run_id])
    (run,) = store.runs()
    assert (run.error, run.dtype) == (None, None)
    queue.claim()
    assert store.records_since([claim.run_id])[0] == []
    assert store.runs()[0].running_error is None


def test_resumed_runs_keep_their_threads_and_are_dealt_out_anew(store: RunStore) -> None:
    lone = store.create_sweep(tiny_sweep(), name="lone", device="cpu", cores=4)
    many = store.create_sweep(tiny_sweep(depths=(8, 14, 20, 26)), name="m", device="cpu", cores=1)
    runs = [run.id for run in store.runs()]
    store.request_stop(runs)
    store.resume(runs, cores=2)
    queues = [make_queue(store, f"w{i}", cores=6) for i in range(3)]
    claims = [queue.claim() for queue in queues]
    assert [c.threads for c in claims[0]] == [4]
    assert ids(claims[0]) == [run.id for run in store.runs(lone)]
    assert [len(part) for part in claims[1:]] == [2, 2]  # two lanes now instead of one
    assert sorted(ids(claims[1] + claims[2])) == [run.id for run in store.runs(many)]


def crash(queue: Queue, store: RunStore, *, after_step: int | None = None) -> list[int]:
    """Let the worker die, before or after it has stored something of every run."""
    claims = queue.claim()
    if after_step is not None:
        queue.append([(claim, [training_record(after_step)]) for claim in claims])
    reap(store, queue.worker_id)
    return ids(claims)


def test_after_two_early_deaths_runs_train_alone_and_the_third_fails_the_guilty_one(
    store: RunStore,
) -> None:
    store.create_sweep(tiny_sweep(depths=(8, 14)), name="s", device="cuda")
    queue = make_queue(store, device="cuda")
    guilty, innocent = (run.id for run in store.runs())
    assert [crash(queue, store) for _ in range(2)] == [[guilty, innocent]] * 2
    assert crash(queue, store) == [guilty]
    run = store.runs()[0]
    assert run.status == "failed"
    assert "memory" in (run.error or "")
    assert ids(queue.claim()) == [innocent]
    store.resume([guilty])
    assert store.runs()[0].status == "queued"
    assert store.runs()[0].error is None


def test_deaths_that_come_later_count_less_but_not_for_nothing(store: RunStore) -> None:
    store.create_sweep(tiny_sweep(), name="s")
    queue = make_queue(store)
    for _ in range(MAX_CRASHES - 1):
        crash(queue, store, after_step=5)
    assert store.runs()[0].status == "queued"
    crash(queue, store, after_step=5)
    assert store.runs()[0].status == "failed"


def test_progress_forgives_earlier_deaths(store: RunStore) -> None:
    store.create_sweep(tiny_sweep(), name="s")
    queue = make_queue(store)
    for step in range(1, 2 * MAX_CRASHES):
        (claim,) = queue.claim()
        queue.record_checkpoint(claim, step, 1)
        reap(store, queue.worker_id)
    assert store.runs()[0].status == "queued"
