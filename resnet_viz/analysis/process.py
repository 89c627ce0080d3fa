"""The analysis process: answers short questions that need torch, beside the page server.

The server never imports torch; it asks by function name and gets plain values. One thread here
sends one job at a time, so that the inquiries of several sessions take turns, and starts a
fresh process after one has died or was ended because its job took too long.
"""

from __future__ import annotations

import atexit
import logging
import os
import pickle
import queue
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnet_viz.analysis.cache import AnswerCache
from resnet_viz.analysis.child import Reply, carry_out, live_with
from resnet_viz.analysis.inquiry import Inquiry, Job
from resnet_viz.i18n import _

if TYPE_CHECKING:
    from loky.process_executor import ProcessPoolExecutor

__all__ = ["AnalysisProcess", "Inquiry", "Job"]

HEALTH = Job("resnet_viz.analysis.health:measure_health", {})
START_SECONDS = 120.0  # at most, to load torch beside whatever else runs
# At most for one job. Nearly all take half a second; the first to ask for a folder of images reads
# it all, some hundred images a second and core.
JOB_SECONDS = 300.0
KEPT_BYTES = 2_000_000_000  # memory that the process may hold on to before loky renews it

_log = logging.getLogger(__name__)


class _StartError(Exception):
    """The process cannot be started; the message says why."""


class _EndlessError(Exception):
    """A job has not answered in time."""


