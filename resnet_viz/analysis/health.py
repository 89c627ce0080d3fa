"""What the analysis process says of itself."""

from __future__ import annotations

import os
import platform

import psutil
import torch

from resnet_viz import __version__
from resnet_viz.home import data_home


def measure_health() -> dict[str, str | int]:
    """Versions, threads, memory and place of this process, as plain values."""
    return {
        "version": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "threads": torch.get_num_threads(),
        "pid": os.getpid(),
        "memory_bytes": int(psutil.Process().memory_info().rss),
        "home": str(data_home()),
    }
