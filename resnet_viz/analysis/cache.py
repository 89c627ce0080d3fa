"""Answers that were given before, so that going back to them is instant. No torch."""

from __future__ import annotations

import threading
from collections import OrderedDict

MAX_ANSWERS = 4096
MAX_BYTES = 256 << 20  # a point of a large net has up to 16 MB


class AnswerCache:
    """Pickled answers by job; the one that was not used for longest goes first.

    They are kept pickled, so that no reader can change what the next one gets.
    """

    def __init__(self, max_answers: int = MAX_ANSWERS, max_bytes: int = MAX_BYTES) -> None:
        self._max_answers = max_answers
        self._max_bytes = max_bytes
        self._answers: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        """The answer, or None."""
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
            return self._answers.get(key)

    def put(self, key: str, answer: bytes) -> None:
        """Keep an answer, and forget others until all fit."""
        with self._lock:
            self._bytes -= len(self._answers.pop(key, b""))
            self._answers[key] = answer
            self._bytes += len(answer)
            while len(self._answers) > self._max_answers or self._bytes > self._max_bytes:
                self._bytes -= len(self._answers.popitem(last=False)[1])
