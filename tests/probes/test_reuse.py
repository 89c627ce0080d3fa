"""Feature reuse is what the weights say, read by hand."""

import pytest
import torch

from resnet_viz.figures.blocks.reuse import feature_reuse, reuse_caption
from resnet_viz.nets.build import build_net
from resnet_viz.probes.reuse import measure_reuse
from resnet_viz.reuse import connections
from resnet_viz.specs import NetSpec, SpecError

SPEC = NetSpec("densenet", 13, width=4, growth_rate=3)


def made():
    torch.manual_seed(0)
    return build_net(SPEC, num_classes=5)


def test_weights_are_read_by_the_layer_that_made_the_channel():
    net = made()
    found = measure_reuse(net, SPEC, step=7)
    assert [len(stage.weights) for stage in found.stages] == [4, 4, 4]
    third = net.stages[0][2].branch.conv1.weight  # sees 4 channels of the stem, 3 + 3 of layers
    parts = [third[:, :4], third[:, 4:7], third[:, 7:]]
    expected = [part.abs().mean().item() for part in parts]
    assert found.stages[0].weights[2] == (*map(pytest.approx, expected), None)
    head = net.head.linear.weight
    assert found.stages[2].weights[3][3] == pytest.approx(head[:, -3:].abs().mean().item())
    transition = net.stages[0].transition.conv.weight
    assert found.stages[0].weights[3][0] == pytest.approx(transition[:, :4].abs().mean().item())


def test_what_one_layer_prefers_is_seen_and_said():
    net = made()
    with torch.no_grad():
        for stage in net.stages:
            for layer in stage[1:3]:
                layer.branch.conv1.weight[:, :-3] *= 0.01  # only the layer just before counts
        net.head.linear.weight[:, 4:7] *= 50
    found = measure_reuse(net, SPEC)
    relative = found.stages[1].relative[2]
    assert relative[2] > 2.5
    assert max(relative[:2]) < 0.1
    caption = reuse_caption(found)
    assert "layers look most at those just before them" in caption
    assert "18 direct connections" in caption
    heat = feature_reuse(found).data[1]
    assert heat.z[2][2] == pytest.approx(relative[2])
    assert heat.z[3][1] is None


def test_connections_are_counted_one_by_one():
    for depth in (13, 40):
        spec = NetSpec("densenet", depth)
        counted = sum(target + 1 for count in spec.stage_blocks for target in range(count))
        assert connections(spec) == counted


def test_a_net_that_adds_up_is_refused_with_what_would_do():
    spec = NetSpec("resnet", 8, width=4)
    with pytest.raises(SpecError, match="DenseNet"):
        measure_reuse(build_net(spec), spec)
