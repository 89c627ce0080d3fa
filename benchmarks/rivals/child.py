"""A contestant in a process of its own, asked over a pipe, so that a crash ends it alone. No torch.

The parent measures; the child starts, warms up and waits at the pipe until it is its turn.
"""

from __future__ import annotations

import importlib
import multiprocessing
import time
import traceback
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

PATIENCE_SECONDS = 600.0


class Contestant(Protocol):
    """What a child process holds. Every answer is a dictionary of plain values."""

    def prepare(self) -> dict[str, Any]:
        """Build everything and take the first steps: what a training pays once."""

    def train(self, steps: int) -> dict[str, Any]:
        """Take so many further steps of every net, and wait until the device has done them."""


class ChildError(RuntimeError):
    """A contestant failed, died or fell silent; the text says what happened."""


class Child:
    """The parent's end of the pipe.

    Args:
        make: "module:class", imported and called with `arguments` in the new process, so that
            what is missing is missed there alone.
    """

    def __init__(self, make: str, **arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")  # CUDA does not survive a fork
        self.pipe, theirs = context.Pipe()
        self._started = time.time()
        self._process = context.Process(target=_serve, args=(theirs, make, arguments))
        self._process.start()
        theirs.close()
        self.start_seconds: float | None = None
        self._broken: ChildError | None = None

    def wait_ready(self, patience: float = PATIENCE_SECONDS) -> None:
        """Wait until imports and device are there.

        Raises:
            ChildError: they are not.
        """
        if self._broken:
            raise self._broken
        if self.start_seconds is None:
            try:
                self.start_seconds = self.receive(patience) - self._started
            except ChildError as error:
                self._broken = error
                raise

    def send(self, method: str, *arguments: Any) -> None:
        """Ask for something; the answer comes by `receive`.

        Raises:
            ChildError: the process is gone.
        """
        try:
            self.pipe.send((method, arguments))
        except OSError as error:
            raise ChildError(self._ended()) from error

    def receive(self, patience: float = PATIENCE_SECONDS) -> Any:
        """The answer to what was asked.

        Raises:
            ChildError: what was asked failed, or there is no answer.
        """
        try:
            if not self.pipe.poll(patience):
                self.kill()
                raise ChildError(f"no answer for {patience:.0f} seconds")
            ok, value = self.pipe.recv()
        except (EOFError, ConnectionError) as error:
            raise ChildError(self._ended()) from error
        if not ok:
            raise ChildError(value)
        return value

    def call(self, method: str, *arguments: Any, patience: float = PATIENCE_SECONDS) -> Any:
        """Ask, and wait for the answer.

        Raises:
            ChildError: there is none.
        """
        self.wait_ready(patience)
        self.send(method, *arguments)
        return self.receive(patience)

    def _ended(self) -> str:
        self._process.join(5)
        return f"the process ended with status {self._process.exitcode}"

    def close(self) -> None:
        """Let the process end; kill it if it does not."""
        self.pipe.close()
        self._process.join(10)
        self.kill()

    def kill(self) -> None:
        """End the process at once."""
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def first_ready(children: list[Child], patience: float = PATIENCE_SECONDS) -> Child:
    """The first of the children who has something to say.

    Raises:
        ChildError: none has.
    """
    ready = wait([child.pipe for child in children], patience)
    if not ready:
        raise ChildError(f"no answer of any process for {patience:.0f} seconds")
    return next(child for child in children if child.pipe in ready)


def _serve(pipe: Connection, make: str, arguments: dict[str, Any]) -> None:
    """Answer until the parent closes the pipe or is gone."""
    contestant: Any = None
    method, values = "", ()
    while True:
        try:
            if contestant is None:
                module, name = make.split(":")
                contestant = getattr(importlib.import_module(module), name)(**arguments)
                answer = time.time()
            else:
                answer = getattr(contestant, method)(*values)
            pipe.send((True, answer))
        except Exception:  # noqa: BLE001 - whatever it was, the benchmark tells it and goes on
            pipe.send((False, traceback.format_exc()))
            if contestant is None:
                return
        try:
            method, values = pipe.recv()
        except (EOFError, ConnectionError):
            break
    if hasattr(contestant, "close"):
        contestant.close()
