"""Runs trained to their end for the comparison of final errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from resnet_viz.nets.costs import Machine
from resnet_viz.records import Record
from resnet_viz.specs import RunSpec
from resnet_viz.training.loop import train_many
from resnet_viz.training.training import Training


class Finals:
    """A process that trains its runs and says their final test errors.

    Args:
        machine: number format and memory layout.
        eager: step by step, one run after another, in place of `train_many`.
    """

    def __init__(
        self, runs: Sequence[RunSpec], machine: dict[str, Any], eager: bool, threads: int
    ) -> None:
        self._runs, self._machine = runs, Machine.from_dict(machine)
        self._eager, self._threads = eager, threads
        torch.set_num_threads(threads)

    def train(self) -> list[float]:
        """Final test errors in the order of the runs.

        Raises:
            RuntimeError: a run failed or diverged.
        """
        errors = [1.0] * len(self._runs)
        if self._eager:
            for i, run in enumerate(self._runs):
                training = self._make(run)
                while not training.finished:
                    for record in training.advance():
                        if isinstance(record, Record):
                            errors[i] = record.values.get("test_error", errors[i])
            return errors
        for chunk in train_many([self._make(run) for run in self._runs]):
            if chunk.error:
                raise RuntimeError(chunk.error)
            for record in chunk.records:
                if isinstance(record, Record):
                    errors[chunk.index] = record.values.get("test_error", errors[chunk.index])
        return errors

    def _make(self, run: RunSpec) -> Training:
        return Training(
            run,
            device=self._machine.device,
            threads=self._threads,
            machine=self._machine,
            checkpoint=None,
            probe_every=0,
        )
