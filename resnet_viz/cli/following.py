"""A sweep trained in pieces: how far it is, said every few seconds, until its end or a pause."""

from __future__ import annotations

import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from resnet_viz.i18n import _
from resnet_viz.records import ACTIVE, RunInfo
from resnet_viz.runs.lanes import run_seconds
from resnet_viz.runs.store import RunStore
from resnet_viz.runs.supervisor import Supervisor

POLL_SECONDS = 0.2
LINE_SECONDS = {True: 1.0, False: 10.0}  # on a terminal, whose line is written over; in a file
WINDOW_SECONDS = 30.0  # over which speed is measured


def follow(
    store: RunStore,
    supervisor: Supervisor,
    sweep_id: str,
    until: Callable[[], bool] = lambda: False,
) -> float:
    """Wait until nothing of a sweep waits or trains; say on stderr how far it is.

    Args:
        until: asked again and again; when it is true, or at Ctrl+C or the signal to end, every
            run is paused, which writes its checkpoint.

    Returns:
        Seconds by the clock from the moment when the first run was taken up.
    """
    pace, said, due, interrupted = _Pace(), set[str](), 0.0, False
    begun = None
    with _ending_as_interrupt():
        try:
            while any(run.status in ACTIVE for run in store.runs(sweep_id)):
                runs = store.runs(sweep_id)
                if begun is None and any(run.status == "running" for run in runs):
                    begun = time.monotonic()
                pace.look(runs)
                _say_once(said, (supervisor.error, *(run.notes for run in runs)))
                if time.monotonic() >= due:
                    due = time.monotonic() + LINE_SECONDS[sys.stderr.isatty()]
                    _say(pace.line(runs))
                if until():
                    interrupted = True
                    break
                time.sleep(POLL_SECONDS)
        except KeyboardInterrupt:
            interrupted = True
        if interrupted:
            _pause(store, sweep_id)
    seconds = 0.0 if begun is None else time.monotonic() - begun
    runs = store.runs(sweep_id)
    _say(pace.line(runs), last=True)
    _say_once(said, (run.error for run in runs))
    return seconds


@contextmanager
def _ending_as_interrupt() -> Iterator[None]:
    """Let the signal that asks a process to end act as Ctrl+C does."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _pause(store: RunStore, sweep_id: str) -> None:
    """Pause every run and wait until that is done; the workers write the checkpoints."""
    _say(_("Pausing: the checkpoints are being written."), last=True)
    store.request_pause([run.id for run in store.runs(sweep_id)])
    while any(run.status in ACTIVE for run in store.runs(sweep_id)):
        time.sleep(POLL_SECONDS)


def _say(line: str, *, last: bool = False) -> None:
    """A line of progress; on a terminal the next one is written over it unless it is the last."""
    if sys.stderr.isatty():
        print(f"\r{line}\033[K", end="\n" if last else "", file=sys.stderr, flush=True)
    else:
        print(line, file=sys.stderr, flush=True)


def _say_once(said: set[str], texts: Iterator[str | None] | Sequence[str | None]) -> None:
    for text in texts:
        if text and text not in said:
            said.add(text)
            print(f"\n{text}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class _Sample:
    """What was done when: in seconds of work by the estimate, and in images."""

    at: float
    work: float
    images: int


class _Pace:
    """Speed over the last half minute, as a person with a watch would measure it.

    Nets that train at once on one device overlap, so their own times do not add up to a clock's.
    """

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque()

    def look(self, runs: Sequence[RunInfo]) -> None:
        """Note how far the runs are now."""
        now = time.monotonic()
        work = sum(_share(run) * run_seconds(run.spec) for run in runs)
        images = sum(run.step * run.spec.train.batch_size for run in runs)
        if self._samples and images == self._samples[-1].images:
            return
        self._samples.append(_Sample(now, work, images))
        while now - self._samples[0].at > WINDOW_SECONDS:
            self._samples.popleft()

    def line(self, runs: Sequence[RunInfo]) -> str:
        """How far, how long still, how fast, and the least and most iterations of the nets."""
        total = sum(run_seconds(run.spec) for run in runs)
        work = sum(_share(run) * run_seconds(run.spec) for run in runs)
        parts = [f"{work / total:5.1%}"]
        first, last = (self._samples[0], self._samples[-1]) if self._samples else (None, None)
        active = any(run.status in ACTIVE for run in runs)
        if active and first and last and last.work > first.work:
            seconds = last.at - first.at
            left = (total - work) * seconds / (last.work - first.work)
            speed = (last.images - first.images) / seconds
            parts.append(_("{minutes:.1f} min left").format(minutes=left / 60))
            parts.append(_("{n:,.0f} images/s").format(n=speed))
        steps = sorted(run.step for run in runs)
        text = _("iteration {low:,} to {high:,} of {most:,}")
        parts.append(text.format(low=steps[0], high=steps[-1], most=runs[0].spec.train.steps))
        done = sum(run.status == "done" for run in runs)
        parts.append(_("{done} of {n} nets done").format(done=done, n=len(runs)))
        return " · ".join(parts)


def _share(run: RunInfo) -> float:
    return run.step / run.spec.train.steps
