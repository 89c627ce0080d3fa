"""Where the program keeps its data: runs, checkpoints, data sets."""

from __future__ import annotations

import os
from pathlib import Path


def data_home() -> Path:
    """`RESNET_VIZ_HOME`, or the user's data directory by the platform's convention."""
    chosen = os.environ.get("RESNET_VIZ_HOME")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs  # only where nobody chose: a machine that trains may be without it

    return platformdirs.user_data_path("resnet_viz")


def datasets_home() -> Path:
    """Folder of downloaded data sets, image folders and the cache of decoded images."""
    return data_home() / "datasets"
