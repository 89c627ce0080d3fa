"""Rival (b) and a process of rival (c): the best hand-tuned loop of stock PyTorch."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from typing import Any

import torch

from benchmarks.rivals.devices import synchronize, use_fast_kernels
from benchmarks.rivals.loops import Loop
from benchmarks.rivals.modes import Mode, modes
from resnet_viz.datasets.load import load
from resnet_viz.nets.costs import count_costs
from resnet_viz.specs import RunSpec

WARM_STEPS = {"cpu": 1, "cuda": 10, "mps": 5}
TRIAL_STEPS = {"cpu": 2, "cuda": 40, "mps": 10}
HOPELESS = 4.0  # a mode whose step takes so many times the best one's is not tried further


class Sequential:
    """One net after another.

    Args:
        mode: how; None to find out with `choose`.
        compiled: try torch.compile as well.
    """

    def __init__(
        self,
        runs: Sequence[RunSpec],
        device: str,
        threads: int,
        mode: Mode | None = None,
        compiled: bool = False,
    ) -> None:
        use_fast_kernels(device)
        self._runs, self._device, self._mode, self._compiled = runs, device, mode, compiled
        self._threads = threads
        self._loops: list[Loop] = []
        synchronize(device)

    def choose(self) -> dict[str, Any]:
        """Try every mode on the net in the middle of the workload's costs; the fastest stays.

        Returns:
            "mode", the chosen one; "side_by_side", on a CPU the fastest with one thread;
            "trials": milliseconds of a step or the reason why not, by name.
        """
        costs = sorted(self._runs, key=lambda run: count_costs(run.net).multiply_adds)
        run = costs[len(costs) // 2]
        found: dict[Mode, float] = {}
        trials: dict[str, Any] = {"net": run.net.name}
        for mode in modes(self._device, compiled=self._compiled):
            try:
                found[mode] = self._try(run, mode, min(found.values(), default=float("inf")))
            except Exception as error:  # noqa: BLE001 - a mode that does not work here loses
                trials[mode.name] = f"{type(error).__name__}: {error}"[:500]
                continue
            finally:
                gc.collect()
                if self._device == "cuda":
                    torch.cuda.empty_cache()
            trials[mode.name] = 1000 * found[mode]
        if not found:
            raise RuntimeError(f"no mode works here: {trials}")
        self._mode = min(found, key=found.__getitem__)
        lone = {mode: seconds for mode, seconds in found.items() if mode.threads == 1} or found
        by_one = min(lone, key=lone.__getitem__)
        return {"mode": self._mode, "side_by_side": by_one, "trials": trials}

    def _try(self, run: RunSpec, mode: Mode, best: float) -> float:
        """Seconds of a step of a net of its own."""
        torch.set_num_threads(mode.threads or self._threads)
        loop = Loop(run, load(run.data), self._device, mode)
        seconds = self._time(loop, WARM_STEPS[self._device])  # the first is slow in every mode
        if self._device == "cpu" and seconds > 2 * HOPELESS * best:
            return seconds
        seconds = self._time(loop, 1)
        if seconds > HOPELESS * best:
            return seconds
        return self._time(loop, TRIAL_STEPS[self._device])

    def _time(self, loop: Loop, steps: int) -> float:
        synchronize(self._device)
        start = time.perf_counter()
        loop.run(steps)
        synchronize(self._device)
        return (time.perf_counter() - start) / steps

    def prepare(self) -> dict[str, Any]:
        """Build, compile and capture every net, and take its first steps."""
        assert self._mode is not None, "choose first"
        torch.set_num_threads(self._mode.threads or self._threads)
        for run in self._runs:
            self._loops.append(Loop(run, load(run.data), self._device, self._mode))
            self._loops[-1].run(WARM_STEPS[self._device])
        synchronize(self._device)
        return {"mode": self._mode.name}

    def train(self, steps: int) -> dict[str, Any]:
        """So many further steps of each net, one net after another."""
        start = time.perf_counter()
        for loop in self._loops:
            loop.run(steps)
        synchronize(self._device)
        seconds = time.perf_counter() - start
        return {"seconds": seconds, "losses": [loop.metrics()[0] for loop in self._loops]}
