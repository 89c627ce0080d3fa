"""What every page starts with: the store, its supervisor, and the reader's language."""

from __future__ import annotations

import gc
import os
from dataclasses import dataclass
from functools import partial

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from resnet_viz.analysis.process import AnalysisProcess
from resnet_viz.i18n import DEFAULT_LANGUAGE, languages
from resnet_viz.nets.costs import Machine
from resnet_viz.runs.lanes import available_cores
from resnet_viz.runs.schema import StoreError
from resnet_viz.runs.store import RunStore
from resnet_viz.runs.supervisor import Supervisor

_BUSY = ("training", "measuring")  # states of a worker that computes


@dataclass(frozen=True)
class Backend:
    """One a server, shared by all sessions.

    Attributes:
        store: what was trained and is training.
        supervisor: keeps the store's workers alive.
        analysis: answers short questions that need torch; a page that has some starts it.
    """

    store: RunStore
    supervisor: Supervisor
    analysis: AnalysisProcess

    @property
    def cores(self) -> int:
        """Worker processes on a CPU."""
        return available_cores()

    @property
    def device(self) -> str:
        """The device that workers chose, "cpu" until the first one has looked."""
        return self.store.setting("auto_device") or "cpu"

    @property
    def machine(self) -> Machine | None:
        """What a worker has measured of the device, or None until then."""
        return self.store.machine("auto")


@st.cache_resource(show_spinner=False)
def _open() -> Backend:
    store = RunStore()
    supervisor = Supervisor(store)
    supervisor.start()
    # Streamlit collects garbage after every run of a script; what is loaded by now will stay,
    # and need not be looked through each time.
    gc.collect()
    gc.freeze()
    threads = partial(_analysis_threads, supervisor, _most_threads())
    return Backend(store, supervisor, AnalysisProcess(store.home, threads=threads))


def _most_threads() -> int:
    """A thread a core, or as many as OMP_NUM_THREADS allows where that is set."""
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    cores = available_cores()
    return min(cores, max(1, int(allowed))) if allowed.isdecimal() else cores


def _analysis_threads(supervisor: Supervisor, cores: int) -> int:
    """Every core while nothing trains, else half of them.

    Where nets train at the same time, a thread more waits for one that has no core, and an answer
    of 0.3 s takes 7 s (measured on two cores).
    """
    try:
        trains = any(worker.state in _BUSY for worker in supervisor.workers())
    except StoreError:  # whoever looks into the store next says so
        trains = True
    return max(1, cores // 2) if trains else cores


def open_backend() -> Backend:
    """The server's store; a page that cannot have one says why and ends here."""
    _leave_old_navigation()
    try:
        return _open()
    except StoreError as error:
        st.error(str(error), icon=":material/folder_off:")
        st.stop()


def _leave_old_navigation() -> None:
    """Run the page again through app.py if Streamlit ran it alone.

    Until app.py has called st.navigation once, Streamlit takes a folder named "pages" for its
    old kind of navigation, so a link to a page that is a new server's first visit skips app.py.
    """
    if getattr(PagesManager, "uses_pages_directory", False):
        PagesManager.uses_pages_directory = False
        st.rerun()


def session_language() -> str:
    """The language of the session's browser, if there is a translation, else English.

    A download is made in a thread that belongs to no session.
    """
    if get_script_run_ctx(suppress_warning=True) is None:
        return DEFAULT_LANGUAGE
    wanted = (st.context.locale or DEFAULT_LANGUAGE).replace("-", "_")
    known = languages()
    return next((name for name in (wanted, wanted.split("_")[0]) if name in known), known[0])
