"""The training loop, for one net and for many in lockstep."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from resnet_viz.records import PROBE_EVERY, Profile, Record
from resnet_viz.specs import RunSpec
from resnet_viz.training.graphed import GraphedTraining
from resnet_viz.training.machine import resolve_device
from resnet_viz.training.training import DivergedError, Training


@dataclass(frozen=True)
class Chunk:
    """What one training has to say after its turn.

    Attributes:
        index: which training.
        records: new records and profiles, perhaps none.
        status: "running", or one of "done", "stopped", "diverged" and "failed", after which
            this training takes no more turns.
        error: for "diverged" the reason, for "failed" the traceback.
    """

    index: int
    records: tuple[Record | Profile, ...] = ()
    status: str = "running"
    error: str | None = None


def make_training(spec: RunSpec, *, device: str = "auto", **options: Any) -> Training:
    """A training of the kind that suits the device; `options` are those of `Training`.

    Raises:
        What `Training` raises.
    """
    device = resolve_device(device)
    kind = GraphedTraining if device == "cuda" else Training
    return kind(spec, device=device, **options)


def train_many(
    trainings: Sequence[Training], *, should_stop: Callable[[int], bool] = lambda index: False
) -> Iterator[Chunk]:
    """Train several nets in lockstep: one step of each in turn, so that they compare at equal step.

    Args:
        trainings: in any state; finished ones are reported "done".
        should_stop: asked with a training's index before each of its steps.

    Yields:
        A chunk for each turn. An error in one training ends that one alone.
    """
    active = dict(enumerate(trainings))
    while active:
        for index, training in list(active.items()):
            chunk = _turn(index, training, should_stop)
            if chunk.status != "running":
                del active[index]
            yield chunk


def _turn(index: int, training: Training, should_stop: Callable[[int], bool]) -> Chunk:
    if training.finished:
        return Chunk(index, status="done")
    if should_stop(index):
        return Chunk(index, status="stopped")
    try:
        records = tuple(training.advance())
    except DivergedError as error:
        return Chunk(index, status="diverged", error=str(error))
    except Exception:  # noqa: BLE001 - whatever it was, it must not take the other nets along
        return Chunk(index, status="failed", error=traceback.format_exc())
    return Chunk(index, records, "done" if training.finished else "running")


def train(
    spec: RunSpec,
    *,
    device: str = "auto",
    should_stop: Callable[[], bool] = lambda: False,
    probe_every: int | None = PROBE_EVERY,
) -> Iterator[Record | Profile]:
    """Train one net; a notebook loops over its records and profiles as they come.

    Args:
        probe_every: steps between profiles; 0 or None for none.

    Raises:
        DivergedError: the loss is no longer finite.
        DataError: the data set is not there.
    """
    training = make_training(spec, device=device, probe_every=probe_every)
    while not training.finished and not should_stop():
        yield from training.advance()
