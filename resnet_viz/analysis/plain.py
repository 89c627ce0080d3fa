"""Which values may go from the analysis process to the page server. No torch.

Unpickling any torch object, even `torch.__version__`, would import torch into the server.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

_ATOMS = (type(None), bool, int, float, complex, str, bytes)
_DATACLASS_HOMES = tuple(
    f"resnet_viz.{name}"
    for name in (
        *("graphs", "inside", "layers", "papers", "points", "records"),
        *("signals", "sources", "specs", "sweeps"),
        *("lesions", "blockwise", "construction", "reuse"),
    )
)


def check_plain(value: Any) -> None:
    """Refuse what is not made of plain Python and numpy values and this package's dataclasses.

    Raises:
        TypeError: it holds something else; the message names it. A subclass is something else.
    """
    kind = type(value)
    if kind in _ATOMS:
        return
    if kind in (list, tuple):
        for part in value:
            check_plain(part)
    elif kind is dict:
        for key, part in value.items():
            check_plain(key)
            check_plain(part)
    elif kind is np.ndarray or (issubclass(kind, np.generic) and kind.__module__ == "numpy"):
        if value.dtype.hasobject:
            raise TypeError("an array of objects")
    elif is_dataclass(value) and kind.__module__ in _DATACLASS_HOMES:
        for field in fields(value):
            check_plain(getattr(value, field.name))
    else:
        raise TypeError(f"a {kind.__module__}.{kind.__qualname__}")
