"""A training step measured layer by layer while it is taken, without changing it."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

BLOCK_IMAGES = 16  # of the batch, that a block is measured with


class StepProbe:
    """What one training step of a net does to its weighted layers and its blocks.

    Wrap the step's forward pass in `forward()` and the optimiser's step in `update()`; then
    `measured()` has what was measured, and `values` says what it is. Hooks are there only inside
    `forward()`. Sums over tensors are computed in float32, whatever the activations are, and stay
    on the net's device.

    Args:
        layers: modules with a `weight`.
        blocks: with a `branch`; those with a `shortcut` add it to the branch's output, before
            their `relu` or, where norm and ReLU come first (they have a `fork`), at their end.
    """

    def __init__(self, layers: Sequence[nn.Module], blocks: Sequence[nn.Module]) -> None:
        self._layers = layers
        self._blocks = blocks
        self._sizes: list[int] = []  # values of each branch's output that were looked at
        self._images = 0  # that the blocks were looked at with
        self._measured: dict[str, Sequence[Tensor]] = {}  # a scalar a layer or a block

    @contextmanager
    def forward(self) -> Iterator[None]:
        """Watch one forward pass of a batch through the blocks; the hooks go in any case.

        What the hooks see is only kept, and measured afterwards all together: in between, each
        measurement would wait for its code and its data to come into the processor's cache.
        """
        watches = [_BlockWatch(block) for block in self._blocks]
        try:
            yield
        finally:
            for watch in watches:
                watch.remove()
        seen: dict[str, Any] = {
            "input_norm": [watch.input for watch in watches],
            "branch_norm": [watch.branch for watch in watches],
            "sum_norm": [watch.sum for watch in watches if watch.sum is not None],
        }
        for name, found in seen.items():
            if found:
                self._measured[name] = torch._foreach_norm(found, 2, torch.float32)
        branches = seen["branch_norm"]
        self._measured["branch_sum"] = [branch.sum(dtype=torch.float32) for branch in branches]
        self._sizes = [branch.numel() for branch in branches]
        self._images = len(branches[0])

    @contextmanager
    def update(self) -> Iterator[None]:
        """Watch the change of the weights; their gradients are there."""
        parameters = [layer.get_parameter("weight") for layer in self._layers]
        weights: Any = [parameter.detach() for parameter in parameters]
        gradients: Any = [parameter.grad for parameter in parameters]
        before = [weight.clone() for weight in weights]
        self._measured["gradient_norm"] = torch._foreach_norm(gradients)
        self._measured["weight_norm"] = torch._foreach_norm(before)
        yield
        self._measured["change"] = torch._foreach_norm(torch._foreach_sub(weights, before))

    def measured(self) -> Tensor:
        """Every number of the step in one vector, on the net's device."""
        return torch.stack([scalar for column in self._measured.values() for scalar in column])

    def values(self, measured: Sequence[float]) -> dict[str, tuple[float, ...]]:
        """Column of `records.PROFILE_COLUMNS` to one float32 value a layer or a block.

        What is not finite is NaN. There is no "sum_norm" where the blocks have no shortcut.

        Args:
            measured: what `measured` gave, of this step or of one that was measured in the same
                way (the replay of a captured one).
        """
        numbers = iter(measured)
        found = {name: list(islice(numbers, len(c))) for name, c in self._measured.items()}
        pairs = zip(found.pop("change"), found["weight_norm"], strict=True)
        found["update_ratio"] = [a / b if b else math.nan for a, b in pairs]
        moments = zip(found.pop("branch_sum"), found["branch_norm"], self._sizes, strict=True)
        found["response_std"] = [_standard_deviation(*each) for each in moments]
        root_images = math.sqrt(self._images)
        for name in found.keys() & {"input_norm", "branch_norm", "sum_norm"}:
            found[name] = [norm / root_images for norm in found[name]]
        return {name: tuple(map(_finite, array("f", column))) for name, column in found.items()}


class _BlockWatch:
    """Hooks on one block, and what they saw of the batch's first images.

    Attributes:
        input, branch, sum: x, F(x) and shortcut(x) + F(x) (None without a shortcut).
    """

    def __init__(self, block: Any) -> None:
        self.input: Tensor | None = None
        self.branch: Tensor | None = None
        self.sum: Tensor | None = None
        self._handles = [
            block.register_forward_pre_hook(self._see_input),
            getattr(block, "transformed", block.branch).register_forward_hook(self._see_branch),
        ]
        if not hasattr(block, "shortcut"):
            return
        first_after = getattr(block, "norm", None) or getattr(block, "relu", None)
        if first_after is None:  # the sum is the block's output
            self._handles.append(block.register_forward_hook(self._see_output))
        else:
            self._handles.append(first_after.register_forward_pre_hook(self._see_sum))

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()

    def _see_input(self, _block: nn.Module, inputs: tuple[Tensor]) -> None:
        self.input = _first_images(inputs[0])

    def _see_branch(self, _branch: nn.Module, _inputs: tuple[Tensor], output: Tensor) -> None:
        self.branch = _first_images(output)

    def _see_sum(self, _after: nn.Module, inputs: tuple[Tensor]) -> None:
        self.sum = _first_images(inputs[0])

    def _see_output(self, _block: nn.Module, _inputs: tuple[Tensor], output: Tensor) -> None:
        self.sum = _first_images(output)


def _first_images(x: Tensor) -> Tensor:
    """A view: it costs no time between two layers, but keeps the whole batch's values in memory
    until the forward pass ends."""
    return x.detach()[:BLOCK_IMAGES]


def _standard_deviation(total: float, norm: float, size: int) -> float:
    variance = norm**2 / size - (total / size) ** 2
    return math.sqrt(max(variance, 0.0))  # rounding may bring it under zero; NaN stays NaN


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan
