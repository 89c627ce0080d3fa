import numpy as np
import pytest

from resnet_viz.analysis.tables import probe_rows, rows_csv
from resnet_viz.figures.maps.linear import (
    Probed,
    class_probability_vs_depth,
    probe_depths,
    probe_error_vs_depth,
)
from resnet_viz.figures.maps.linear_captions import (
    clear_rises,
    placed_caption,
    probe_caption,
    settled,
)
from resnet_viz.figures.palette import LOOKS, colour
from resnet_viz.inside import LinearProbes, Prediction
from resnet_viz.layers import weighted_layers
from resnet_viz.specs import NetSpec

FALLING = (0.8, 0.6, 0.4, 0.2)


def probes(family="resnet", depth=8, errors=FALLING, *, step=None, images=1000, **fields):
    net = NetSpec(family, depth, width=4, **fields)
    count = len(errors)
    assert count == 1 + sum(net.stage_blocks)
    return LinearProbes(
        net=net,
        step=step,
        points=("stem.relu", *(f"block{i}" for i in range(1, count))),
        train_error=tuple(e / 2 for e in errors),
        test_error=tuple(errors),
        train_images=2000,
        test_images=images,
        net_error=0.15,
        classes=("cat", "dog", "frog"),
        data="Pets",
        weights=(),
        bias=(),
    )


def probed(label="resnet-8", named=None, **about):
    """With an image if `named` says which class each probe names; the net names a dog."""
    if named is None:
        return Probed(label, probes(**about))
    placed = np.full((len(named), 3), 0.1, np.float32)
    placed[range(len(named)), named] = 0.8
    prediction = Prediction(np.array([0.2, 0.7, 0.1]), np.zeros(3))
    return Probed(label, probes(**about), placed, prediction)


def lines(figure):
    return {t.name: t for t in figure.data if t.showlegend}


@pytest.mark.parametrize("block", ["basic", "bottleneck"])
def test_a_point_stands_at_the_weighted_layers_that_it_has_behind_it(block):
    net = NetSpec("resnet", 20, block=block)
    layers = weighted_layers(net)
    ends = [1]  # the stem; then the last layer of every block
    for i, layer in enumerate(layers[:-1], 1):
        following = layers[i]
        if layer.stage and (layer.stage, layer.block) != (following.stage, following.block):
            ends.append(i)
    assert probe_depths(net) == ends


def test_a_line_a_net_in_per_cent_and_its_own_error_in_dots():
    figure = probe_error_vs_depth([probed(), probed("plain-8", family="plain")])
    line = lines(figure)["resnet-8"]
    assert list(line.y) == pytest.approx([80, 60, 40, 20])
    assert list(line.x) == [1, 3, 5, 7]
    assert line.line.color == colour("resnet", 0, [0])
    assert lines(figure)["plain-8"].marker.symbol == LOOKS["plain"].symbol
    own = [t for t in figure.data if not t.showlegend]
    assert [list(t.y) for t in own] == [pytest.approx([15] * 4)] * 2
    assert own[0].line.color == line.line.color
    assert "stage 2, block 1" in line.text[2]
    assert "40.0 % of the test images" in line.text[2]
    assert "2,000 training images, tested on 1,000: Pets" in figure.layout.xaxis.title.text


def test_stages_are_marked_where_all_nets_have_the_same():
    figure = probe_error_vs_depth([probed()])
    assert [shape.x0 for shape in figure.layout.shapes] == [1.5, 3.5, 5.5, 7.5]
    deeper = probed("resnet-14", depth=14, errors=(*FALLING, 0.1, 0.1, 0.1))
    assert not probe_error_vs_depth([probed(), deeper]).layout.shapes


def test_checkpoints_of_one_net_differ_in_shade():
    early, late = probed("early", step=10), probed("late", step=300)
    drawn = lines(probe_error_vs_depth([late, early]))
    assert drawn["early"].line.color == colour("resnet", 0, [0, 1])
    assert drawn["late"].line.color == colour("resnet", 1, [0, 1])


def test_the_image_is_drawn_by_the_class_that_the_net_names():
    shown = [probed(named=(0, 2, 1, 1)), probed("without")]
    figure = class_probability_vs_depth(shown)
    assert list(lines(figure)) == ["resnet-8"]
    assert list(lines(figure)["resnet-8"].y) == pytest.approx([10, 10, 80, 80])
    assert "the probe names frog" in lines(figure)["resnet-8"].text[1]
    assert "resnet-8: dog" in figure.layout.xaxis.title.text
    assert not class_probability_vs_depth([]).data


def test_a_fall_all_the_way_is_told_as_one():
    text = probe_caption([probed()])
    assert "80.0 % of the test images at the stem and on 20.0 % at the last block" in text
    assert "the net itself on 15.0 %" in text
    assert "never rises" in text
    assert "falls up to the last block" in text


def test_a_clear_rise_is_told_with_its_place_and_size():
    found = probed(errors=(0.8, 0.3, 0.5, 0.2))
    assert clear_rises(found.probes) == [2]
    text = probe_caption([found])
    assert "does not fall all the way: at stage 2, block 1 it rises by 20.0" in text


def test_what_the_images_cannot_tell_is_not_called_a_rise():
    found = probed(errors=(0.8, 0.30, 0.31, 0.2))
    assert clear_rises(found.probes) == []
    assert "1,000 test images cannot tell" in probe_caption([found])
    many = probed(errors=(0.8, 0.30, 0.31, 0.2), images=100_000)
    assert clear_rises(many.probes) == [2]


def test_from_where_on_depth_helps_no_more():
    # The standard error of 20 % with 1,000 images is 1.26 points.
    early = probed(errors=(0.8, 0.212, 0.205, 0.2))
    assert settled(early.probes) == 1
    assert "From stage 1, block 1 on it stays within one standard error" in probe_caption([early])
    assert settled(probed(errors=(0.8, 0.213, 0.205, 0.2)).probes) == 2
    back = probe_caption([probed(errors=(0.8, 0.2, 0.5, 0.6))])
    assert "lowest at stage 1, block 1 (20.0 %), not at the end" in back
    flat = probe_caption([probed(errors=(0.895, 0.898, 0.89, 0.892))])
    assert "no clear fall" in flat
    assert "No block does better than the stem" in flat


def test_the_image_is_told_by_where_its_class_is_first_named_for_good():
    assert "from stage 3, block 1 on every probe names dog; the one before names frog" in (
        placed_caption([probed(named=(1, 1, 2, 1))])
    )
    assert "from the stem on" in placed_caption([probed(named=(1, 1, 1, 1))])
    assert "the probe at the last block names cat" in placed_caption([probed(named=(0, 1, 1, 0))])
    assert placed_caption([probed()]) == ""


def test_rows_have_a_probe_each_and_the_image_where_there_is_one():
    found = probed(named=(0, 2, 1, 1))
    rows = probe_rows(found.probes, found.placed, found.target)
    assert [row["probe_test_error"] for row in rows] == list(FALLING)
    assert [row["block_number"] for row in rows] == [0, 1, 2, 3]
    assert [row["named"] for row in rows] == ["cat", "frog", "dog", "dog"]
    assert [row["target_probability"] for row in rows] == pytest.approx([0.1, 0.1, 0.8, 0.8])
    head, *body = rows_csv(probe_rows(found.probes)).splitlines()
    assert "probe_test_error" in head
    assert "named" not in head
    assert len(body) == 4
