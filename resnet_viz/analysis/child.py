"""What runs inside the analysis process. Imports torch only there, at the first job."""

from __future__ import annotations

import atexit
import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import psutil

from resnet_viz.analysis.plain import check_plain
from resnet_viz.i18n import _

WATCH_SECONDS = 1.0
_ALLOCATION_FAILED = ("can't allocate memory", "not enough memory", "out of memory")


@dataclass(frozen=True)
class Reply:
    """What comes back of a job.

    Attributes:
        answer: pickled plain value; None if the job failed.
        seconds: that it took.
        error: for a person; "" if there is an answer.
        trouble: the traceback, if the error was not one that a person is meant to read.
    """

    answer: bytes | None
    seconds: float
    error: str = ""
    trouble: str | None = None


def carry_out(function: str, arguments: Mapping[str, Any], threads: int) -> Reply:
    """Call "package.module:name" with `arguments`; whatever it raises comes back as text."""
    start = time.perf_counter()
    try:
        load_torch(threads)
        start = time.perf_counter()
        module, name = function.split(":")
        answer = getattr(import_module(module), name)(**arguments)
        try:
            check_plain(answer)
        except TypeError as error:
            raise TypeError(f"{function} answers with {error}, which is not plain") from None
        return Reply(pickle.dumps(answer), time.perf_counter() - start)
    except BaseException as error:  # noqa: BLE001 - unpickled in the server, it might import torch
        return Reply(None, time.perf_counter() - start, *describe(error))


def describe(error: BaseException) -> tuple[str, str | None]:
    """An error for a person, and its traceback if it is not one that a person is meant to read."""
    kind = type(error)
    text = str(error)
    if text and (isinstance(error, ValueError) or kind.__module__.startswith("resnet_viz.")):
        return text, None
    trouble = "".join(traceback.format_exception(error))
    if isinstance(error, MemoryError) or any(part in text.lower() for part in _ALLOCATION_FAILED):
        return _("There is not enough memory for this. Choose a smaller net."), trouble
    return f"{kind.__name__}: {text}" if text else kind.__name__, trouble


def live_with(server: int) -> None:
    """Leave Ctrl-C to the server, and end when the process with that id has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    atexit.register(os._exit, 0)  # taking torch down in order takes a second
    try:
        process = psutil.Process(server)
    except psutil.NoSuchProcess:
        os._exit(1)
    threading.Thread(target=_watch, args=(process,), name="watch", daemon=True).start()


def _watch(server: psutil.Process) -> None:
    try:
        while server.is_running() and server.status() != psutil.STATUS_ZOMBIE:
            time.sleep(WATCH_SECONDS)
    finally:  # it has ended, or cannot be seen any more
        os._exit(1)


def load_torch(threads: int) -> None:
    """Import torch, which takes seconds, and have it compute with so many threads."""
    import torch

    import_module("resnet_viz.nets.build")
    if threads != torch.get_num_threads():
        torch.set_num_threads(threads)
