"""Every point of a net has a module, and its name is found again."""

import pytest

from resnet_viz.nets.build import build_net
from resnet_viz.points import find_point, points_of
from resnet_viz.specs import NetSpec, SpecError

NETS = [
    NetSpec("plain", 8),
    NetSpec("resnet", 20, shortcut="B"),
    NetSpec("preact", 20, shortcut="B"),
    NetSpec("resnet", 29, block="bottleneck"),
    NetSpec("resnet", 8, norm="none", init="fixup"),
    NetSpec("resnet", 18, shortcut="B", blocks=(2, 2, 2, 2), stem="imagenet"),
    NetSpec("plain", 8, norm="none", stem="imagenet"),
    NetSpec("highway", 8, norm="none"),
    NetSpec("densenet", 13, growth_rate=3),
    NetSpec("densenet", 22, "bottleneck", stem="imagenet", compression=0.5),
    NetSpec("resnet", 8, shortcut="exclusive_gate"),
    NetSpec("resnet", 8, shortcut="shortcut_gate"),
    NetSpec("resnet", 8, shortcut="dropout"),
    NetSpec("resnet", 8, shortcut="scaled"),
    NetSpec("resnet", 14, order="norm_after_sum"),
    NetSpec("resnet", 14, order="relu_before_sum"),
    NetSpec("preact", 14, shortcut="B", order="relu_only"),
    NetSpec("resnet", 14, survival=0.5),
]


@pytest.mark.parametrize("spec", NETS, ids=lambda s: f"{s.name}-{s.shortcut}-{s.block}-{s.order}")
def test_every_point_has_its_module(spec):
    modules = dict(build_net(spec).named_modules())
    points = points_of(spec)
    assert not [point.name for point in points if point.module not in modules]
    assert len({point.name for point in points}) == len(points)
    assert all(find_point(spec, point.name) == point for point in points)


def test_a_residual_block_has_branch_shortcut_and_sum_and_a_plain_one_has_none():
    kinds = {p.kind for p in points_of(NetSpec("resnet", 8))}
    assert {"branch", "shortcut", "sum"} <= kinds
    assert not {"branch", "shortcut", "sum"} & {p.kind for p in points_of(NetSpec("plain", 8))}


def test_an_unknown_point_is_refused_with_the_nearest():
    with pytest.raises(SpecError, match=r"stage2\.block3"):
        find_point(NetSpec("resnet", 20), "stage2.blok3")
