"""Layers named from a spec are those of the built net, in its order and with its shapes."""

import pytest
import torch
from torch import nn

from resnet_viz.layers import all_layers, blocks_of, depths_reached, stem_sides, weighted_layers
from resnet_viz.nets.build import build_net
from resnet_viz.specs import NetSpec

SPECS = [
    NetSpec("plain", 20, width=4),
    NetSpec("resnet", 20, width=4),
    NetSpec("resnet", 14, width=4, shortcut="C"),
    NetSpec("resnet", 29, width=4, block="bottleneck", shortcut="B"),
    NetSpec("preact", 29, width=4, block="bottleneck", shortcut="B"),
    NetSpec("preact", 14, width=4, norm="none"),
    NetSpec("plain", 20, width=4, blocks=(2, 3, 3, 1)),
    NetSpec("resnet", 18, width=4, shortcut="B", blocks=(2, 2, 2, 2), stem="imagenet"),
    NetSpec("resnet", 14, "bottleneck", "B", width=4, blocks=(1, 1, 1, 1), stem="imagenet"),
    NetSpec("highway", 11, width=4),
    NetSpec("densenet", 13, width=4, growth_rate=3),
    NetSpec("densenet", 22, "bottleneck", width=4, growth_rate=3, compression=0.5),
    NetSpec("resnet", 14, shortcut="exclusive_gate", width=4),
    NetSpec("plain", 14, width=4, aux_heads=2),
]


def seen(net, images, modules):
    """Module path to the shapes of its input and output, in the order of the forward pass."""
    shapes = {}
    for name in modules:

        def note(_module, args, out, name=name):
            shapes[name] = (args[0].shape, out.shape)

        net.get_submodule(name).register_forward_hook(note)
    net.outputs(images)
    return shapes


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: f"{s.name}-{s.block}-{s.shortcut}")
def test_layers_are_those_of_the_built_net(spec):
    net = build_net(spec, num_classes=7, in_channels=2)
    layers = all_layers(spec, in_channels=2, image_size=20, num_classes=7)
    kinds = {n for n, m in net.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)}
    assert {layer.module for layer in layers} == kinds
    shapes = seen(net, torch.randn(3, 2, 20, 20), kinds)
    for layer in layers:
        before, after = shapes[layer.module]
        module = net.get_submodule(layer.module)
        assert (layer.c_in, layer.c_out) == (before[1], after[1])
        if not layer.linear:
            assert after[2:] == (layer.side, layer.side)
            assert module.kernel_size == (layer.kernel, layer.kernel)
    weighted = weighted_layers(spec, in_channels=2, image_size=20, num_classes=7)
    assert len(weighted) == spec.depth
    beside = ("shortcut", "gate", "auxiliary")
    assert [x.module for x in weighted] == [
        x for x in shapes if not any(part in x for part in beside)
    ]


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: f"{s.name}-{s.block}-{s.shortcut}")
def test_blocks_are_those_of_the_built_net(spec):
    net = build_net(spec)
    blocks = blocks_of(spec, image_size=20)
    built = [
        f"stages.{s}.{b}"
        for s, stage in enumerate(net.stages)
        for b, _block in stage.named_children()
        if b != "transition"
    ]
    assert [block.module for block in blocks] == built
    for name, (before, after) in seen(net, torch.randn(3, 3, 20, 20), built).items():
        block = next(b for b in blocks if b.module == name)
        assert (block.c_in, block.c_out) == (before[1], after[1])
        assert after[2:] == (block.side, block.side)
        assert block.changes == (before[1:] != after[1:])


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: f"{s.name}-{s.block}-{s.shortcut}")
def test_depths_reached_count_the_layers_up_to_every_block(spec):
    layers, reached = weighted_layers(spec), depths_reached(spec)
    assert reached[0] == 1
    for block, depth in zip(blocks_of(spec), reached[1:], strict=True):
        last = max(
            i for i, x in enumerate(layers, 1) if (x.stage, x.block) == (block.stage, block.block)
        )
        assert depth == last


def test_the_imagenet_stem_quarters_the_side():
    # Sides as in He et al. 2015, Table 1.
    net = NetSpec("resnet", 50, "bottleneck", "B", 64, blocks=(3, 4, 6, 3), stem="imagenet")
    assert all_layers(net, image_size=224)[0].shape == "7×7, 3→64, 112×112"
    assert stem_sides(net, image_size=224) == (112, 56)
    sides = {block.stage: block.side for block in blocks_of(net, image_size=224)}
    assert sides == {1: 56, 2: 28, 3: 14, 4: 7}
    assert [stem_sides(net, image_size=side) for side in (15, 21)] == [(8, 4), (11, 6)]


def test_titles_and_shapes_are_readable():
    layers = weighted_layers(NetSpec("resnet", 20), image_size=32)
    assert [layers[0].title, layers[-1].title] == ["stem", "head"]
    assert layers[7].title == "stage 2, block 1, conv 1"
    assert layers[7].shape == "3×3, 16→32, 16×16"
    assert layers[-1].shape == "64→10"