class AnalysisProcess:
    """One a server, for all its sessions; every method may be called from any thread.

    Args:
        home: the data folder, as the server's.
        threads: that torch uses there; or a function that says so before every job.
        job_seconds: that one job may take; then the process is ended, for everybody waits for it.
    """

    def __init__(
        self,
        home: Path,
        *,
        threads: int | Callable[[], int],
        job_seconds: float = JOB_SECONDS,
    ) -> None:
        self._home = home
        self._threads = threads if callable(threads) else lambda: threads
        self._job_seconds = job_seconds
        self._cache = AnswerCache()
        self._waiting: queue.SimpleQueue[Inquiry | None] = queue.SimpleQueue()
        self._lock = threading.Lock()  # of what stands below
        self._thread: threading.Thread | None = None
        self._executor: ProcessPoolExecutor | None = None
        self._closed = False
        self._health: dict[str, Any] | None = None
        self._start_error: str | None = None

    @property
    def ready(self) -> bool:
        """Whether the process has started and loaded torch."""
        return self._health is not None

    @property
    def health(self) -> dict[str, Any] | None:
        """What the process said of itself when it had started (`health.measure_health`)."""
        return self._health

    @property
    def error(self) -> str | None:
        """Why the process could not be started, for a person; the next `ask` tries again."""
        return _cannot_start(self._start_error) if self._start_error is not None else None

    def start(self) -> None:
        """Start the process in the background, unless it was started before."""
        with self._lock:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="analysis", daemon=True)
                self._thread.start()
                atexit.register(self.close)

    def ask(self, jobs: Sequence[Job]) -> Inquiry:
        """Ask; what is known is answered at once, the rest in the background."""
        inquiry = Inquiry(jobs, self._cache)
        if not inquiry.ended:
            self.start()
            self._waiting.put(inquiry)
            if self._closed:
                self._refuse_waiting()
        return inquiry

    def recall(self, jobs: Sequence[Job]) -> list[Any] | None:
        """The answers, if every one of them is known; nothing is asked."""
        inquiry = Inquiry(jobs, self._cache)
        return inquiry.answers if inquiry.done else None

    def close(self) -> None:
        """End the process at once. What was asked and is not answered fails."""
        with self._lock:
            self._closed = True
            thread = self._thread
        self._waiting.put(None)
        self._drop()
        if thread is not None:
            thread.join()
        self._refuse_waiting()
        atexit.unregister(self.close)

    # --- the thread that sends ---

    def _run(self) -> None:
        try:
            self._open()
        except _StartError as error:
            _log.warning("%s", error)
        while not self._closed:
            inquiry = self._waiting.get()
            if inquiry is not None:
                self._take_turn(inquiry)

    def _take_turn(self, inquiry: Inquiry) -> None:
        """Answer one job of an inquiry, and let it queue up again for the next."""
        job = inquiry.next_job()
        if job is None:
            return
        try:
            inquiry.accept(job, self._answer(job))
        except _StartError as error:
            reason = str(error)
            inquiry.fail(lambda: _cannot_start(reason))
        except BrokenExecutor:
            self._drop()
            inquiry.fail(_ended)
        except _EndlessError:
            self._drop()
            inquiry.fail(lambda: _too_long(self._job_seconds))
        except Exception:  # noqa: BLE001 - else nobody would be answered any more
            inquiry.fail(_closed if self._closed else _failed, traceback.format_exc())
        if not inquiry.ended:
            self._waiting.put(inquiry)

    def _answer(self, job: Job) -> Reply:
        executor = self._open()
        threads = self._threads()
        try:
            future = executor.submit(carry_out, job.function, job.arguments, threads)
        except BrokenExecutor:  # it died while it had nothing to do: not this job's fault
            self._drop()
            executor = self._open()
            future = executor.submit(carry_out, job.function, job.arguments, threads)
        return _wait(future, self._job_seconds)

    def _open(self) -> ProcessPoolExecutor:
        """The executor; a new process has loaded torch when this returns.

        Raises:
            _StartError: there is no process to be had.
        """
        if self._executor is not None:
            return self._executor
        try:
            executor = self._new_executor()
            future = executor.submit(carry_out, HEALTH.function, HEALTH.arguments, self._threads())
            reply = _wait(future, START_SECONDS)
            if reply.answer is None:
                raise RuntimeError(reply.error)
        except (OSError, RuntimeError, ImportError, _EndlessError) as error:
            self._drop()
            self._start_error = str(error)
            raise _StartError(self._start_error) from error
        self._health = pickle.loads(reply.answer)
        self._start_error = None
        return executor

    def _new_executor(self) -> ProcessPoolExecutor:
        from loky.backend import get_context
        from loky.process_executor import ProcessPoolExecutor

        executor = ProcessPoolExecutor(
            max_workers=1,
            timeout=None,  # an idle process stays
            context=get_context("loky"),  # does not run the page's script again, as "spawn" does
            initializer=live_with,
            initargs=(os.getpid(),),
            env={
                "RESNET_VIZ_HOME": str(self._home),
                "LOKY_MAX_MEMORY_LEAK_SIZE": str(KEPT_BYTES),
                "OMP_WAIT_POLICY": "passive",  # a waiting thread leaves its core to who trains
            },
        )
        with self._lock:
            if self._closed:
                raise RuntimeError("the program is ending")
            self._executor = executor
        return executor

    def _drop(self) -> None:
        """End a process that is dead or of no use."""
        with self._lock:
            executor, self._executor = self._executor, None
            self._health = None
        if executor is not None:
            executor.shutdown(kill_workers=True)

    def _refuse_waiting(self) -> None:
        while not self._waiting.empty():
            try:
                inquiry = self._waiting.get_nowait()
            except queue.Empty:  # another thread refused it
                return
            if inquiry is not None:
                inquiry.fail(_closed)


def _wait(future: Future[Reply], seconds: float) -> Reply:
    try:
        return future.result(seconds)
    except TimeoutError:
        text = _("no answer in {seconds:.0f} seconds")
        raise _EndlessError(text.format(seconds=seconds)) from None


def _too_long(seconds: float) -> str:
    return _(
        "This took longer than {seconds:.0f} seconds and was given up. Choose a smaller net, fewer "
        "images or fewer steps."
    ).format(seconds=seconds)


def _ended() -> str:
    return _(
        "The analysis process ended (perhaps it ran out of memory). "
        "Ask again, or choose a smaller net."
    )


def _closed() -> str:
    return _("The analysis process was closed before it could answer.")


def _failed() -> str:
    return _("The analysis process could not be asked. Ask again.")


def _cannot_start(reason: str) -> str:
    return _("The analysis process cannot be started: {error}").format(error=reason)
