"""The gradient that one path through a residual net carries.

Veit et al. 2016, arXiv:1605.06431, section 4.3: the images go forward through the whole net; on
the way back the gradient takes the branch in some blocks, and in all others the shortcut. Since the
way back is linear, the gradients of all paths add up to the whole one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resnet_viz.probes.modes import preserved


@dataclass(frozen=True, eq=False)
class _Step:
    """A block on the way back.

    Attributes:
        x: its input.
        branch, shortcut: its parts, with their graphs; no shortcut in a plain block.
        total: their sum, and `out` the block's output as computed from it alone.
        is_identity: the shortcut gives x as it is.
    """

    x: Tensor
    branch: Tensor
    shortcut: Tensor | None
    total: Tensor
    out: Tensor
    is_identity: bool


class Paths:
    """One batch's way through a net, to go back on it again and again."""

    def __init__(self, steps: list[_Step], at_end: Tensor) -> None:
        self._steps = steps
        self._at_end = at_end

    def gradient(self, branches: Collection[int]) -> Tensor:
        """The gradient at the first block's input that comes along one path.

        Args:
            branches: numbers of the blocks whose branch it takes; it takes the others' shortcut.
        """
        vector = self._at_end
        for number in reversed(range(len(self._steps))):
            vector = self._back(number, vector, branch=number in branches)
        return vector

    def by_length(self) -> list[Tensor]:
        """The sum of the gradients of all paths of each length, from 0; together the whole one.

        Exact: a path that is one branch longer behind a block took the branch there, or was so
        long before. Takes n (n + 1) / 2 passes through branches.
        """
        sums = [self._at_end]
        for number in reversed(range(len(self._steps))):
            by_shortcut = [self._back(number, vector, branch=False) for vector in sums]
            by_branch = [self._back(number, vector, branch=True) for vector in sums]
            zero = torch.zeros_like(by_branch[0])
            pairs = zip([*by_shortcut, zero], [zero, *by_branch], strict=True)
            sums = [a + b for a, b in pairs]
        return sums

    def _back(self, number: int, vector: Tensor, *, branch: bool) -> Tensor:
        """From a block's output to its input, by its branch or its shortcut."""
        step = self._steps[number]
        if step.out is not step.total:
            (vector,) = torch.autograd.grad(step.out, step.total, vector, retain_graph=True)
        if not branch and step.is_identity:
            return vector
        way = step.branch if branch else step.shortcut
        if way is None:
            return torch.zeros_like(step.x)  # a plain block has no other way
        (found,) = torch.autograd.grad(way, step.x, vector, retain_graph=True)
        return found


@contextmanager
def paths_through(net: nn.Module, images: Tensor, labels: Tensor) -> Iterator[Paths]:
    """The paths of the mean cross-entropy's gradient, in training mode; the net comes back as it
    was.

    Args:
        net: plain, residual or pre-activation: `stem`, `stages` of blocks, `head`.
        images: normalised (batch, channels, height, width).
        labels: int64 (batch,).
    """
    lent: Any = net
    with preserved(net), torch.enable_grad():
        net.train().requires_grad_(False)
        x, steps = lent.stem(images), []
        for block in (block for stage in lent.stages for block in stage):
            x = x.detach().requires_grad_()
            steps.append(_step(block, x))
            x = steps[-1].out
        x = x.detach().requires_grad_()
        loss = F.cross_entropy(lent.head(x), labels)
        (at_end,) = torch.autograd.grad(loss, x)
        yield Paths(steps, at_end)


def _step(block: Any, x: Tensor) -> _Step:
    if not hasattr(block, "paths"):
        branch = block.branch(x)
        total = branch.detach().requires_grad_()
        return _Step(x, branch, None, total, block.relu(total), is_identity=False)
    branch, shortcut = block.paths(x)
    total = (branch + shortcut).detach().requires_grad_()
    return _Step(x, branch, shortcut, total, block.after(total), is_identity=shortcut is x)
