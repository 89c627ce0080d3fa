"""The pages as Streamlit runs them, on a store and workers of their own."""

import contextlib
import os
import signal
import time

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from resnet_viz.ui import session
from tests.pages.inside import SMALL
from tests.pages.waiting import TIMEOUT_SECONDS


@pytest.fixture(scope="module")
def module_home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def home(module_home, monkeypatch):
    """One data folder for all tests of a file, so that workers start once."""
    monkeypatch.setenv("RESNET_VIZ_HOME", str(module_home))
    return module_home


@pytest.fixture(scope="module", autouse=True)
def _fresh_server(module_home):
    """A server's cache for each file; its workers end with it."""
    st.cache_resource.clear()
    yield
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESNET_VIZ_HOME", str(module_home))
        backend = session._open()
    backend.supervisor.close()
    backend.analysis.close()
    for worker in backend.supervisor.workers():
        if not worker.pid:  # it starts, finds no server, and ends by itself
            continue
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker.pid, signal.SIGTERM)
    st.cache_resource.clear()


@pytest.fixture
def store(home):
    """The store that the pages show."""
    return session._open().store


@pytest.fixture
def app(home):
    """Opens a page: app("error_vs_depth", sweep="…")."""

    def open_page(page="start", **query):
        test = AppTest.from_file("../../app.py", default_timeout=TIMEOUT_SECONDS)
        for name, value in query.items():
            test.query_params[name] = value
        test.switch_page(f"pages/{page}.py")
        test.run()
        assert not test.exception, test.exception
        return test

    return open_page


@pytest.fixture
def swept(store):
    """A finished sweep of two small nets, each kept at several steps; the same for all tests."""
    known = [sweep for sweep in store.sweeps() if sweep.name == "swept"]
    sweep_id = known[0].id if known else store.create_sweep(SMALL, name="swept")
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while store.sweep(sweep_id).status != "done":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return {run.spec.net.name: run for run in store.runs(sweep_id)}


@pytest.fixture
def files(monkeypatch):
    """What the page's download buttons would give, by file name: makers that a click calls."""
    found = {}
    show = st.download_button

    def remember(label, data, **options):
        found[options["file_name"]] = data
        return show(label, data, **options)

    monkeypatch.setattr(st, "download_button", remember)
    return found
