"""Train small plain and residual nets, watch them, and look inside.

Names are imported when they are first used, so that a program which only reads specs or
records, such as the page server, never loads torch.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "NetSpec": "resnet_viz.specs",
    "DataSpec": "resnet_viz.specs",
    "TrainSpec": "resnet_viz.specs",
    "RunSpec": "resnet_viz.specs",
    "SpecError": "resnet_viz.specs",
    "SweepSpec": "resnet_viz.sweeps",
    "Record": "resnet_viz.records",
    "build_net": "resnet_viz.nets.build",
    "train": "resnet_viz.training.loop",
    "train_many": "resnet_viz.training.loop",
    "RunStore": "resnet_viz.runs.store",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
