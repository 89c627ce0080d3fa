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

CACHED_VALUES = 1 << 17  # float32 values that stay in a processor core's cache: 512 kB


class StepProbe:
    """What one training step of a net does to its weighted layers and its blocks.

    Wrap the step's forward pass in `forward()` and the optimiser's step in `update()`; then
    `values()` has what was measured. Hooks are there only inside `forward()`. Sums over tensors
    are computed in float32, whatever the activations are, and stay on the net's device until
    `values()` copies all of them at once.

    Args:
        layers: modules with a `weight`.
        blocks: with a `branch`; those with a `shortcut` add it to the branch's output, before
            their `relu` or, where norm and ReLU come first (they have a `fork`), at their end.
    """

    def __init__(self, layers: Sequence[nn.Module], blocks: Sequence[nn.Module]) -> None:
        self._layers = layers
        self._blocks = blocks
        self._watches: list[_BlockWatch] = []
        self._measured: dict[str, Sequence[Tensor]] = {}  # a scalar a layer or a block

    @contextmanager
    def forward(self) -> Iterator[None]:
        """Watch one forward pass of a batch through the blocks; the hooks go in any case."""
        self._watches = [_BlockWatch(block) for block in self._blocks]
        try:
            yield
        finally:
            for watch in self._watches:
                watch.remove()
        for name in ("branch_sum", "input_norm", "branch_norm", "sum_norm"):
            found = [getattr(watch, name) for watch in self._watches]
            if found[0] is not None:
                self._measured[name] = found

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

    def values(self) -> dict[str, tuple[float, ...]]:
        """Column of `records.PROFILE_COLUMNS` to one float32 value a layer or a block.

        What is not finite is NaN. There is no "sum_norm" where the blocks have no shortcut.
        """
        scalars = [scalar for column in self._measured.values() for scalar in column]
        numbers = iter(torch.stack(scalars).tolist())
        found = {name: list(islice(numbers, len(c))) for name, c in self._measured.items()}
        pairs = zip(found.pop("change"), found["weight_norm"], strict=True)
        found["update_ratio"] = [a / b if b else math.nan for a, b in pairs]
        moments = zip(found.pop("branch_sum"), found["branch_norm"], self._watches, strict=True)
        found["response_std"] = [_standard_deviation(s, n, watch.size) for s, n, watch in moments]
        root_images = math.sqrt(self._watches[0].images)
        for name in found.keys() & {"input_norm", "branch_norm", "sum_norm"}:
            found[name] = [norm / root_images for norm in found[name]]
        return {name: tuple(map(_finite, array("f", column))) for name, column in found.items()}


class _BlockWatch:
    """Hooks on one block, and what they saw.

    Attributes:
        images: in the batch.
        input_norm, branch_norm, sum_norm: of x, F(x) and shortcut(x) + F(x) (None without a
            shortcut), over the whole batch.
        branch_sum, size: of F(x): sum of its values and their number.
    """

    def __init__(self, block: Any) -> None:
        self.sum_norm: Tensor | None = None
        self._handles = [block.branch.register_forward_hook(self._see_branch)]
        self._forks = hasattr(block, "fork")
        if self._forks:
            self._handles.append(block.register_forward_hook(self._see_block))
        elif hasattr(block, "shortcut"):
            self._handles.append(block.relu.register_forward_pre_hook(self._see_sum))

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()

    def _see_branch(self, _branch: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        if not self._forks:  # else the block's input comes through norm and ReLU first
            self.input_norm = _norm(inputs[0])
        self.images, self.size = output.shape[0], output.numel()
        # Norm and sum: `torch.var` costs fifteen times as much on a CPU.
        norms, sums = [], []
        for part in _parts(output):
            values = part.float()
            norms.append(torch.linalg.vector_norm(values))
            sums.append(values.sum())
        self.branch_norm, self.branch_sum = _joint_norm(norms), sum(sums[1:], sums[0])

    def _see_sum(self, _relu: nn.Module, inputs: tuple[Tensor]) -> None:
        self.sum_norm = _norm(inputs[0])

    def _see_block(self, _block: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        self.input_norm, self.sum_norm = _norm(inputs[0]), _norm(output)


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


def _standard_deviation(total: float, norm: float, size: int) -> float:
    variance = norm**2 / size - (total / size) ** 2
    return math.sqrt(max(variance, 0.0))  # rounding may bring it under zero; NaN stays NaN


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan
