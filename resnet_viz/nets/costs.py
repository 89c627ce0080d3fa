"""What a net costs, from its spec alone: counts without building it, estimates without torch.

The counts are held against the built nets by the tests.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from resnet_viz.layers import all_layers, blocks_of, stem_sides
from resnet_viz.specs import RESIDUAL_FAMILIES, NetSpec, TrainSpec


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


def count_costs(
    spec: NetSpec, *, in_channels: int = 3, image_size: int = 32, num_classes: int = 10
) -> Costs:
    """Costs of a net on square images of `image_size` pixels."""
    *convs, head = all_layers(
        spec, in_channels=in_channels, image_size=image_size, num_classes=num_classes
    )
    norm_channels = sum(conv.c_out for conv in convs)
    if spec.family == "preact":  # a norm before each convolution of a branch, and in the head
        norm_channels = sum(c.c_in for c in convs if c.stage > 0 and not c.projection) + head.c_in
    additions = 0
    if spec.family in RESIDUAL_FAMILIES:
        additions = sum(b.c_out * b.side**2 for b in blocks_of(spec, image_size=image_size))
    extra = 2 * norm_channels if spec.norm == "batch" else sum(c.c_out for c in convs)
    if spec.init == "fixup":
        extra = _fixup_scalars(spec, len(convs))
    # Convolution and ReLU; norm, or Fixup's scalars, which take as long.
    passes = 2 if spec.norm == "none" and spec.init != "fixup" else 3
    weights = sum(c.c_in * c.c_out * c.kernel**2 for c in convs)
    outputs = sum(c.c_out * c.side**2 for c in convs)
    pools = spec.stem == "imagenet"
    pooled = pools * spec.width * stem_sides(spec, image_size=image_size)[1] ** 2
    return Costs(
        parameters=weights + extra + (head.c_in + 1) * num_classes,
        multiply_adds=sum(c.c_in * c.c_out * c.kernel**2 * c.side**2 for c in convs)
        + head.c_in * num_classes,
        activations=outputs * passes + additions + pooled,
        operations=len(convs) * passes + 3 + pools,
    )


def _fixup_scalars(spec: NetSpec, convs: int) -> int:
    """Biases before each convolution, the head and each ReLU, and a multiplier a branch."""
    relus = spec.depth - 1  # one a weighted layer, except the head
    return convs + 1 + relus + sum(spec.stage_blocks)


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
