"""The trained nets that come with the program: which there are, and what their files say. No torch.

They make the pages that look into nets work at the first visit, without training or a download.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from resnet_viz.specs import RunSpec

FOLDER = Path(__file__).parents[1] / "assets" / "nets"
ENDING = ".safetensors"


@dataclass(frozen=True)
class BundledNet:
    """What the file of one of them says.

    Attributes:
        name: "resnet-56", "shapes-resnet-20".
        run: its net, the data that it was trained on and the recipe.
        step: gradient steps taken.
        trained_on: the data in words.
        train_images, test_images: how many there were.
        train_error, test_error: fractions, measured with the file's own weights.
        classes: names in order of the logits.
        trained_with: device, number format, time and program version.
    """

    name: str
    run: RunSpec
    step: int
    trained_on: str
    train_images: int
    test_images: int
    train_error: float
    test_error: float
    classes: tuple[str, ...]
    trained_with: str


def bundled_path(name: str) -> Path:
    """File of the net of that name."""
    return FOLDER / f"{name}{ENDING}"


def bundled_names() -> tuple[str, ...]:
    """Names of the nets, those of one data set together, shallow ones first."""
    return tuple(net.name for net in bundled_nets())


def bundled_nets() -> tuple[BundledNet, ...]:
    """Every net that comes with the program, in the order of `bundled_names`."""
    return nets_in(FOLDER)


@cache
def nets_in(folder: Path) -> tuple[BundledNet, ...]:
    """The nets whose files lie in a folder.

    Raises:
        ValueError: a file is not one of them.
    """
    nets = [_read(path) for path in folder.glob(f"*{ENDING}")]
    return tuple(sorted(nets, key=lambda n: (n.run.data.name, n.run.net.depth, n.run.net.family)))


def _read(path: Path) -> BundledNet:
    meta = json.loads(read_metadata(path)["resnet_viz"])
    return BundledNet(
        name=path.name.removesuffix(ENDING),
        run=RunSpec.from_dict(meta["spec"]),
        step=meta["step"],
        trained_on=meta["trained_on"],
        train_images=meta["train_images"],
        test_images=meta["test_images"],
        train_error=meta["train_error"],
        test_error=meta["test_error"],
        classes=tuple(meta["classes"]),
        trained_with=meta["trained_with"],
    )


def read_metadata(path: Path) -> Mapping[str, Any]:
    """The metadata of a safetensors file: JSON after eight bytes that hold its length."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    metadata: Mapping[str, Any] = header["__metadata__"]
    return metadata
