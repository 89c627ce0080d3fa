"""Where the files lie with whose weights a run begins. No torch."""

from __future__ import annotations

import re
from pathlib import Path

from resnet_viz.home import data_home

ENDING = ".safetensors"
_NAME = re.compile(r"[0-9a-f]{64}")


class StartError(ValueError):
    """Weights that a run cannot start from; the message says what to do."""


def starts_folder(home: Path | None = None) -> Path:
    """The folder of all of them.

    Args:
        home: the data folder; None for `data_home()`.
    """
    return (home or data_home()) / "starts"


def start_path(start: str, home: Path | None = None) -> Path:
    """File of the weights of that SHA-256.

    Raises:
        ValueError: it is not 64 hexadecimal digits, so it could be any path.
    """
    if not _NAME.fullmatch(start):
        raise ValueError(f"{start!r:.80} is not a SHA-256")
    return starts_folder(home) / f"{start}{ENDING}"
