"""Where in a net an operation stands: which part, which block, and the path within it.

A rule a kind of net, by how its modules are arranged; whatever has none is cut into stages at its
pools.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from torch import nn

from resnet_viz.nets.build import Net

Place = Callable[[str, str], tuple[str, int, str]]

_STAGE = re.compile(r"stages\.(\d+)(?:\.(\d+))?(?:\.(.+))?$")
_DENSE = re.compile(r"features\.(denseblock|transition)(\d+)(?:\.denselayer(\d+))?(?:\.(.+))?$")
_INCEPTION = re.compile(r"inception(\d)([a-z])(?:\.(.+))?$")
_DENSE_STAGES = 4


def place_rule(net: nn.Module) -> Place:
    """The rule for a net: of this program, a DenseNet or GoogLeNet of torchvision, or any."""
    if isinstance(net, Net):
        return _Stages(net)
    if hasattr(getattr(net, "features", None), "denseblock1"):
        return _dense
    if hasattr(net, "inception3a"):
        return _Inception()
    return _Chain()


class _Stages:
    """stem, stages.S.B, head; a stage's module that is called a transition is a part."""

    def __init__(self, net: Net) -> None:
        self._transitions: dict[tuple[int, int], int] = {}
        self._numbers: dict[tuple[int, int], int] = {}  # of blocks, without transitions
        for s, stage in enumerate(net.stages):
            blocks = 0
            for b, block in enumerate(stage.children()):
                if "transition" in type(block).__name__.lower():
                    self._transitions[s, b] = len(self._transitions) + 1
                else:
                    blocks += 1
                    self._numbers[s, b] = blocks
        self._last: tuple[str, int] = ("stem", 0)

    def __call__(self, path: str, kind: str) -> tuple[str, int, str]:
        found = _STAGE.match(path)
        if found is None:
            part, _dot, rest = path.partition(".")
            self._last = (part or self._last[0], 0 if part else self._last[1])
            return (*self._last, rest)
        if found[2] is None:  # computed by the stage itself
            return (*self._last, "")
        at = int(found[1]), int(found[2])
        if at in self._transitions:
            self._last = f"transition{self._transitions[at]}", 0
        else:
            self._last = f"stage{at[0] + 1}", self._numbers.get(at, at[1] + 1)
        return (*self._last, found[3] or "")


def _dense(path: str, kind: str) -> tuple[str, int, str]:
    """torchvision's DenseNet: features.denseblockS.denselayerL, features.transitionS.

    What concatenates a whole dense block is the first operation of what follows it.
    """
    found = _DENSE.match(path)
    if found is None:
        name = path.removeprefix("features.")
        stem = path.startswith("features.") and name != "norm5"
        return "stem" if stem else "head", 0, name
    number = int(found[2])
    if found[1] == "transition":
        return f"transition{number}", 0, found[4] or ""
    if found[3] is None:
        return (f"transition{number}" if number < _DENSE_STAGES else "head"), 0, ""
    return f"stage{number}", int(found[3]), found[4] or ""


class _Inception:
    """GoogLeNet: a stage a pair of pools, a block an inception module."""

    def __init__(self) -> None:
        self._stage = 0

    def __call__(self, path: str, kind: str) -> tuple[str, int, str]:
        found = _INCEPTION.match(path)
        if found is not None:
            self._stage = int(found[1]) - 2
            return f"stage{self._stage}", ord(found[2]) - ord("a") + 1, found[3] or ""
        if path.startswith("maxpool") and self._stage:
            return f"transition{self._stage}", 0, path
        if path.startswith(("conv", "maxpool")):
            return "stem", 0, path
        return "head", 0, path


class _Chain:
    """A chain of layers: a weighted layer begins a block, a maximum pool ends a stage.

    What is flattened, and all after it, is the head.
    """

    def __init__(self) -> None:
        self._stage, self._block, self._pooled, self._head = 1, 0, False, False

    def __call__(self, path: str, kind: str) -> tuple[str, int, str]:
        last = path.rpartition(".")[2]
        name = "" if last.isdigit() else last
        if path.startswith("avgpool") or kind == "flatten":
            self._head = True
        if self._head:
            return "head", 0, name
        if kind == "conv":
            if self._pooled:
                self._stage, self._block, self._pooled = self._stage + 1, 0, False
            self._block += 1
        self._pooled |= kind == "pool"
        return f"stage{self._stage}", max(1, self._block), name
