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

_STAGE = re.compile(r"stages\.(\d+)(?:\.(\d+|transition))?(?:\.(.+))?$")
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
    """stem, stages.S.B, stages.S.transition, head.

    What puts a dense layer's output behind its input is the first operation of what takes both,
    as in torchvision's DenseNet: so a layer gives what it adds.
    """

    def __init__(self, net: Net) -> None:
        self._blocks = [sum(name.isdigit() for name, _m in s.named_children()) for s in net.stages]
        self._dense = net.spec.family == "densenet"
        self._last: tuple[str, int] = ("stem", 0)

    def __call__(self, path: str, kind: str) -> tuple[str, int, str]:
        found = _STAGE.match(path)
        rest = found[3] or "" if found else path.partition(".")[2]
        if found is None:
            part = path.partition(".")[0]
            self._last = (part, 0) if part else self._last
        elif found[2] == "transition":
            self._last = f"transition{int(found[1]) + 1}", 0
        elif found[2] is not None:  # else computed by the stage itself
            joins = self._dense and kind == "concat" and not rest
            self._last = self._number(int(found[1]), int(found[2]) + 1 + joins)
        return (*self._last, rest)

    def _number(self, stage: int, number: int) -> tuple[str, int]:
        """Part and block of that number, from 1; past a stage's last block what follows it."""
        if number <= self._blocks[stage]:
            return f"stage{stage + 1}", number
        return (f"transition{stage + 1}" if stage + 1 < len(self._blocks) else "head"), 0


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
