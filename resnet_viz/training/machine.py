"""Which device to train on, which number format is faster there, and how long a step takes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import psutil
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resnet_viz.nets.build import build_net
from resnet_viz.nets.costs import Costs, Machine, count_costs
from resnet_viz.specs import NetSpec

# (net, image size, batch): what a step's time is fitted to. The first is the small kind that
# the quick sweep trains, the last the size of the paper's.
_PROBES = (
    (NetSpec("resnet", 8, width=8), 16, 4),
    (NetSpec("resnet", 8, width=8), 16, 64),
    (NetSpec("resnet", 8, width=16), 32, 64),
)
_REPEATS = 7
# Cosine between a mode's gradient and float32's that still counts as the same training; two
# batches of 64 images differ far more than this.
AGREEMENT = 0.99


@cache
def resolve_device(device: str = "auto") -> str:
    """ "cuda", "mps" or "cpu"; "auto" takes the first that there is and that agrees with the CPU.

    Raises:
        ValueError: the device is not known or not there.
    """
    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if device == "auto":
        if present["cuda"]:
            return "cuda"
        return "mps" if present["mps"] and _agrees(_Mode("mps", torch.float32, True)) else "cpu"
    if device not in present:
        raise ValueError(f"device {device!r} is not known; choose auto, cuda, mps or cpu")
    if not present[device]:
        raise ValueError(f"there is no {device} device here; choose auto or cpu")
    return device


@cache
def measure_machine(device: str) -> Machine:
    """Measure a few training steps on `device`; on a CPU, of one thread.

    Bfloat16 and channels_last are taken where they are faster here *and* the gradient of a
    small net agrees with float32's: a processor without bfloat16 arithmetic fails the first
    test by a wide margin. Takes some seconds; the answer is kept.
    """
    base = psutil.Process().memory_info().rss
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        modes = _modes(device)
        times = _step_seconds(modes, *_PROBES[1])
        mode = modes[times.index(min(times))]
        points = []
        for net, size, batch in _PROBES:
            (seconds,) = _step_seconds([mode], net, size, batch)
            points.append((count_costs(net, image_size=size), batch, seconds))
    finally:
        torch.set_num_threads(threads)
    per_operation, per_activation, per_multiply_add = _fit(points)
    return Machine(
        device=device,
        dtype=str(mode.dtype).removeprefix("torch."),
        channels_last=mode.channels_last,
        seconds_per_operation=per_operation,
        seconds_per_activation=per_activation,
        seconds_per_multiply_add=per_multiply_add,
        base_bytes=base,
    )


def _modes(device: str) -> list[_Mode]:
    """Modes to choose from by their times.

    On a CUDA device with bfloat16 arithmetic there is no choice: so small a step, started kernel by
    kernel, takes as long in each, and captured in a graph, as trainings are, the half-size
    numbers win.
    """
    half = _Mode(device, torch.bfloat16, True)
    modes = [_Mode(device, torch.float32, False), _Mode(device, torch.float32, True)]
    if not _agrees(half):
        return modes
    native = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return [half] if native else [*modes, half]


def _fit(points: list[tuple[Costs, int, float]]) -> tuple[float, float, float]:
    """Non-negative coefficients of a step's seconds: operations, activations, multiply-adds.

    The three probes give three equations; where noise makes a coefficient negative, it is
    set to zero and the others are fitted again.
    """
    rows = torch.tensor(
        [[c.operations, n * c.activations, n * c.multiply_adds] for c, n, _ in points],
        dtype=torch.float64,
    )
    seconds = torch.tensor([s for *_, s in points], dtype=torch.float64)
    relative = rows / seconds[:, None]  # equal weight to each probe's relative error
    kept = [0, 1, 2]
    while True:
        scale = relative[:, kept].norm(dim=0)
        found = torch.linalg.lstsq(relative[:, kept] / scale, torch.ones_like(seconds)).solution
        found = found / scale
        if bool((found >= 0).all()):
            break
        kept.pop(int(found.argmin()))
    solution = dict(zip(kept, found.tolist(), strict=True))
    return solution.get(0, 0.0), solution.get(1, 0.0), solution.get(2, 0.0)


@dataclass(frozen=True)
class _Mode:
    """A way of training: where, with which numbers, in which memory order."""

    device: str
    dtype: torch.dtype
    channels_last: bool

    @property
    def layout(self) -> torch.memory_format:
        return torch.channels_last if self.channels_last else torch.contiguous_format


_EXACT = _Mode("cpu", torch.float32, False)


class _Probe:
    """A net with a batch, trained in one mode."""

    def __init__(self, mode: _Mode, spec: NetSpec, size: int, batch: int) -> None:
        generator = torch.Generator().manual_seed(0)
        images = torch.randn(batch, 3, size, size, generator=generator)
        self._images = images.to(mode.device, memory_format=mode.layout)
        self._labels = torch.randint(0, 10, (batch,), generator=generator).to(mode.device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            net = build_net(spec)
        self._net: nn.Module = net.to(mode.device, memory_format=mode.layout)  # type: ignore[call-overload]
        self._optimizer = torch.optim.SGD(self._net.parameters(), lr=1e-3, momentum=0.9)
        self._mode = mode

    def gradient(self) -> Tensor:
        """The gradient of all parameters in one vector, on the CPU."""
        dtype = self._mode.dtype
        with torch.autocast(self._mode.device, dtype, enabled=dtype is not torch.float32):
            loss = F.cross_entropy(self._net(self._images), self._labels)
        self._net.zero_grad()
        loss.backward()
        grads = [p.grad for p in self._net.parameters() if p.grad is not None]
        return torch.cat([g.flatten().cpu().float() for g in grads])

    def step(self) -> float:
        """Seconds of forward, backward and update; on a CPU those that this process worked,
        so that a computer which is busy with something else is not taken for a slow one."""
        clock = time.process_time if self._mode.device == "cpu" else time.perf_counter
        start = clock()
        self.gradient()  # whose copy to the CPU waits for the device
        self._optimizer.step()
        return clock() - start


def _agrees(mode: _Mode) -> bool:
    """Whether a small net's gradient in this mode is that of float32 on the CPU."""
    exact, other = (_Probe(m, *_PROBES[1]).gradient() for m in (_EXACT, mode))
    return bool(F.cosine_similarity(exact, other, dim=0) >= AGREEMENT)


def _step_seconds(modes: Sequence[_Mode], spec: NetSpec, size: int, batch: int) -> list[float]:
    """The fastest step of a few in each mode, the modes taking turns."""
    probes = [_Probe(mode, spec, size, batch) for mode in modes]
    rounds = [[probe.step() for probe in probes] for _ in range(2 + _REPEATS)]
    return [min(times) for times in zip(*rounds[2:], strict=True)]
