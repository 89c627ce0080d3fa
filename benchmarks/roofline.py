"""How many bytes a training step has to move, layer by layer, and which share of a copy's speed.

Counted is what an implementation moves that does each layer in one kernel and nothing twice, in
the number format of the activations (2 bytes for bfloat16, 4 for float32), caches left aside:

- convolution and head: forward reads input and weights, writes output; backward reads the output's
  gradient, input and weights once, writes the input's gradient (not the stem's) and the weights';
- batch norm: forward reads and writes once, backward reads input and gradient, writes a gradient;
- ReLU: forward reads and writes once, backward reads output and gradient, writes a gradient;
- addition at the end of a residual block: forward reads two and writes one; backward the sum of
  the two gradients at the block's beginning, the same;
- zero-padding shortcut where the shape changes: forward reads every `stride`-th pixel in both
  directions, writes its output; backward the reverse;
- global average pooling: reads its input; backward writes its gradient;
- batch: reads uint8 images, writes them in the activations' format;
- SGD with momentum: reads weights, gradients and momentum, writes weights and momentum, 4 bytes
  each.

Batch norm really has to read its input twice, for the statistics first; fusing layers moves less.
So the share is no upper bound of what can be done, but a measure that machines can be compared by.
"""

from __future__ import annotations

from resnet_viz.layers import all_layers, blocks_of
from resnet_viz.nets.costs import count_costs
from resnet_viz.specs import NetSpec

_STATE_BYTES = 4
BYTES = {"float32": 4, "bfloat16": 2}


def step_bytes(
    net: NetSpec,
    *,
    batch_size: int,
    image_size: int,
    in_channels: int,
    num_classes: int,
    dtype: str,
) -> int:
    """Bytes that one training step of a net moves, by the rules above.

    Raises:
        ValueError: the rules are not written for this net; they are for plain and residual nets
            of basic blocks with batch norm and zero-padding shortcuts.
    """
    ours = NetSpec(net.family, net.depth, width=net.width, blocks=net.blocks)
    if net != ours or net.family not in ("plain", "resnet"):
        raise ValueError(f"traffic is not counted for {net}")
    shape = {"in_channels": in_channels, "image_size": image_size, "num_classes": num_classes}
    values = batch_size * _image_values(net, in_channels=in_channels, image_size=image_size)
    # Forward and backward read them, backward writes their gradients.
    weights = 3 * sum(
        layer.c_in * layer.c_out * layer.kernel**2 for layer in all_layers(net, **shape)
    )
    pixels = batch_size * in_channels * image_size**2
    size = BYTES[dtype]
    parameters = count_costs(net, **shape).parameters
    return (
        (values + weights + pixels + 2 * batch_size * num_classes) * size
        + pixels
        + 5 * parameters * _STATE_BYTES
    )


def _image_values(net: NetSpec, *, in_channels: int, image_size: int) -> int:
    """Values of activations and their gradients moved for one image, head's output left out."""
    shape = {"in_channels": in_channels, "image_size": image_size}
    convs = [layer for layer in all_layers(net, **shape) if not layer.linear]
    total, side = 0, image_size
    for conv in convs:
        given, made = conv.c_in * side**2, conv.c_out * conv.side**2
        total += given + made  # convolution, forward
        total += made + given + (given if conv.stage else 0)  # and backward
        total += 5 * made  # batch norm
        total += 5 * made  # ReLU: one a convolution
        side = conv.side
    if net.family == "resnet":
        for block in blocks_of(net, image_size=image_size):
            made = block.c_out * block.side**2
            given = block.c_in * (block.side * block.stride) ** 2
            total += 3 * made + 3 * given
            if block.changes:
                total += 2 * (block.c_in * block.side**2 + made)
    last = convs[-1]
    total += 2 * last.c_out * last.side**2  # pooling
    return total + 5 * last.c_out  # its output and gradient; the head's input twice, and gradient
