import math

import pytest

from resnet_viz.figures.maps.norms import (
    branch_caption,
    branch_over_shortcut,
    branch_ratios,
    output_norms,
)
from resnet_viz.figures.maps.predictions import (
    chart_pixels,
    class_name,
    prediction_caption,
    top_classes,
    top_predictions,
    unknown_class_caption,
)
from resnet_viz.figures.palette import LOOKS
from tests.figures.maps.making import looked

CLASSES = ("cat", "dog", "tench, Tinca tinca", "a class whose name goes on and on and on")


def test_a_stranger_s_class_names_are_no_markup():
    names = ('<a href="//x">cat</a>', "R&D", "b", "c")
    figure = top_predictions([looked()], names, count=4)
    assert {'&lt;a href="//x"&gt;cat&lt;/a&gt;', "R&amp;D"} < set(figure.data[0].y)


def test_the_ratio_is_branch_over_shortcut_in_every_block_of_a_residual_net():
    residual = looked(branch=(1, 2, 3), shortcut=(2, 2, 2))
    figure = branch_over_shortcut([residual, looked("plain")])
    (line,) = figure.data
    assert line.name == "resnet-8"
    assert list(line.x) == [1, 2, 3]
    assert list(line.y) == [0.5, 1, 1.5]
    assert list(line.marker.symbol) == ["square", "square-open", "square-open"]
    assert "no shortcuts: plain-8" in figure.layout.xaxis.title.text
    assert "log axis" in figure.layout.yaxis.title.text
    assert [note.text for note in figure.layout.annotations] == ["stage 1", "stage 2", "stage 3"]


def test_a_branch_of_zero_and_a_shortcut_of_zero_are_marked_at_the_edges():
    look = looked(branch=(0, 1, 0), shortcut=(1, 0, 0))
    assert branch_ratios(look)[:2] == [0, math.inf]
    assert math.isnan(branch_ratios(look)[2])
    line, *marks = branch_over_shortcut([look]).data
    assert list(line.y) == [None, None, None]
    assert {mark.uid: list(mark.x) for mark in marks} == {
        "resnet-8-zero": [1],
        "resnet-8-overflow": [2],
    }


def test_the_norm_of_outputs_is_there_for_plain_nets_too():
    figure = output_norms([looked("plain", output=(1, 2, 3)), looked(output=(4, 5, 6))])
    assert [list(line.y) for line in figure.data] == [[1, 2, 3], [4, 5, 6]]
    assert [line.line.dash for line in figure.data] == [LOOKS[f].dash for f in ("plain", "resnet")]


def test_checkpoints_of_one_net_are_shades_the_latest_the_deepest():
    looks = [looked(step=s, label=f"resnet-8 after {s}") for s in (300, 10, 100)]
    shade = {line.name: line.line.color for line in output_norms(looks).data}
    assert shade["resnet-8 after 10"] == LOOKS["resnet"].shades[0]
    assert shade["resnet-8 after 100"] == LOOKS["resnet"].shades[1]
    assert shade["resnet-8 after 300"] == LOOKS["resnet"].shades[2]


def test_the_caption_of_the_ratio_names_its_ends():
    caption = branch_caption(looked(branch=(1, 2, 6), shortcut=(2, 2, 2)))
    assert "smaller than what the shortcut carries in 1 of 3 blocks" in caption
    assert "from 0.5 (stage 1, block 1) to 3 (stage 3, block 1)" in caption
    assert "in every block" in branch_caption(looked())
    assert "exactly zero" in branch_caption(looked(branch=(0, 0, 0)))
    assert "has no shortcuts" in branch_caption(looked("plain"))


def test_the_caption_tells_early_from_late_over_blocks_that_keep_their_shape():
    early = (1.0,) * 5 + (4.0,) * 4  # of resnet-20; blocks 4 and 7 change shape
    caption = branch_caption(looked(depth=20, branch=early, shortcut=(2.0,) * 9))
    geometric = (0.5 * 2 * 2 * 2) ** (1 / 4)
    assert f"is 0.5 in the first half and {geometric:.3g} in the second" in caption


def test_bars_show_the_classes_of_every_net_in_per_cent():
    looks = [
        looked("plain", probabilities=(0.1, 0.6, 0.05, 0.25)),
        looked(probabilities=(0.72, 0.18, 0.06, 0.04)),
    ]
    assert top_classes(looks, 1) == [0, 1]
    assert top_classes(looks, 2) == [0, 1, 3]
    figure = top_predictions(looks, CLASSES, count=2)
    plain, residual = figure.data
    assert list(residual.y) == ["cat", "dog", class_name(CLASSES[3])]
    assert list(residual.x) == pytest.approx([72, 18, 4])
    assert list(plain.x) == pytest.approx([10, 60, 25])
    assert list(residual.text) == ["72 %", "18 %", "4.0 %"]
    assert plain.marker.color == LOOKS["plain"].shades[-1]
    assert plain.marker.pattern.shape != residual.marker.pattern.shape
    assert chart_pixels(looks, count=2) > chart_pixels(looks[:1], count=2)


def test_classes_of_the_same_name_have_a_place_each():
    figure = top_predictions([looked()], ("crane", "crane", "heron"), count=3)
    assert len(set(figure.data[0].y)) == 3


def test_names_are_cut_to_the_first_and_to_a_length():
    assert class_name(CLASSES[2]) == "tench"
    assert len(class_name(CLASSES[3])) == 28


def test_the_caption_says_what_each_net_says_and_whether_they_agree():
    plain, residual = looked("plain", probabilities=(0.3, 0.6, 0.1)), looked()
    caption = prediction_caption([plain, residual], CLASSES)
    assert "plain-8 says dog (60 %), before cat (30 %)." in caption
    assert "resnet-8 says cat (70 %), before dog (20 %)." in caption
    assert caption.endswith("They do not agree.")
    assert prediction_caption([residual, residual], CLASSES).endswith("They agree.")
    assert "agree" not in prediction_caption([residual], CLASSES)


def test_a_picture_of_a_class_that_a_net_does_not_know_is_called_so():
    told = unknown_class_caption("7", "plain-8", CLASSES)
    assert "“7”, is none of the 4 classes that plain-8 can name (cat …" in told
    assert unknown_class_caption("cat", "plain-8", CLASSES) == ""
    # ImageNet's names hold several words.
    assert unknown_class_caption("cat", "a net", ("tabby, tabby cat", "heron")) == ""
