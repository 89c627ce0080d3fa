"""Waiting for a device, its name, and how fast it copies."""

from __future__ import annotations

import os
import platform
import statistics
import time
from typing import Any

import torch

from resnet_viz.training.machine import measure_machine, resolve_device

_COPY_BYTES = {"cuda": 1 << 30, "mps": 1 << 28, "cpu": 1 << 28}
_COPIES = 20


def synchronize(device: str) -> None:
    """Wait until the device has done what it was given."""
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()


def use_fast_kernels(device: str) -> None:
    """Let cuDNN try its algorithms, as every hand-tuned loop does."""
    if device == "cuda":
        torch.backends.cudnn.benchmark = True


def device_name(device: str) -> str:
    """Of the processor that trains."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [
                line.split(":", 1)[1].strip() for line in file if line.startswith("model name")
            ]
    except OSError:
        names = []
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name} ({torch.backends.cpu.get_cpu_capability()})"


def copy_bandwidth(device: str) -> float:
    """Bytes a second of a large copy within the device's memory, read and written ones.

    The median of twenty copies; on a CPU by all the threads that torch is set to.
    """
    source = torch.ones(_COPY_BYTES[device] // 4, device=device)
    target = torch.empty_like(source)
    seconds = []
    for _ in range(3 + _COPIES):
        synchronize(device)
        start = time.perf_counter()
        target.copy_(source)
        synchronize(device)
        seconds.append(time.perf_counter() - start)
    return 2 * source.nbytes / statistics.median(seconds[3:])


class Look:
    """A process that looks at the device and ends, so that the parent never touches it."""

    def __init__(self, device: str, threads: int) -> None:
        self._wanted, self._threads = device, threads

    def look(self) -> dict[str, Any]:
        """Device, versions, what the program measures of it, and its copy bandwidth."""
        device = resolve_device(self._wanted)
        start = time.perf_counter()
        machine = measure_machine(device)
        measured = time.perf_counter() - start
        torch.set_num_threads(self._threads)
        found = {
            "device": device,
            "device_name": device_name(device),
            "torch": torch.__version__,
            "python": platform.python_version(),
            "platform": platform.platform(),
            "cores": self._threads,
            "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
            "machine": machine.to_dict(),
            "machine_seconds": measured,
            "copy_bytes_per_second": copy_bandwidth(device),
        }
        if device == "cuda":
            found["cuda"] = torch.version.cuda
            found["cudnn"] = torch.backends.cudnn.version()
            found["memory_bytes"] = torch.cuda.get_device_properties(0).total_memory
        return found

    def load(self, data: list[Any]) -> dict[str, Any]:
        """Decode or draw the data sets into the data folder, where every process finds them."""
        from resnet_viz.datasets.load import load

        return {"train_images": [len(load(spec).train_labels) for spec in data]}
