"""What a page asks of the analysis process, and how far the answer is. No torch."""

from __future__ import annotations

import hashlib
import json
import pickle
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resnet_viz.analysis.cache import AnswerCache
from resnet_viz.analysis.child import Reply

_FUNCTION = re.compile(r"resnet_viz(\.\w+)+:[a-z]\w*")


@dataclass(frozen=True)
class Job:
    """One call in the analysis process; at most about half a second of work.

    Equal jobs have one answer, which is kept: the arguments must name all that it depends on,
    such as the step of a checkpoint.

    Args:
        function: "package.module:name", in this package.
        arguments: by name, JSON values; the function gets them as JSON keeps them (a tuple
            becomes a list).

    Raises:
        ValueError: the function is not of this package, or a number is not finite.
        TypeError: an argument is not a JSON value.
    """

    function: str
    arguments: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not _FUNCTION.fullmatch(self.function):
            raise ValueError(f"{self.function!r} does not name a function of this package")
        text = json.dumps(dict(self.arguments), allow_nan=False)
        object.__setattr__(self, "arguments", json.loads(text))

    @property
    def key(self) -> str:
        """A hash of the whole job, whose arguments may hold a picture."""
        parts = [self.function, self.arguments]
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def as_program(self) -> str:
        """The same call in Python, for a notebook."""
        module, name = self.function.split(":")
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.arguments.items())
        return f"from {module} import {name}\n\n{name}({arguments})\n"


class Inquiry:
    """A list of jobs, sent one at a time; several inquiries take turns.

    Every method may be called from any thread.
    """

    def __init__(self, jobs: Sequence[Job], cache: AnswerCache) -> None:
        self.jobs = tuple(jobs)
        self._cache = cache
        self._changed = threading.Condition()
        self._answers: list[Any] = []
        self._error: Callable[[], str] | None = None
        self._trouble: str | None = None
        self._refused = False
        self._seconds = 0.0
        self._cancelled = False
        self.next_job()

    @property
    def answers(self) -> list[Any]:
        """Of the first jobs, in their order, as many as there are so far."""
        with self._changed:
            return list(self._answers)

    @property
    def done(self) -> bool:
        """Whether every job is answered."""
        with self._changed:
            return len(self._answers) == len(self.jobs)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come: it is done, or it failed, or was cancelled."""
        with self._changed:
            return self._is_ended()

    @property
    def error(self) -> str | None:
        """Why it ended early, for a person."""
        return self._error() if self._error else None

    @property
    def trouble(self) -> str | None:
        """The traceback, where the error was not expected."""
        return self._trouble

    @property
    def refused(self) -> bool:
        """Whether a job answered with a reason, for which it would give the same answer again."""
        return self._refused

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled before it was done."""
        return self._cancelled

    @property
    def seconds(self) -> float:
        """Computing time so far; none for answers that were known."""
        return self._seconds

    def cancel(self) -> None:
        """Send no next job. The answer to the present one will be kept for whoever asks again."""
        with self._changed:
            self._cancelled = not self._is_ended() or self._cancelled
            self._changed.notify_all()

    def wait(self, timeout: float | None = None) -> bool:
        """Block until it has ended, at most `timeout` seconds; whether it has."""
        with self._changed:
            return self._changed.wait_for(self._is_ended, timeout)

    def _is_ended(self) -> bool:
        all_answered = len(self._answers) == len(self.jobs)
        return all_answered or self._error is not None or self._cancelled

    # --- what the analysis process calls ---

    def next_job(self) -> Job | None:
        """The next job whose answer is not known; None when there is nothing more to do."""
        with self._changed:
            while not self._is_ended():
                job = self.jobs[len(self._answers)]
                known = self._cache.get(job.key)
                if known is None:
                    return job
                self._answers.append(pickle.loads(known))
                self._changed.notify_all()
            return None

    def accept(self, job: Job, reply: Reply) -> None:
        """Take the reply to the job that `next_job` gave."""
        if reply.answer is None:
            self._refused = reply.trouble is None
            self.fail(lambda: reply.error, reply.trouble)
            return
        self._cache.put(job.key, reply.answer)
        with self._changed:
            self._seconds += reply.seconds
            if not self._is_ended():
                self._answers.append(pickle.loads(reply.answer))
                self._changed.notify_all()

    def fail(self, error: Callable[[], str], trouble: str | None = None) -> None:
        """End it early; `error` is called where it is read, in the reader's language."""
        with self._changed:
            if not self._is_ended():
                self._error, self._trouble = error, trouble
                self._changed.notify_all()
