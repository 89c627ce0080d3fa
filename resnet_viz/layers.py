"""The layers of a net by name, place and shape, from its spec alone. Standard library only.

What was measured of a net comes as one number a layer or a block, in the order of these
lists; the tests hold them against the built nets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from resnet_viz.i18n import _
from resnet_viz.specs import RESIDUAL_FAMILIES, NetSpec

EXPANSION = {"basic": 1, "bottleneck": 4}  # channels out of a block over its width
HEAD = "head.linear"
STEM_CONVS = {"cifar": (3, 1), "imagenet": (7, 2)}  # kernel and stride of the first convolution


@dataclass(frozen=True)
class Layer:
    """A convolution, or the linear layer of the head.

    Attributes:
        module: its path in the built net, such as "stages.0.1.branch.conv2".
        stage: 0 for the stem, 1 and up for the stages, -1 for the head.
        block: number in its stage from 1; 0 for stem and head.
        number: of its kind in its block from 1; 0 for stem and head.
        kernel: side in pixels.
        c_in, c_out: channels.
        side: of its output in pixels; 1 for the head.
        projection: it is a projection shortcut, which depth does not count.
    """

    module: str
    stage: int
    block: int
    number: int
    kernel: int
    c_in: int
    c_out: int
    side: int
    projection: bool = False

    @property
    def title(self) -> str:
        """Its place in words."""
        if self.stage == 0:
            return _("stem")
        if self.stage < 0:
            return _("head")
        text = _("stage {s}, block {b}, conv {n}")
        if self.projection:
            text = _("stage {s}, block {b}, projection")
        return text.format(s=self.stage, b=self.block, n=self.number)

    @property
    def shape(self) -> str:
        """Kernel, channels and output: "3×3, 16→32, 16×16"."""
        if self.stage < 0:
            return f"{self.c_in}→{self.c_out}"
        kernel, out = f"{self.kernel}×{self.kernel}", f"{self.side}×{self.side}"
        return f"{kernel}, {self.c_in}→{self.c_out}, {out}"


@dataclass(frozen=True)
class Block:
    """A block of a stage.

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


def stem_sides(spec: NetSpec, *, image_size: int = 32) -> tuple[int, int]:
    """Sides in pixels of the stem's convolution and of what it gives to the first block."""
    side = -(-image_size // STEM_CONVS[spec.stem][1])
    return side, -(-side // 2) if spec.stem == "imagenet" else side


def blocks_of(spec: NetSpec, *, image_size: int = 32) -> list[Block]:
    """Every block from the stem to the head, for square images of `image_size` pixels."""
    blocks, channels = [], spec.width
    _conv, side = stem_sides(spec, image_size=image_size)
    for s, count in enumerate(spec.stage_blocks, 1):
        c_out = spec.width * 2 ** (s - 1) * EXPANSION[spec.block]
        for b in range(1, count + 1):
            stride = 2 if s > 1 and b == 1 else 1
            side = -(-side // stride)
            module = f"stages.{s - 1}.{b - 1}"
            blocks.append(Block(module, s, b, channels, c_out, stride, side))
            channels = c_out
    return blocks


def weighted_layers(
    spec: NetSpec, *, in_channels: int = 3, image_size: int = 32, num_classes: int = 10
) -> list[Layer]:
    """The `spec.depth` layers that depth counts, from the stem to the head."""
    found = all_layers(
        spec, in_channels=in_channels, image_size=image_size, num_classes=num_classes
    )
    return [layer for layer in found if not layer.projection]


def all_layers(
    spec: NetSpec, *, in_channels: int = 3, image_size: int = 32, num_classes: int = 10
) -> list[Layer]:
    """Weighted layers, and after those of its block each projection."""
    conv_side, side = stem_sides(spec, image_size=image_size)
    kernel = STEM_CONVS[spec.stem][0]
    layers = [Layer("stem.conv", 0, 0, 0, kernel, in_channels, spec.width, conv_side)]
    blocks = blocks_of(spec, image_size=image_size)
    for block in blocks:
        layers += _block_layers(spec, block, side)
        side = block.side
    return [*layers, Layer(HEAD, -1, 0, 0, 1, blocks[-1].c_out, num_classes, 1)]


def _block_layers(spec: NetSpec, block: Block, side_in: int) -> Iterator[Layer]:
    width = block.c_out // EXPANSION[spec.block]
    shapes = [(3, block.c_in, width, block.side), (3, width, width, block.side)]
    if spec.block == "bottleneck":
        shapes = [
            (1, block.c_in, width, side_in),
            (3, width, width, block.side),
            (1, width, block.c_out, block.side),
        ]
    for number, shape in enumerate(shapes, 1):
        module = f"{block.module}.branch.conv{number}"
        yield Layer(module, block.stage, block.block, number, *shape)
    if spec.family in RESIDUAL_FAMILIES and (
        spec.shortcut == "C" or (spec.shortcut == "B" and block.changes)
    ):
        shape = (1, block.c_in, block.c_out, block.side)
        module = f"{block.module}.shortcut.conv"
        yield Layer(module, block.stage, block.block, 1, *shape, projection=True)
