"""What a net costs, from its spec alone: counts without building it, estimates without torch.

The counts are held against the built nets by the tests.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from resnet_viz.layers import (
    Layer,
    all_layers,
    blocks_of,
    branch_order,
    stem_order,
    stem_sides,
)
from resnet_viz.specs import SHORTCUT_FAMILIES, NetSpec, TrainSpec


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
    """Costs of a net on square images of `image_size` pixels.

    Raises:
        SpecError: the images are too small for the net.
    """
    layers = all_layers(
        spec, in_channels=in_channels, image_size=image_size, num_classes=num_classes
    )
    convs = [layer for layer in layers if not layer.linear]
    linears = [layer for layer in layers if layer.linear]
    weights = sum(c.c_in * c.c_out * c.kernel**2 for c in convs)
    heads = sum(layer.c_in * layer.c_out for layer in linears)
    pools = spec.stem == "imagenet"
    return Costs(
        parameters=weights
        + sum(c.c_out for c in convs if c.role == "gate")
        + _beside_weights(spec, [c for c in convs if c.role != "gate"], linears[-1])
        + heads
        + num_classes * len(linears),
        multiply_adds=sum(c.c_in * c.c_out * c.kernel**2 * c.side**2 for c in convs) + heads,
        activations=_activations(spec, convs, image_size),
        operations=len(convs) * _passes(spec) + 3 + pools,
    )


def _beside_weights(spec: NetSpec, convs: list[Layer], head: Layer) -> int:
    """Parameters of norms; without them of biases or of Fixup's scalars."""
    if spec.init == "fixup":
        relus = spec.depth - 1  # one a weighted layer, except the head
        return len(convs) + 1 + relus + sum(spec.stage_blocks)
    if spec.norm == "none":
        return sum(c.c_out for c in convs)
    if not _norms_first(spec):
        bare = spec.order == "relu_only"  # whose projections have no norm
        return 2 * sum(c.c_out for c in convs if c.role == "" or not bare)
    channels = sum(c.c_in for c in convs if c.stage > 0 and c.role != "projection") + head.c_in
    return 2 * (channels + spec.width * ("norm" in stem_order(spec)))


def _norms_first(spec: NetSpec) -> bool:
    """Whether a norm stands before each convolution of a branch, and in the head."""
    return branch_order(spec)[0] == "norm1"


def _passes(spec: NetSpec) -> int:
    """Values kept of each convolution's output, about.

    Convolution and ReLU; norm, or Fixup's scalars, which take as long.
    """
    return 2 if spec.norm == "none" and spec.init != "fixup" else 3


def _activations(spec: NetSpec, convs: list[Layer], image_size: int) -> int:
    outputs = sum(c.c_out * c.side**2 for c in convs)
    joined = sum(b.c_out * b.side**2 for b in blocks_of(spec, image_size=image_size))
    pooled = spec.width * stem_sides(spec, image_size=image_size)[1] ** 2
    total = outputs * _passes(spec) + pooled * (spec.stem == "imagenet")
    if spec.family == "densenet":  # norm and ReLU of all channels so far, and the concatenation
        wide = sum((c.c_in - c.c_out) * c.side**2 for c in convs if c.stage > 0)
        return total + max(0, wide) * (_passes(spec) - 1) + joined
    return total + joined * (spec.family in SHORTCUT_FAMILIES) * (3 if spec.gated else 1)


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
