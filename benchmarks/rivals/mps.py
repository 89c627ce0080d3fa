"""NVIDIA's Multi-Process Service for the rival's processes, where it can be had. No torch."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress

CONTROL = "nvidia-cuda-mps-control"
_FOLDERS = ("CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_LOG_DIRECTORY")


class Mps:
    """Within it, processes that are started share the device through a server of their own.

    The server stays until `stop`, after the last of its processes; no setting of the device is
    changed.

    Attributes:
        state: whether it is there, in words.
    """

    def __init__(self, *, wanted: bool) -> None:
        self._wanted = wanted
        self.state = "not asked for"
        self._folder: str | None = None

    def __enter__(self) -> Mps:
        if not self._wanted:
            return self
        if shutil.which(CONTROL) is None:
            self.state = f"there is no {CONTROL}"
            return self
        self._folder = tempfile.mkdtemp(prefix="mps_")
        for name in _FOLDERS:
            os.environ[name] = self._folder
        try:
            subprocess.run([CONTROL, "-d"], check=True, timeout=20, capture_output=True)
            self.state = "on"
        except (OSError, subprocess.SubprocessError) as error:
            self.state = f"could not be started: {error}"
            self._forget()
        return self

    def __exit__(self, *_details: object) -> None:
        """Processes that start from here on do without it."""
        self._forget()

    def stop(self) -> None:
        """End the server, once its processes have ended."""
        if self.state != "on" or self._folder is None:
            return
        environment = {**os.environ, **dict.fromkeys(_FOLDERS, self._folder)}
        with suppress(OSError, subprocess.SubprocessError):
            subprocess.run([CONTROL], input=b"quit\n", env=environment, timeout=20, check=False)
        shutil.rmtree(self._folder, ignore_errors=True)
        self.state = "was on"

    def _forget(self) -> None:
        for name in _FOLDERS:
            os.environ.pop(name, None)
