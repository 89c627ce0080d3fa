"""What a training says while it goes on, and how a reader keeps it. Standard library only.

Fractions are 0..1. `training` and `evaluation` records are the same, bit for bit, whenever
the same spec is trained with the same seed, threads and dtype on a CPU; `speed` records are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from resnet_viz.specs import RunSpec

# kind -> the columns that its records may hold
COLUMNS = {
    "training": ("running_error", "running_loss", "lr"),
    "evaluation": ("train_error", "val_error", "test_error"),
    "speed": ("images_per_second", "seconds"),
}

# What a profile measures, in the order of `layers.weighted_layers` and `layers.blocks_of`.
LAYER_COLUMNS = ("gradient_norm", "weight_norm", "update_ratio")
BLOCK_COLUMNS = ("response_std", "input_norm", "branch_norm", "sum_norm")
PROFILE_COLUMNS = (*LAYER_COLUMNS, *BLOCK_COLUMNS)
PROBE_EVERY = 10  # steps between two profiles, if nothing else is asked for

RUNNING_STEPS = 25  # a running error is the mean of this many last steps

STATUSES = ("queued", "running", "paused", "done", "stopped", "diverged", "failed")
ACTIVE = ("queued", "running")
RESUMABLE = ("paused", "stopped", "failed")


@dataclass(frozen=True)
class Record:
    """One line of a run: some measurements after `step` gradient steps.

    Attributes:
        kind: "training", "evaluation" or "speed".
        step: gradient steps taken so far.
        values: column name to value; see `COLUMNS`.
    """

    kind: str
    step: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class Profile:
    """A net seen layer by layer in one training step: its batch, gradient and update.

    Norms are L2. Of a weighted layer: the gradient of its weights, its weights before the
    step, and the norm of the step's change over theirs. Of a block: the standard deviation
    of its response (the residual branch's output: after its last batch norm in a plain or
    post-activation net, before the addition; He et al. 2015, Fig. 7), and the norms of its
    input x, of F(x) and of shortcut(x) + F(x), root mean square over images. These are the first
    16 images of the batch, so that measuring costs little. A plain block has no sum.

    Attributes:
        step: gradient steps taken, this one included.
        values: column of `PROFILE_COLUMNS` to one float32 value a layer or a block; what was
            not finite is NaN, and zero may be a norm whose square is below what float32 holds
            (about 1e-22).
    """

    step: int
    values: Mapping[str, tuple[float, ...]]
    kind: ClassVar[str] = "profile"


@dataclass(frozen=True)
class RunInfo:
    """One run of the store as its readers see it, without its records.

    Attributes:
        id: the run's own number; the same spec may have been run twice.
        sweep_id: the sweep that it belongs to.
        status: one of `STATUSES`.
        wish: what a person has asked for and the worker has not yet done: "stop", "pause" or None.
        step: gradient steps whose records are stored.
        running_error, train_error, val_error, test_error: the latest of each, fractions, or None.
        seconds: training time so far, without waiting.
        device, dtype, threads, version: where and with what it was trained; None before its start.
        epoch: counts claims; when it has changed, records may have been taken back (a resume
            deletes what lies past its checkpoint), so a reader starts again.
        checkpoint_step: steps in its newest checkpoint, or None.
        error: message and traceback of a failed run.
        notes: what a person should know of its data, such as images that could not be read.
        created, updated: seconds since the epoch.
    """

    id: int
    sweep_id: str
    spec: RunSpec
    status: str
    wish: str | None = None
    step: int = 0
    running_error: float | None = None
    train_error: float | None = None
    val_error: float | None = None
    test_error: float | None = None
    seconds: float = 0.0
    images_per_second: float | None = None
    device: str | None = None
    dtype: str | None = None
    threads: int | None = None
    version: str | None = None
    epoch: int = 0
    checkpoint_step: int | None = None
    error: str | None = None
    notes: str | None = None
    created: float = 0.0
    updated: float = 0.0


@dataclass
class History:
    """The records of one run by column: `steps[c][i]` and `values[c][i]` belong together."""

    steps: dict[str, list[int]] = field(default_factory=dict)
    values: dict[str, list[float]] = field(default_factory=dict)

    def extend(self, records: Iterable[Record]) -> None:
        """Append records, which come in order of step within their kind."""
        for record in records:
            for column, value in record.values.items():
                self.steps.setdefault(column, []).append(record.step)
                self.values.setdefault(column, []).append(value)

    def last(self, column: str) -> float | None:
        """The newest value of a column, or None."""
        values = self.values.get(column)
        return values[-1] if values else None
