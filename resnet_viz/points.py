"""The places in a net at which its feature maps can be looked at, by name. Standard library only.

A point is named as papers would: "stem.relu", "stage2.block3.conv1", "stage2.block3.branch"
(F(x)), "stage2.block3.shortcut", "stage2.block3.sum", and "stage2.block3" for a block's output.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from resnet_viz.checks import SpecError
from resnet_viz.i18n import _
from resnet_viz.layers import Block, blocks_of
from resnet_viz.specs import LAYERS_PER_BLOCK, RESIDUAL_FAMILIES, NetSpec


@dataclass(frozen=True)
class Point:
    """One place.

    Attributes:
        name: as above.
        module: path in the built net of the module whose input or output it is.
        takes_input: it is the input of that module (its first argument), not its output.
        stage: 0 for the stem, 1 and up for the stages.
        block: number in its stage from 1; 0 for the stem.
        kind: "input", "conv1", "norm1", "relu1", …, "branch", "shortcut", "sum", "output"; in the
            stem "conv", "norm", "relu", "pool".
    """

    name: str
    module: str
    takes_input: bool
    stage: int
    block: int
    kind: str

    @property
    def title(self) -> str:
        """Its place in words."""
        if self.stage == 0:
            return _("stem, {what}").format(what=_kind_title(self.kind))
        return _("stage {s}, block {b}, {what}").format(
            s=self.stage, b=self.block, what=_kind_title(self.kind)
        )


def _kind_title(kind: str) -> str:
    titles = {
        "input": _("input x"),
        "branch": _("residual branch F(x)"),
        "shortcut": _("shortcut"),
        "sum": _("sum F(x) + shortcut"),
        "output": _("output"),
        "pool": _("after pooling"),
    }
    if kind in titles:
        return titles[kind]
    layer, number = kind.rstrip("0123456789"), kind.lstrip("abcdefghijklmnopqrstuvwxyz")
    after = {"conv": _("after conv"), "norm": _("after norm"), "relu": _("after ReLU")}[layer]
    return f"{after} {number}".strip()


def points_of(spec: NetSpec) -> list[Point]:
    """Every point from the stem to the last block's output, in the order of computation."""
    found = [Point("stem.conv", "stem.conv", False, 0, 0, "conv")]
    if spec.family != "preact":
        if spec.norm == "batch":
            found.append(Point("stem.norm", "stem.norm", False, 0, 0, "norm"))
        found.append(Point("stem.relu", "stem.relu", False, 0, 0, "relu"))
    if spec.stem == "imagenet":
        found.append(Point("stem.pool", "stem.pool", False, 0, 0, "pool"))
    for block in blocks_of(spec):
        found += _block_points(spec, block)
    return found


def _block_points(spec: NetSpec, block: Block) -> list[Point]:
    name = f"stage{block.stage}.block{block.block}"

    def point(kind: str, module: str, takes_input: bool = False) -> Point:
        full = name if kind == "output" else f"{name}.{kind}"
        path = f"{block.module}.{module}".rstrip(".")
        return Point(full, path, takes_input, block.stage, block.block, kind)

    found = [point("input", "", takes_input=True)]
    layers = LAYERS_PER_BLOCK[spec.block]
    preact = spec.family == "preact"
    forks = preact and _shares_first(spec, block)
    for number in range(1, layers + 1):
        order = ("norm", "relu", "conv") if preact else ("conv", "norm", "relu")
        for kind in order:
            if kind == "norm" and spec.norm == "none":
                continue
            if kind == "relu" and not preact and number == layers:
                continue  # it comes after the addition
            module = f"branch.{kind}{number}"
            if forks and number == 1 and kind != "conv":
                module = "fork.0" if kind == "norm" else "fork.1"
            found.append(point(f"{kind}{number}", module))
    if spec.family in RESIDUAL_FAMILIES:
        found.append(point("branch", "branch"))
        found.append(point("shortcut", "shortcut"))
        if not preact:
            found.append(point("sum", "relu", takes_input=True))
    found.append(point("output", ""))
    return found


def _shares_first(spec: NetSpec, block: Block) -> bool:
    """Whether norm and ReLU stand before the fork of a pre-activation block."""
    projects = spec.shortcut == "C" or (spec.shortcut == "B" and block.changes)
    return projects or block.stage == block.block == 1


def find_point(spec: NetSpec, name: str) -> Point:
    """The point of that name.

    Raises:
        SpecError: the net has none; the message names the nearest.
    """
    points = {point.name: point for point in points_of(spec)}
    if name not in points:
        close = difflib.get_close_matches(name, points, n=3, cutoff=0.3)
        text = _("{net} has no point {name!r}; nearest: {near}")
        raise SpecError(text.format(net=spec.name, name=name, near=", ".join(close or points)))
    return points[name]


def parts_from_head(spec: NetSpec) -> tuple[str, ...]:
    """The parts of a net from the last to the first: "head", "stage3", …, "stem"."""
    stages = range(len(spec.stage_blocks), 0, -1)
    return ("head", *(f"stage{number}" for number in stages), "stem")
