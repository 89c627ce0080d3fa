"""Ourselves: `train_many` as a training process of the program calls it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from benchmarks.rivals.devices import synchronize, use_fast_kernels
from resnet_viz.nets.costs import Machine
from resnet_viz.records import Record
from resnet_viz.runs.worker import NICENESS
from resnet_viz.specs import RunSpec
from resnet_viz.training.loop import train_many
from resnet_viz.training.training import Training

WARM_STEPS = {"cpu": 1, "cuda": 20, "mps": 5}


class Ours:
    """The runs of one lane, trained in lockstep, and held between turns.

    `train_many` is a generator: between turns nobody asks it for more. A turn ends when every net
    has taken its steps and the device has done them.

    Args:
        machine: measured before, as the program keeps it.
        probe_every: as the store of the program would pass it on; 0 for no probes.
        as_worker: take the low priority of the program's training processes.
    """

    def __init__(
        self,
        runs: Sequence[RunSpec],
        device: str,
        threads: int,
        machine: dict[str, Any],
        probe_every: int,
        as_worker: bool = False,
    ) -> None:
        self._runs, self._device, self._threads = runs, device, threads
        self._machine, self._probe_every = Machine.from_dict(machine), probe_every
        if as_worker and hasattr(os, "nice"):
            os.nice(NICENESS)
        torch.set_num_threads(1)  # as a worker does; a training sets its own
        use_fast_kernels(device)
        synchronize(device)

    def prepare(self) -> dict[str, Any]:
        """Trainings as `runs.session` makes them, and their first steps."""
        self._trainings = [
            Training(
                run,
                device=self._device,
                threads=self._threads,
                machine=self._machine,
                checkpoint=None,
                probe_every=self._probe_every,
            )
            for run in self._runs
        ]
        self._chunks = train_many(self._trainings)
        self._loss: dict[int, float] = {}
        self.advance_to(min(WARM_STEPS[self._device], *(r.train.steps for r in self._runs)))
        first = self._trainings[0]
        return {"dtype": first.dtype, "channels_last": first.channels_last}

    def train(self, steps: int) -> dict[str, Any]:
        """So many further steps of every net.

        Returns:
            "overshoot": steps that the fastest net took more than the slowest, beyond the turn's.
        """
        start = time.perf_counter()
        self.advance_to(min(t.step for t in self._trainings) + steps)
        done = [t.step for t in self._trainings]
        return {
            "seconds": time.perf_counter() - start,
            "overshoot": max(done) - min(done),
            "losses": [self._loss.get(i) for i in range(len(done))],
        }

    def advance_to(self, step: int) -> None:
        """Train until every net has taken `step` steps.

        Raises:
            RuntimeError: a net failed or diverged.
        """
        while min(t.step for t in self._trainings) < step:
            chunk = next(self._chunks)
            if chunk.error:
                raise RuntimeError(f"{self._runs[chunk.index].net.name}: {chunk.error}")
            for record in chunk.records:
                if isinstance(record, Record) and record.kind == "training":
                    self._loss[chunk.index] = record.values["running_loss"]
        synchronize(self._device)

    def train_whole(self, steps: int) -> dict[str, Any]:
        """New trainings of `steps` steps from their making to their last evaluation."""
        start = time.perf_counter()
        self._runs = [replace(r, train=replace(r.train, steps=steps)) for r in self._runs]
        self.prepare()
        for chunk in self._chunks:
            if chunk.error:
                raise RuntimeError(f"{self._runs[chunk.index].net.name}: {chunk.error}")
        synchronize(self._device)
        return {"seconds": time.perf_counter() - start}
