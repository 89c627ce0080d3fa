"""Linear probes as files: kept ones in the data folder, and those that come with the program.

A file is safetensors: "weights.<i>" and "bias.<i>" a point, and everything else as JSON in its
metadata. No torch.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from resnet_viz.home import data_home
from resnet_viz.i18n import _
from resnet_viz.inside import LinearProbes
from resnet_viz.layers import blocks_of
from resnet_viz.sources import Source
from resnet_viz.specs import NetSpec

SCHEMA = 1
MAX_TEXT = 200  # characters of a class name, and of the words for the data
SHIPPED = Path(__file__).parents[1] / "assets" / "probes"


class ProbeFileError(ValueError):
    """A file that holds no linear probes, or cannot be written."""


def kept_path(key: Mapping[str, Any]) -> Path:
    """Where the probes lie that all of `key` (JSON values) is enough to compute anew."""
    text = json.dumps({"schema": SCHEMA, **key}, sort_keys=True)
    name = hashlib.sha256(text.encode()).hexdigest()[:32]
    return data_home() / "linear_probes" / f"{name}.safetensors"


def shipped_path(source: Source) -> Path | None:
    """File of the probes that come with the program for a net that does, or None."""
    if source.kind != "bundled" or source.randomised:
        return None
    path = SHIPPED / f"{source.name}.safetensors"
    return path if path.is_file() else None


def is_shipped(path: Path) -> bool:
    """Whether a file is one that comes with the program."""
    return path.parent == SHIPPED


def write_probes(path: Path, probes: LinearProbes, *, dtype: str = "float32") -> None:
    """Write probes so that `path` holds nothing or all of them.

    Args:
        dtype: of the weights; "float16" is enough for what is shown, and is not taken where its
            range is not.

    Raises:
        ProbeFileError: the file cannot be written.
    """
    most = np.finfo(dtype).max
    tensors = {
        f"weights.{i}": w.astype(dtype if np.abs(w).max() <= most else "float32")
        for i, w in enumerate(probes.weights)
    }
    tensors |= {f"bias.{i}": b.astype("float32") for i, b in enumerate(probes.bias)}
    about = {
        "schema": SCHEMA,
        "net": probes.net.to_dict(),
        "step": probes.step,
        "points": probes.points,
        "train_error": probes.train_error,
        "test_error": probes.test_error,
        "train_images": probes.train_images,
        "test_images": probes.test_images,
        "net_error": probes.net_error,
        "classes": probes.classes,
        "data": probes.data,
    }
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, part, {"linear_probes": json.dumps(about)})
        os.replace(part, path)
    except (OSError, SafetensorError) as error:
        text = _("The probes cannot be kept in {path}: {error}. Make room, or let it be written.")
        raise ProbeFileError(text.format(path=path.parent, error=error)) from None
    finally:
        part.unlink(missing_ok=True)


def read_probes(path: Path) -> LinearProbes:
    """The probes in a file, which is not trusted.

    Raises:
        ProbeFileError: missing, damaged, or not what this program writes.
    """
    try:
        with safe_open(path, "np") as file:
            about = json.loads((file.metadata() or {}).get("linear_probes", "null"))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return _checked(about, arrays)
    except (OSError, SafetensorError, ValueError, TypeError, LookupError, OverflowError) as error:
        text = _("{file} holds no linear probes that can be used ({error:.200}).")
        raise ProbeFileError(text.format(file=path.name, error=str(error))) from None


def _checked(about: Any, arrays: dict[str, Any]) -> LinearProbes:
    if not isinstance(about, dict) or about.get("schema") != SCHEMA:
        raise ValueError("it was not written by this version of the program")
    net = NetSpec.from_dict(about["net"])
    blocks = blocks_of(net)
    channels = [net.width, *(block.c_out for block in blocks)]
    classes = tuple(_text(name) for name in about["classes"])
    points = tuple(_text(name) for name in about["points"])
    count = len(channels)
    weights = [arrays[f"weights.{i}"].astype(np.float32) for i in range(count)]
    bias = [arrays[f"bias.{i}"].astype(np.float32) for i in range(count)]
    for w, b, width in zip(weights, bias, channels, strict=True):
        if w.shape != (len(classes), width) or b.shape != (len(classes),):
            raise ValueError("its weights do not fit its net")
        if not np.isfinite(w).all() or np.isnan(b).any() or np.isposinf(b).any():
            raise ValueError("its weights are not finite")
    train_error = tuple(_fraction(value) for value in about["train_error"])
    test_error = tuple(_fraction(value) for value in about["test_error"])
    if not len(points) == len(train_error) == len(test_error) == count:
        raise ValueError("it has not one probe a block")
    step = about["step"]
    return LinearProbes(
        net=net,
        step=None if step is None else _whole(step),
        points=points,
        train_error=train_error,
        test_error=test_error,
        train_images=_whole(about["train_images"]),
        test_images=_whole(about["test_images"]),
        net_error=_fraction(about["net_error"]),
        classes=classes,
        data=_text(about["data"]),
        weights=tuple(weights),
        bias=tuple(bias),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise ValueError("a name is not a short text")
    return value


def _fraction(value: Any) -> float:
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("an error is not a fraction")
    return float(value)


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("a count is not a whole number")
    return value
