"""What this computer calls itself. No torch."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path


@cache
def processor_name() -> str:
    """The processor's name as its maker writes it, where the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def trained_on_key(sweep_id: str) -> str:
    """The store's setting that keeps the names of the computers that a sweep was trained on."""
    return f"trained_on:{sweep_id}"
