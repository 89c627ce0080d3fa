"""A training step measured layer by layer while it is taken, without changing it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

CACHED_VALUES = 1 << 17  # float32 values that stay in a processor core's cache: 512 kB


class StepProbe:
    """What one training step of a net does to its weighted layers and its blocks.

    Wrap the step's forward pass in `forward()` and the optimiser's step in `update()`; then
    `values()` has what was measured. Hooks are there only inside `forward()`. Everything is
    computed in float32, whatever the activations are, and stays on the net's device until
    `values()` copies it at once.

    Args:
        layers: modules with a `weight`.
        blocks: with a `branch`; those with a `shortcut` add it to the branch's output, before
            their `relu` or, where norm and ReLU come first (they have a `fork`), at their end.
    """

    def __init__(self, layers: Sequence[nn.Module], blocks: Sequence[nn.Module]) -> None:
        self._layers = layers
        self._blocks = blocks
        self._columns: dict[str, Tensor] = {}

    @contextmanager
    def forward(self) -> Iterator[None]:
        """Watch one forward pass of a batch through the blocks; the hooks go in any case."""
        watches = [_BlockWatch(block) for block in self._blocks]
        try:
            yield
        finally:
            for watch in watches:
                watch.remove()
        root_images = math.sqrt(watches[0].images)
        branch_norm = torch.stack([watch.branch_norm for watch in watches])
        size = branch_norm.new_tensor([watch.size for watch in watches])
        mean = torch.stack([watch.branch_sum for watch in watches]) / size
        variance = branch_norm.square() / size - mean.square()
        self._columns["response_std"] = variance.clamp(min=0).sqrt()
        input_norm = torch.stack([watch.input_norm for watch in watches])
        self._columns["input_norm"] = input_norm / root_images
        self._columns["branch_norm"] = branch_norm / root_images
        sums = [watch.sum_norm for watch in watches if watch.sum_norm is not None]
        if sums:
            self._columns["sum_norm"] = torch.stack(sums) / root_images

    @contextmanager
    def update(self) -> Iterator[None]:
        """Watch the change of the weights; their gradients are there."""
        parameters = [layer.get_parameter("weight") for layer in self._layers]
        weights = [parameter.detach() for parameter in parameters]
        gradients = [parameter.grad for parameter in parameters]
        before = [weight.clone() for weight in weights]
        norms = _norms(before)
        self._columns["gradient_norm"] = _norms(gradients)
        self._columns["weight_norm"] = norms
        yield
        self._columns["update_ratio"] = _norms(torch._foreach_sub(weights, before)) / norms

    def values(self) -> dict[str, tuple[float, ...]]:
        """Column of `records.PROFILE_COLUMNS` to one value a layer or a block.

        What is not finite is NaN. There is no "sum_norm" where no block has a shortcut.
        """
        numbers = iter(torch.cat(list(self._columns.values())).tolist())
        return {
            name: tuple(_finite(next(numbers)) for _ in column)
            for name, column in self._columns.items()
        }


class _BlockWatch:
    """Hooks on one block, and what they saw.

    Attributes:
        images: in the batch.
        input_norm, branch_norm, sum_norm: of x, F(x) and shortcut(x) + F(x), over the batch.
        branch_sum, size: of F(x): sum of its values and their number.
    """

    def __init__(self, block: Any) -> None:
        self.sum_norm: Tensor | None = None
        self._handles = [
            block.register_forward_pre_hook(self._see_input),
            block.branch.register_forward_hook(self._see_branch),
        ]
        if hasattr(block, "fork"):
            self._handles.append(block.register_forward_hook(self._see_output))
        elif hasattr(block, "shortcut"):
            self._handles.append(block.relu.register_forward_pre_hook(self._see_sum))

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()

    def _see_input(self, _block: nn.Module, inputs: tuple[Tensor]) -> None:
        self.images = len(inputs[0])
        self.input_norm = _norm(inputs[0])

    def _see_branch(self, _branch: nn.Module, _inputs: tuple[Tensor], output: Tensor) -> None:
        # Norm and sum: `torch.var` costs fifteen times as much on a CPU.
        norms, sums = [], []
        for part in _parts(output):
            values = part.float()
            norms.append(torch.linalg.vector_norm(values))
            sums.append(values.sum())
        self.branch_norm, self.branch_sum = _joint_norm(norms), sum(sums[1:], sums[0])
        self.size = output.numel()

    def _see_output(self, _block: nn.Module, _inputs: tuple[Tensor], output: Tensor) -> None:
        self.sum_norm = _norm(output)

    def _see_sum(self, _relu: nn.Module, inputs: tuple[Tensor]) -> None:
        self.sum_norm = _norm(inputs[0])


def _norm(x: Tensor) -> Tensor:
    return _joint_norm([torch.linalg.vector_norm(p, dtype=torch.float32) for p in _parts(x)])


def _joint_norm(norms: list[Tensor]) -> Tensor:
    """Norm of the whole from those of its parts."""
    return norms[0] if len(norms) == 1 else torch.linalg.vector_norm(torch.stack(norms))


def _parts(x: Tensor) -> Sequence[Tensor]:
    """A batch; what a CPU has to convert to float32 in parts that its cache then holds."""
    x = x.detach()
    if x.dtype is torch.float32 or x.numel() <= CACHED_VALUES or x.device.type != "cpu":
        return (x,)
    return x.split(max(1, CACHED_VALUES * len(x) // x.numel()))


def _norms(tensors: Any) -> Tensor:
    return torch.stack(torch._foreach_norm(tensors))


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan
