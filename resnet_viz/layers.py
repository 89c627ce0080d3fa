"""The layers of a net by name, place and shape, from its spec alone. Standard library only.

What was measured of a net comes as one number a layer or a block, in the order of these
lists; the tests hold them against the built nets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from resnet_viz.checks import SpecError
from resnet_viz.i18n import _
from resnet_viz.specs import NetSpec

EXPANSION = {"basic": 1, "bottleneck": 4}  # channels out of a block over its width
DENSE_BOTTLENECK = 4  # channels of a dense layer's 1x1 convolution over the growth rate
HEAD = "head.linear"
STEM_CONVS = {"cifar": (3, 1), "imagenet": (7, 2)}  # kernel and stride of the first convolution
NOT_COUNTED = ("projection", "gate", "auxiliary")  # roles of layers that depth leaves out


@dataclass(frozen=True)
class Layer:
    """A convolution, or the linear layer of the head.

    Attributes:
        module: its path in the built net, such as "stages.0.1.branch.conv2".
        stage: 0 for the stem, 1 and up for the stages, -1 for the head.
        block: number in its stage from 1; 0 for stem, head and transitions.
        number: of its kind in its block from 1; 0 for stem, head and transitions.
        kernel: side in pixels.
        c_in, c_out: channels.
        side: of its output in pixels; 1 for a linear layer.
        role: "" for a layer of the way through the net, else "transition" of a DenseNet,
            "projection" of a shortcut, "gate", or "auxiliary" classifier.
    """

    module: str
    stage: int
    block: int
    number: int
    kernel: int
    c_in: int
    c_out: int
    side: int
    role: str = ""

    @property
    def title(self) -> str:
        """Its place in words."""
        if self.stage == 0:
            return _("stem")
        if self.stage < 0:
            return _("head")
        text = {
            "": _("stage {s}, block {b}, conv {n}"),
            "transition": _("transition after stage {s}"),
            "projection": _("stage {s}, block {b}, projection"),
            "gate": _("stage {s}, block {b}, gate"),
            "auxiliary": _("auxiliary classifier after stage {s}, block {b}"),
        }[self.role]
        return text.format(s=self.stage, b=self.block, n=self.number)

    @property
    def linear(self) -> bool:
        """Whether it is a classifier's linear layer, not a convolution."""
        return self.stage < 0 or self.role == "auxiliary"

    @property
    def shape(self) -> str:
        """Kernel, channels and output: "3×3, 16→32, 16×16"."""
        if self.linear:
            return f"{self.c_in}→{self.c_out}"
        kernel, out = f"{self.kernel}×{self.kernel}", f"{self.side}×{self.side}"
        return f"{kernel}, {self.c_in}→{self.c_out}, {out}"


@dataclass(frozen=True)
class Block:
    """A block of a stage: of a highway net or a DenseNet one layer and what joins it to its input.

    Attributes:
        module: its path in the built net, such as "stages.0.1".
        stage, block: numbers from 1.
        c_in, c_out: channels.
        stride: of its first 3x3 convolution and of its shortcut.
        side: of its output in pixels.
    """

    module: str
    stage: int
    block: int
    c_in: int
    c_out: int
    stride: int
    side: int

    @property
    def changes(self) -> bool:
        """Whether its output has another shape than its input."""
        return self.c_in != self.c_out or self.stride != 1

    @property
    def title(self) -> str:
        """Its place in words."""
        return _("stage {s}, block {b}").format(s=self.stage, b=self.block)


def branch_order(spec: NetSpec) -> tuple[str, ...]:
    """The modules of a block's branch in the order of computation: "conv1", "norm1", "relu1", …

    Where a norm stands, a net without norms has nothing.
    """
    count = spec.block_layers
    if spec.family == "densenet" or (spec.family == "preact" and spec.order == "standard"):
        kinds: tuple[str, ...] = ("norm", "relu", "conv")
    elif spec.order == "relu_only":
        kinds = ("relu", "conv", "norm")
    else:
        kinds = ("conv", "norm", "relu")
    later = {f"{kind}{count}" for kind in after_order(spec)}  # not before the addition as well
    order = [f"{kind}{n}" for n in range(1, count + 1) for kind in kinds]
    return tuple(name for name in order if name not in later)


def after_order(spec: NetSpec) -> tuple[str, ...]:
    """The modules that follow a block's addition (in a plain net, its branch)."""
    if spec.family in ("plain", "resnet") and spec.order != "relu_before_sum":
        return ("norm", "relu") if spec.order == "norm_after_sum" else ("relu",)
    return ()


def forks(spec: NetSpec, block: Block) -> bool:
    """Whether what precedes its first convolution stands before the fork into branch and shortcut.

    It does where a pre-activation net begins or projects (He et al. 2016, appendix).
    """
    if spec.family != "preact":
        return False
    projects = spec.shortcut == "C" or (spec.shortcut == "B" and block.changes)
    return projects or block.stage == block.block == 1


def stem_order(spec: NetSpec) -> tuple[str, ...]:
    """The modules of the stem; a net whose blocks begin with norm or ReLU leaves that to them."""
    order: tuple[str, ...] = ("conv", "norm", "relu")
    if spec.stem != "imagenet" and spec.family in ("preact", "densenet"):
        order = ("conv", "norm") if spec.order == "relu_only" else ("conv",)
    return (*order, "pool") if spec.stem == "imagenet" else order


def stem_sides(spec: NetSpec, *, image_size: int = 32) -> tuple[int, int]:
    """Sides in pixels of the stem's convolution and of what it gives to the first block."""
    side = -(-image_size // STEM_CONVS[spec.stem][1])
    return side, -(-side // 2) if spec.stem == "imagenet" else side


def blocks_of(spec: NetSpec, *, image_size: int = 32) -> list[Block]:
    """Every block from the stem to the head, for square images of `image_size` pixels.

    Raises:
        SpecError: the images are too small for the transitions of a DenseNet.
    """
    blocks, channels = [], spec.width
    _conv, side = stem_sides(spec, image_size=image_size)
    for s, count in enumerate(spec.stage_blocks, 1):
        dense = spec.family == "densenet"
        if dense and s > 1:
            channels, side = transition_channels(spec, channels), side // 2
            if not side:
                text = _("images of {size} pixels are too small for {net}; use larger ones")
                raise SpecError(text.format(size=image_size, net=spec.name))
        c_out = spec.width * 2 ** (s - 1) * (1 if dense else EXPANSION[spec.block])
        for b in range(1, count + 1):
            stride = 2 if s > 1 and b == 1 and not dense else 1
            side = -(-side // stride)
            c_out = channels + spec.growth_rate if dense else c_out
            blocks.append(Block(f"stages.{s - 1}.{b - 1}", s, b, channels, c_out, stride, side))
            channels = c_out
    return blocks


def transition_channels(spec: NetSpec, channels: int) -> int:
    """Channels that a DenseNet's transition makes of `channels` (Huang et al. 2017, section 3)."""
    return max(1, int(channels * spec.compression))


def auxiliary_blocks(spec: NetSpec) -> list[int]:
    """Places, in the list of all blocks, after which the auxiliary classifiers stand."""
    count = sum(spec.stage_blocks)
    places = [round(count * (i + 1) / (spec.aux_heads + 1)) - 1 for i in range(spec.aux_heads)]
    return sorted({max(0, place) for place in places})


def weighted_layers(
    spec: NetSpec, *, in_channels: int = 3, image_size: int = 32, num_classes: int = 10
) -> list[Layer]:
    """The `spec.depth` layers that depth counts, from the stem to the head."""
    found = all_layers(
        spec, in_channels=in_channels, image_size=image_size, num_classes=num_classes
    )
    return [layer for layer in found if layer.role not in NOT_COUNTED]


def depths_reached(spec: NetSpec) -> list[int]:
    """Weighted layers from the first to the end of the stem and of every block."""
    dense = spec.family == "densenet"
    reached = [
        1 + spec.block_layers * number + dense * (block.stage - 1)
        for number, block in enumerate(blocks_of(spec), 1)
    ]
    return [1, *reached]


def all_layers(
    spec: NetSpec, *, in_channels: int = 3, image_size: int = 32, num_classes: int = 10
) -> list[Layer]:
    """Weighted layers, and after those of its block each projection, gate and classifier."""
    conv_side, side = stem_sides(spec, image_size=image_size)
    kernel = STEM_CONVS[spec.stem][0]
    layers = [Layer("stem.conv", 0, 0, 0, kernel, in_channels, spec.width, conv_side)]
    blocks = blocks_of(spec, image_size=image_size)
    auxiliary = auxiliary_blocks(spec)
    for i, block in enumerate(blocks):
        if spec.family == "densenet" and block.stage > 1 and block.block == 1:
            layers.append(_transition(blocks[i - 1], block))
            side = block.side
        layers += _block_layers(spec, block, side)
        side = block.side
        if i in auxiliary:
            module = f"auxiliary.{auxiliary.index(i)}.linear"
            place = (block.stage, block.block, 1)
            layers.append(Layer(module, *place, 1, block.c_out, num_classes, 1, "auxiliary"))
    return [*layers, Layer(HEAD, -1, 0, 0, 1, blocks[-1].c_out, num_classes, 1)]


def _transition(before: Block, after: Block) -> Layer:
    module = f"stages.{before.stage - 1}.transition.conv"
    return Layer(module, before.stage, 0, 0, 1, before.c_out, after.c_in, before.side, "transition")


def branch_shapes(spec: NetSpec, block: Block) -> list[tuple[int, int, int]]:
    """Kernel, channels in and out of the convolutions of a block's branch."""
    if spec.family == "densenet":
        grown = block.c_out - block.c_in
        if spec.block == "basic":
            return [(3, block.c_in, grown)]
        inner = DENSE_BOTTLENECK * grown
        return [(1, block.c_in, inner), (3, inner, grown)]
    if spec.family == "highway":
        return [(3, block.c_in, block.c_out)]
    width = block.c_out // EXPANSION[spec.block]
    if spec.block == "basic":
        return [(3, block.c_in, width), (3, width, width)]
    return [(1, block.c_in, width), (3, width, width), (1, width, block.c_out)]


def _block_layers(spec: NetSpec, block: Block, side_in: int) -> Iterator[Layer]:
    place = (block.stage, block.block)
    side = side_in
    for number, (kernel, c_in, c_out) in enumerate(branch_shapes(spec, block), 1):
        side = block.side if kernel == 3 else side  # the stride stands on the first 3x3
        module = f"{block.module}.branch.conv{number}"
        yield Layer(module, *place, number, kernel, c_in, c_out, side)
    shape = (block.c_in, block.c_out, block.side)
    if spec.shortcut == "C" or (spec.shortcut == "B" and block.changes):
        yield Layer(f"{block.module}.shortcut.conv", *place, 1, 1, *shape, "projection")
    if spec.gated:
        kernel = gate_kernel(spec)
        yield Layer(f"{block.module}.transform_gate.conv", *place, 1, kernel, *shape, "gate")


def gate_kernel(spec: NetSpec) -> int:
    """Side of a gate's convolution: a highway layer's own, else 1 (He et al. 2016, 3.1)."""
    return 3 if spec.family == "highway" else 1
