"""What a net costs, from its spec alone: counts without building it, estimates without torch.

The counts are held against the built nets by the tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from resnet_viz.specs import LAYERS_PER_BLOCK, RESIDUAL_FAMILIES, NetSpec, TrainSpec


@dataclass(frozen=True)
class Costs:
    """Of one image, forward.

    Attributes:
        parameters: trainable.
        multiply_adds: of convolutions and head.
        activations: values that training keeps for the backward pass, about.
        operations: kernels that one forward pass starts, about.
    """

    parameters: int
    multiply_adds: int
    activations: int
    operations: int


@dataclass(frozen=True)
class _Conv:
    c_in: int
    c_out: int
    kernel: int
    side: int  # of its output


def _block_convs(spec: NetSpec, c_in: int, width: int, stride: int, side: int) -> Iterator[_Conv]:
    """The branch's convolutions, then the projection's if there is one."""
    out = -(-side // stride)
    if spec.block == "basic":
        c_out = width
        yield _Conv(c_in, width, 3, out)
        yield _Conv(width, width, 3, out)
    else:
        c_out = 4 * width
        yield _Conv(c_in, width, 1, side)
        yield _Conv(width, width, 3, out)
        yield _Conv(width, c_out, 1, out)
    changes = c_in != c_out or stride != 1
    if spec.family in RESIDUAL_FAMILIES and (
        spec.shortcut == "C" or (spec.shortcut == "B" and changes)
    ):
        yield _Conv(c_in, c_out, 1, out)


def count_costs(
    spec: NetSpec, *, in_channels: int = 3, image_size: int = 32, num_classes: int = 10
) -> Costs:
    """Costs of a net on square images of `image_size` pixels."""
    convs = [_Conv(in_channels, spec.width, 3, image_size)]
    channels, side, norm_channels, additions = spec.width, image_size, spec.width, 0
    per_block = LAYERS_PER_BLOCK[spec.block]
    for s, count in enumerate(spec.stage_blocks):
        for b in range(count):
            stride = 2 if s > 0 and b == 0 else 1
            found = list(_block_convs(spec, channels, spec.width * 2**s, stride, side))
            convs += found
            if spec.family == "preact":  # norms stand before the branch's convolutions only
                norm_channels += sum(c.c_in for c in found[:per_block])
            else:
                norm_channels += sum(c.c_out for c in found)
            if spec.family in RESIDUAL_FAMILIES:
                additions += found[per_block - 1].c_out * found[per_block - 1].side ** 2
            channels, side = found[per_block - 1].c_out, found[per_block - 1].side
    if spec.family == "preact":
        norm_channels += channels - spec.width  # the head has a norm, the stem has none
    extra = 2 * norm_channels if spec.norm == "batch" else sum(c.c_out for c in convs)
    weights = sum(c.c_in * c.c_out * c.kernel**2 for c in convs)
    outputs = sum(c.c_out * c.side**2 for c in convs)
    return Costs(
        parameters=weights + extra + (channels + 1) * num_classes,
        multiply_adds=sum(c.c_in * c.c_out * c.kernel**2 * c.side**2 for c in convs)
        + channels * num_classes,
        activations=outputs * (3 if spec.norm == "batch" else 2) + additions,
        operations=len(convs) * (3 if spec.norm == "batch" else 2) + 3,
    )


@dataclass(frozen=True)
class Machine:
    """How fast one training process is here: a linear model of a step, fitted to measurements.

    Attributes:
        device: "cpu", "cuda" or "mps".
        dtype: "float32" or "bfloat16", whichever trains faster here and agrees with float32.
        channels_last: whether that memory format is the faster one.
        seconds_per_operation: cost of starting a kernel, forward, backward and update.
        seconds_per_activation: of a value moved through memory in training.
        seconds_per_multiply_add: of arithmetic in training.
        base_bytes: resident memory of an idle worker.
    """

    device: str
    dtype: str
    channels_last: bool
    seconds_per_operation: float
    seconds_per_activation: float
    seconds_per_multiply_add: float
    base_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values by field name."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Machine:
        """Inverse of `to_dict`."""
        return cls(**values)


def step_seconds(costs: Costs, train: TrainSpec, machine: Machine) -> float:
    """Estimated seconds of one training step in one process."""
    per_image = (
        costs.activations * machine.seconds_per_activation
        + costs.multiply_adds * machine.seconds_per_multiply_add
    )
    return costs.operations * machine.seconds_per_operation + train.batch_size * per_image


def training_bytes(costs: Costs, train: TrainSpec) -> int:
    """Estimated memory that training one net takes on top of an idle worker's."""
    state = 4 * 3 * costs.parameters  # weights, gradients, momentum
    # Twice: the backward pass and the convolution library's own copies.
    return state + 2 * 4 * costs.activations * train.batch_size
