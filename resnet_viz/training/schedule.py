"""Learning rate by step, and at which steps a run says something."""

from __future__ import annotations

import math

from resnet_viz.checks import check_integer
from resnet_viz.records import PROBE_EVERY
from resnet_viz.specs import TrainSpec

JUDGE_EVERY = 100  # steps between judgements of the warm-up by error, so that it is deterministic
KEPT_HALF_DECADES = 6  # checkpoints to keep of one run, counted back from its end
MAX_LOGGED = 1000  # training records of one run, about; profiles too if nobody asks for more
MAX_PROBE_EVERY = 10_000_000  # as many as a recipe may have steps


def learning_rate(train: TrainSpec, step: int, *, warmed_up: bool = True) -> float:
    """Learning rate of step `step` (0 is the first).

    Args:
        warmed_up: False while the warm-up by error lasts, which trains at a tenth
            (He et al. 2015, 4.2).
    """
    if not warmed_up:
        return train.lr / 10
    if step < train.warmup_steps:
        return train.lr * (step + 1) / train.warmup_steps
    if train.schedule == "cosine":
        span = max(1, train.steps - train.warmup_steps)
        return train.lr * 0.5 * (1 + math.cos(math.pi * (step - train.warmup_steps) / span))
    if train.schedule == "step":
        passed = sum(step >= train.steps * part for part in (0.5, 0.75))
        return train.lr / 10**passed
    return train.lr


def log_interval(train: TrainSpec) -> int:
    """Steps between training records."""
    return -(-train.steps // MAX_LOGGED)


def kept_steps(steps: int) -> tuple[int, ...]:
    """Steps after which the net of a run is kept, so that it can be looked at early and late.

    Ascending: 0 (as initialised), then logarithmically spaced up to the last step: for 300 steps
    0, 1, 3, 9, 30, 95, 300.
    """
    spaced = {max(1, round(steps / 10 ** (k / 2))) for k in range(KEPT_HALF_DECADES)}
    return (0, *sorted(spaced))


def check_probe_every(probe_every: object) -> None:
    """Refuse what is no number of steps between profiles (0 for none), with a SpecError."""
    check_integer("probe_every", probe_every, 0, MAX_PROBE_EVERY)


def probe_interval(train: TrainSpec, probe_every: int | None) -> int:
    """Steps between profiles, 0 for none.

    It is what was asked for; where that is the default, a run does not keep more profiles than
    training records.

    Raises:
        SpecError: what was asked for is no number of steps.
    """
    check_probe_every(probe_every or 0)
    if probe_every == PROBE_EVERY:
        return max(PROBE_EVERY, log_interval(train))
    return probe_every or 0


def evaluation_interval(train: TrainSpec, images: int) -> int:
    """Steps between evaluations on `images` held-out images.

    At most twenty a run, and so few that they cost under 2 % of the training: an
    image evaluated costs a third of an image trained on.
    """
    return max(-(-train.steps // 20), -(-20 * images // train.batch_size))
