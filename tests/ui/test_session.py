"""How many threads the analysis process computes with, beside what trains."""

import pytest

from resnet_viz.runs.schema import StoreError
from resnet_viz.runs.store import RunStore
from resnet_viz.runs.supervisor import Supervisor
from resnet_viz.ui.session import _analysis_threads, _most_threads
from tests.runs.making import make_queue


@pytest.fixture
def supervisor(tmp_path):
    store = RunStore(tmp_path / "store.sqlite")
    yield Supervisor(store)
    store.close()


def test_every_core_while_nothing_trains_and_half_of_them_beside_a_run(supervisor):
    assert _analysis_threads(supervisor, 2) == 2
    queue = make_queue(supervisor.store)
    assert _analysis_threads(supervisor, 2) == 2  # a worker waits
    queue.beat("training", threads=1)
    assert _analysis_threads(supervisor, 2) == 1
    assert _analysis_threads(supervisor, 1) == 1
    queue.beat("idle", threads=0)
    assert _analysis_threads(supervisor, 8) == 8


def test_half_of_them_where_the_store_cannot_be_asked(supervisor, monkeypatch):
    def workers():
        raise StoreError("gone")

    monkeypatch.setattr(supervisor, "workers", workers)
    assert _analysis_threads(supervisor, 8) == 4


@pytest.mark.parametrize(("allowed", "threads"), [("1", 1), ("0", 1), ("99999", None), ("x", None)])
def test_no_more_threads_than_the_environment_allows(monkeypatch, allowed, threads):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    cores = _most_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", allowed)
    assert _most_threads() == (threads or cores)
