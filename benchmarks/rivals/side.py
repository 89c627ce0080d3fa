"""A side of the comparison: one contestant or several at once, and how its turns are timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.rivals.child import PATIENCE_SECONDS, Child, ChildError, first_ready


@dataclass(frozen=True)
class Turn:
    """One timed turn.

    Attributes:
        seconds: from the word "go" until the last process had done its steps on the device.
        steps: of every net.
        answers: what each process said.
    """

    seconds: float
    steps: int
    answers: tuple[Any, ...] = ()

    @property
    def step_seconds(self) -> float:
        """Of one step of every net of the workload."""
        return self.seconds / self.steps


class Side:
    """Children that share a workload.

    Args:
        at_once: how many of the children may train at the same time; None for all. The first
            ones go first, each of the others as soon as one has finished.
        own_clock: take the seconds that the only child measured itself, because it leaves out a
            part of its turn.
        warm_alone: let the children warm up one after another, since cuDNN's choice of kernels
            goes wrong on a busy device; the longest counts, as if the others took no time.
        afterwards: called when the children have ended.
    """

    def __init__(
        self,
        name: str,
        children: Sequence[Child],
        *,
        at_once: int | None = None,
        own_clock: bool = False,
        warm_alone: bool = False,
        afterwards: Callable[[], None] = lambda: None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self.name = name
        self.children = list(children)
        self._at_once = at_once or len(self.children)
        self._own_clock, self._warm_alone = own_clock, warm_alone
        self._patience, self._afterwards = patience, afterwards
        self.start_seconds = 0.0
        self.warm_seconds = 0.0
        self.info: Any = None

    def wait_ready(self) -> None:
        """Wait until every process has started (`start_seconds`).

        Raises:
            ChildError: one of the children cannot.
        """
        for child in self.children:
            child.wait_ready(self._patience)
        self.start_seconds = max(child.start_seconds or 0.0 for child in self.children)

    def warm_up(self) -> None:
        """Build and take first steps (`warm_seconds`).

        Raises:
            ChildError: one of the children cannot.
        """
        self.wait_ready()
        if self._warm_alone:
            seconds = []
            for child in self.children:
                start = time.perf_counter()
                self.info = child.call("prepare", patience=self._patience)
                seconds.append(time.perf_counter() - start)
            self.warm_seconds = max(seconds)
        else:
            self.warm_seconds, answers = self._ask("prepare")
            self.info = answers[0]

    def turn(self, *arguments: Any, method: str = "train") -> Turn:
        """Train; the first argument is the number of steps.

        Raises:
            ChildError: one of the children failed.
        """
        seconds, answers = self._ask(method, *arguments)
        if self._own_clock:
            seconds = float(answers[0]["seconds"])
        return Turn(seconds, arguments[0], tuple(answers))

    def _ask(self, method: str, *arguments: Any) -> tuple[float, list[Any]]:
        """Seconds until every child has answered, and the answers in the children's order."""
        waiting, busy = list(self.children), []
        answers: dict[int, Any] = {}
        start = time.perf_counter()
        while waiting or busy:
            while waiting and len(busy) < self._at_once:
                busy.append(waiting.pop(0))
                busy[-1].send(method, *arguments)
            child = first_ready(busy, self._patience)
            answers[id(child)] = child.receive(self._patience)
            busy.remove(child)
        seconds = time.perf_counter() - start
        return seconds, [answers[id(child)] for child in self.children]

    def close(self) -> None:
        """End the processes."""
        for child in self.children:
            child.close()
        self._afterwards()


__all__ = ["ChildError", "Side", "Turn"]
