"""Which device to train on, which number format is faster there, and how long a step takes."""

from __future__ import annotations

import time
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
_REPEATS = 5
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
        return "mps" if present["mps"] and _agrees("mps", torch.float32, True) else "cpu"
    if device not in present:
        raise ValueError(f"device {device!r} is not known; choose auto, cuda, mps or cpu")
    if not present[device]:
        raise ValueError(f"there is no {device} device here; choose auto or cpu")
    return device


@cache
def measure_machine(device: str) -> Machine:
    """Measure a few training steps on `device`, with as many threads as torch is set to use.

    Bfloat16 and channels_last are taken where they are faster here *and* the gradient of a
    small net agrees with float32's: a processor without bfloat16 arithmetic fails the first
    test by a wide margin. Takes some seconds; the answer is kept.
    """
    base = psutil.Process().memory_info().rss
    modes = [(torch.float32, False), (torch.float32, True), (torch.bfloat16, True)]
    usable = [m for m in modes if m[0] is torch.float32 or _agrees(device, *m)]
    net, size, batch = _PROBES[1]
    dtype, channels_last = min(usable, key=lambda m: _step_seconds(net, size, batch, device, *m))
    points = []
    for net, size, batch in _PROBES:
        seconds = _step_seconds(net, size, batch, device, dtype, channels_last)
        points.append((count_costs(net, image_size=size), batch, seconds))
    per_operation, per_activation, per_multiply_add = _fit(points)
    return Machine(
        device=device,
        dtype=str(dtype).removeprefix("torch."),
        channels_last=channels_last,
        seconds_per_operation=per_operation,
        seconds_per_activation=per_activation,
        seconds_per_multiply_add=per_multiply_add,
        base_bytes=base,
    )


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


def _batch(size: int, batch: int, device: str, channels_last: bool) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(batch, 3, size, size, generator=generator)
    labels = torch.randint(0, 10, (batch,), generator=generator)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    return images.to(device, memory_format=layout), labels.to(device)


def _net(spec: NetSpec, device: str, channels_last: bool) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = build_net(spec)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    return net.to(device, memory_format=layout)  # type: ignore[call-overload]


def _backward(net: nn.Module, images: Tensor, labels: Tensor, dtype: torch.dtype) -> None:
    with torch.autocast(images.device.type, dtype, enabled=dtype is not torch.float32):
        loss = F.cross_entropy(net(images), labels)
    net.zero_grad()
    loss.backward()


def _agrees(device: str, dtype: torch.dtype, channels_last: bool) -> bool:
    """Whether a small net's gradient in this mode is that of float32 on the CPU."""
    gradients = []
    for where, kind, layout in (("cpu", torch.float32, False), (device, dtype, channels_last)):
        net = _net(NetSpec("resnet", 8, width=8), where, layout)
        _backward(net, *_batch(16, 64, where, layout), kind)
        gradients.append(torch.cat([p.grad.flatten().cpu().float() for p in net.parameters()]))  # type: ignore[union-attr]
    exact, other = gradients
    return bool(F.cosine_similarity(exact, other, dim=0) >= AGREEMENT)


def _step_seconds(
    spec: NetSpec, size: int, batch: int, device: str, dtype: torch.dtype, channels_last: bool
) -> float:
    """Lower quartile of a few steps: forward, backward, update."""
    net = _net(spec, device, channels_last)
    images, labels = _batch(size, batch, device, channels_last)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9)
    times = []
    for _ in range(2 + _REPEATS):
        start = time.perf_counter()
        _backward(net, images, labels, dtype)
        optimizer.step()
        next(net.parameters()).sum().item()  # waits for the device
        times.append(time.perf_counter() - start)
    return sorted(times[2:])[_REPEATS // 4]
