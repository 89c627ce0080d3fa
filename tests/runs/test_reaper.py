"""Who counts as dead, what becomes of a dead worker's runs, and downloads as jobs."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from resnet_viz.datasets.errors import DataError
from resnet_viz.runs import downloads
from resnet_viz.runs.reaper import LONG_DEAD_SECONDS, SILENT_SECONDS, Reaper, reap
from resnet_viz.runs.store import RunStore
from tests.runs.making import make_queue, tiny_sweep, training_record


class Clock:
    """The observer's clock in the test's hands."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def set_heartbeat(store: RunStore, value: float) -> None:
    with store.database.write() as db:
        db.execute("UPDATE workers SET heartbeat = ?", (value,))


def status(store: RunStore) -> str:
    return store.runs()[0].status


def test_a_silent_worker_loses_its_runs(store: RunStore, clock: Clock) -> None:
    store.create_sweep(tiny_sweep(), name="s")
    make_queue(store).claim()
    reaper = Reaper(store)
    reaper.look()
    clock.now += SILENT_SECONDS - 0.1
    reaper.look()
    assert status(store) == "running"
    clock.now += 0.2
    reaper.look()
    assert status(store) == "queued"
    assert reaper.workers() == []


def test_a_heartbeat_that_changes_is_alive_whatever_the_calendar_says(
    store: RunStore, clock: Clock
) -> None:
    store.create_sweep(tiny_sweep(), name="s")
    make_queue(store).claim()
    reaper = Reaper(store)
    reaper.look()
    for i in range(5):
        set_heartbeat(store, 1000.0 + i)  # a calendar decades behind
        clock.now += SILENT_SECONDS - 0.1
        reaper.look()
    assert status(store) == "running"


def test_a_worker_from_before_the_last_restart_is_dead_at_once(
    store: RunStore, clock: Clock
) -> None:
    store.create_sweep(tiny_sweep(), name="s")
    make_queue(store).claim()
    set_heartbeat(store, time.time() - LONG_DEAD_SECONDS - 1)
    Reaper(store).look()
    assert status(store) == "queued"


def test_a_worker_that_starts_has_more_time(store: RunStore, clock: Clock) -> None:
    make_queue(store).beat("starting")
    reaper = Reaper(store)
    reaper.look()
    clock.now += 2 * SILENT_SECONDS
    reaper.look()
    assert len(reaper.workers()) == 1


def test_a_running_run_whose_worker_signed_off_waits_again(store: RunStore) -> None:
    store.create_sweep(tiny_sweep(), name="s")
    queue = make_queue(store)
    queue.claim()
    queue.leave()
    Reaper(store).look()
    assert status(store) == "queued"


@pytest.mark.parametrize(("wish", "expected"), [("stop", "stopped"), ("pause", "paused")])
def test_a_wish_survives_its_worker(store: RunStore, wish: str, expected: str) -> None:
    store.create_sweep(tiny_sweep(), name="s")
    queue = make_queue(store)
    (claim,) = queue.claim()
    queue.append([(claim, [training_record(1)])])
    {"stop": store.request_stop, "pause": store.request_pause}[wish]([claim.run_id])
    reap(store, queue.worker_id)
    (run,) = store.runs()
    assert (run.status, run.wish, run.step) == (expected, None, 1)


def test_a_download_is_a_job_with_progress(store: RunStore) -> None:
    seen = []

    def download(
        name: str, on_progress: Callable[[int, int], None], should_stop: Callable[[], bool]
    ) -> bool:
        on_progress(50, 100)
        seen.append(downloads.list_downloads(store)[name])
        on_progress(100, 100)
        return not should_stop()

    assert downloads.claim_download(store, "w1", download) is None
    downloads.request_download(store, "cifar10")
    job = downloads.claim_download(store, "w1", download)
    assert job is not None
    assert downloads.claim_download(store, "w2", download) is None
    job.run(lambda: False)
    assert (seen[0].status, seen[0].bytes_done, seen[0].bytes_total) == ("running", 50, 100)
    done = downloads.list_downloads(store)["cifar10"]
    assert (done.status, done.bytes_done) == ("done", 100)


def test_a_download_that_fails_says_why_and_can_be_asked_for_again(store: RunStore) -> None:
    def download(*_: object) -> bool:
        raise DataError("no network")

    downloads.request_download(store, "cifar10")
    job = downloads.claim_download(store, "w1", download)
    assert job is not None
    job.run(lambda: False)
    found = downloads.list_downloads(store)["cifar10"]
    assert (found.status, found.message) == ("failed", "no network")
    downloads.request_download(store, "cifar10")
    found = downloads.list_downloads(store)["cifar10"]
    assert (found.status, found.message) == ("queued", None)


@pytest.mark.parametrize(("by_person", "expected"), [(True, "stopped"), (False, "queued")])
def test_a_download_ends_when_a_person_or_the_worker_wants_it(
    store: RunStore, by_person: bool, expected: str
) -> None:
    def download(
        name: str, on_progress: Callable[[int, int], None], should_stop: Callable[[], bool]
    ) -> bool:
        if by_person:
            downloads.stop_download(store, name)
        on_progress(1, 1)
        assert should_stop()
        return False

    downloads.request_download(store, "cifar10")
    job = downloads.claim_download(store, "w1", download)
    assert job is not None
    job.run(lambda: not by_person)
    assert downloads.list_downloads(store)["cifar10"].status == expected


def test_the_download_of_a_dead_worker_waits_again(store: RunStore) -> None:
    downloads.request_download(store, "cifar10")
    downloads.claim_download(store, "w1", lambda *_: True)
    reap(store, "w1")
    assert downloads.list_downloads(store)["cifar10"].status == "queued"
