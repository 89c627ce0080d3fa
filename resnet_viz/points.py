"""The places in a net at which its feature maps can be looked at, by name. Standard library only.

A point is named as papers would: "stem.relu", "stage2.block3.conv1", "stage2.block3.branch"
(F(x)), "stage2.block3.shortcut", "stage2.block3.sum", and "stage2.block3" for a block's output.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from resnet_viz.checks import SpecError
from resnet_viz.i18n import _
from resnet_viz.layers import Block, after_order, blocks_of, branch_order, forks, stem_order
from resnet_viz.specs import SHORTCUT_FAMILIES, NetSpec


@dataclass(frozen=True)
class Point:
    """One place.

    Attributes:
        name: as above.
        module: path in the built net of the module whose input or output it is.
        takes_input: it is the input of that module (its first argument), not its output.
        stage: 0 for the stem, 1 and up for the stages.
        block: number in its stage from 1; 0 for the stem.
        kind: "input", "conv1", "norm1", "relu1", …, "gate" (T(x)), "branch", "shortcut" (as they
            are added), "sum", "norm" (after the sum), "output"; in the stem "conv", "norm",
            "relu", "pool".
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
        "gate": _("gate T(x)"),
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
    found = [
        Point(f"stem.{kind}", f"stem.{kind}", False, 0, 0, kind)
        for kind in stem_order(spec)
        if kind != "norm" or spec.norm == "batch"
    ]
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
    order = branch_order(spec)
    shared = order[: order.index("conv1")] if forks(spec, block) else ()
    for kind in order:
        if spec.norm == "batch" or not kind.startswith("norm"):
            module = f"fork.{shared.index(kind)}" if kind in shared else f"branch.{kind}"
            found.append(point(kind, module))
    if spec.gated:
        found.append(point("gate", "transform_gate"))
    if spec.family in SHORTCUT_FAMILIES:
        found.append(point("branch", "transformed" if spec.gates_branch else "branch"))
        found.append(point("shortcut", "carried" if spec.gated else "shortcut"))
    elif spec.family == "densenet":
        found.append(point("branch", "branch"))
    after = [kind for kind in after_order(spec) if kind != "norm" or spec.norm == "batch"]
    if after and spec.family in SHORTCUT_FAMILIES:
        found.append(point("sum", after[0], takes_input=True))
    found += [point(kind, kind) for kind in after[:-1]]
    found.append(point("output", ""))
    return found


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
