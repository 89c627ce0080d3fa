"""The gradient at every block's input, split by the way that it came: shortcut or branch.

A block's sum is branch(x) + shortcut(x), so the loss's gradient by x is the sum of two
vector-Jacobian products (He et al. 2016, arXiv:1603.05027, eq. 5, where the shortcut's is the
"1"). Each is computed here from a graph of its own, never as the other's remainder, and both are
held against the gradient that autograd finds through the whole net.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resnet_viz.checks import SpecError
from resnet_viz.i18n import _
from resnet_viz.signals import Split


class GradientError(ArithmeticError):
    """A loss or a gradient that is not finite, so that it cannot be split."""


@torch.enable_grad()
def decompose(net: nn.Module, images: Tensor, labels: Tensor) -> tuple[tuple[Split, ...], float]:
    """Split the gradient of the mean cross-entropy at every block's input.

    Works on a copy of the net in float64 and in training mode (batch norm takes the batch's
    statistics), so the net itself is not touched: weights, running statistics, modes, gradients.

    Args:
        net: with shortcuts, on a device that knows float64; needs `stem`, `stages` of blocks with
            `paths` and `after` (`ShortcutBlock`), and `head`.
        images: normalised (batch, channels, height, width).
        labels: int64 (batch,).

    Returns:
        A split for each block from the stem to the head, and the loss.

    Raises:
        SpecError: the net has no shortcuts.
        GradientError: the loss or the gradient is not finite.
    """
    twin: Any = copy.deepcopy(net).to(torch.float64).train().requires_grad_(False)
    for module in twin.modules():
        if isinstance(module, nn.Dropout) or hasattr(module, "probability"):
            module.eval()  # chance would give each of the passes below another net
    blocks = [block for stage in twin.stages for block in stage]
    if not all(hasattr(block, "paths") for block in blocks):
        raise SpecError(
            _(
                "This net has no shortcuts that are added to a branch, so its gradient has nothing "
                "to be split into; choose family 'resnet', 'preact' or 'highway'."
            )
        )
    points, gradients, loss = _boundaries(twin, blocks, images.to(torch.float64), labels)
    at_end = gradients[-1].norm().item()
    alone = gradients[-1]  # what comes from there through shortcuts only
    splits = []
    for number in reversed(range(len(blocks))):
        split, alone = _split(blocks[number], points, gradients, number, alone, at_end)
        splits.append(split)
    return tuple(reversed(splits)), loss


def _boundaries(
    net: Any, blocks: Sequence[nn.Module], images: Tensor, labels: Tensor
) -> tuple[list[Tensor], Sequence[Tensor], float]:
    """Each block's input and the last one's output, the loss's gradient by each, and the loss."""
    points: list[Tensor] = [net.stem(images).requires_grad_()]
    for block in blocks:
        points.append(block(points[-1]))
    loss = F.cross_entropy(net.head(points[-1]), labels)
    gradients = torch.autograd.grad(loss, points)
    if not all(bool(value.isfinite().all()) for value in (loss, *gradients)):
        raise GradientError(
            _(
                "The loss of this net is {loss:g} and its gradient is not finite everywhere, so "
                "it cannot be split; choose a smaller depth, batch norm, or smaller weights."
            ).format(loss=loss.item())
        )
    return [point.detach() for point in points], gradients, loss.item()


def _split(
    block: Any,
    points: Sequence[Tensor],
    gradients: Sequence[Tensor],
    number: int,
    alone: Tensor,
    at_end: float,
) -> tuple[Split, Tensor]:
    """One block's split, and what comes from the end through shortcuts alone to its input.

    Args:
        block: of number `number`, with input `points[number]` and output `points[number + 1]`.
        alone: what comes through shortcuts alone to its output.
        at_end: norm of the gradient at the last block's output.
    """
    x, total = points[number], gradients[number]
    received = gradients[number + 1]
    with torch.no_grad():
        end = sum(block.paths(x))
    at_sum = pull_back(block.after, end, received)
    by_branch = pull_back(lambda x: block.paths(x)[0], x, at_sum)
    by_shortcut = pull_back(lambda x: block.paths(x)[1], x, at_sum)
    alone = pull_back(lambda x: block.paths(x)[1], x, pull_back(block.after, end, alone))
    blocked = (points[number + 1] <= 0).double().mean().item() if hasattr(block, "relu") else 0.0
    parts = by_shortcut.norm().item() + by_branch.norm().item()
    error = (by_shortcut + by_branch - total).norm().item()
    split = Split(
        shortcut=_kind(block),
        shortcut_norm=by_shortcut.norm().item(),
        branch_norm=by_branch.norm().item(),
        total_norm=total.norm().item(),
        cosine=_cosine(by_shortcut, by_branch),
        residue=_ratio(error, parts) if error else 0.0,
        passed=_ratio(at_sum.norm().item(), received.norm().item()) ** 2,
        blocked=blocked,
        arrived=_ratio(alone.norm().item(), at_end),
        arrived_cosine=_cosine(alone, total),
        shared_first=len(getattr(block, "fork", ())) > 0,
    )
    return split, alone


def pull_back(path: Callable[[Tensor], Tensor], x: Tensor, vector: Tensor) -> Tensor:
    """The vector-Jacobian product of `path` at x, from a fresh graph.

    Args:
        x: where `path` takes its input.
        vector: shaped as path(x).

    Returns:
        Shaped as x.
    """
    x = x.detach().requires_grad_()
    value = path(x)
    if value is x:  # nothing on the way
        return vector
    (product,) = torch.autograd.grad(value, x, vector)
    return product


def _kind(block: Any) -> str:
    shortcut = block.shortcut
    if hasattr(block, "transform_gate"):
        return "gated"
    if isinstance(shortcut, nn.Sequential) and not any(True for _p in shortcut.parameters()):
        return "dropout" if isinstance(shortcut[-1], nn.Dropout) else "scaled"
    if isinstance(shortcut, nn.Identity):
        return "identity"
    return "projection" if any(True for _p in shortcut.parameters()) else "zero_padding"


def _cosine(a: Tensor, b: Tensor) -> float:
    return _ratio((a * b).sum().item(), a.norm().item() * b.norm().item())


def _ratio(a: float, b: float) -> float:
    return a / b if b else float("nan")
