"""Charts and captions of paths and responses say what the numbers are."""

import pytest

from resnet_viz.blockwise import PathLengths, Responses
from resnet_viz.figures.blocks.paths import norm_by_length, paths_caption, shares_by_length
from resnet_viz.figures.blocks.responses import (
    Measured,
    branch_shares,
    response_stds,
    responses_caption,
    why_no_ratio,
)
from resnet_viz.specs import NetSpec


def lengths(norms, family="resnet"):
    return PathLengths(NetSpec(family, 8, width=4), 5, 16, norms)


SHORT = lengths(((100.0,), (10.0, 12.0), (1.0,), (0.1,)))
LONG = lengths(((0.001,), (0.01,), (1.0,), (100.0,)))
PLAIN = lengths(((), (), (), (0.5,)), "plain")


def test_the_caption_says_which_lengths_hold_the_gradient():
    text = paths_caption([("mine", SHORT)])
    assert "mine has 8 paths; on average one takes 1.5 of 3 branches" in text
    assert "along paths with 0 to 1 branches (2–4 weighted layers), which are 50.0 %" in text
    assert "prefers the shorter" in text
    assert "prefers the longer" in paths_caption([("mine", LONG)])
    assert "one path, through all its 3 blocks" in paths_caption([("p", PLAIN)])


def test_shares_are_drawn_by_blocks_or_layers():
    figure = shares_by_length([("mine", SHORT), ("p", PLAIN)], "layers").to_dict()
    gradient, paths = figure["data"]
    assert list(gradient["x"]) == [2, 4, 6, 8]
    assert list(paths["y"]) == pytest.approx([12.5, 37.5, 37.5, 12.5])
    assert sum(gradient["y"]) == pytest.approx(100)
    assert "p: one path of length 8" in figure["layout"]["xaxis"]["title"]["text"]
    dots, line, *_plain = norm_by_length([("mine", SHORT), ("p", PLAIN)]).to_dict()["data"]
    assert len(dots["x"]) == 5
    assert list(line["y"]) == pytest.approx([100, 11, 1, 0.1])


def responses(depth, std, ratio, step):
    net = NetSpec("resnet", depth, width=4)
    blocks = sum(net.stage_blocks)
    return Responses(net, step, 8, (std,) * (depth - 1), (ratio,) * blocks, (1.0,) * blocks)


def test_a_deeper_net_whose_layers_do_less_is_named():
    found = [
        Measured("resnet-14", responses(14, 0.8, 0.5, 300)),
        Measured("resnet-14, fresh", responses(14, 1.0, 0.7, 0), early=True, of="resnet-14"),
        Measured("other, fresh", responses(14, 1.0, 9.0, 0), early=True, of="other"),
        Measured("resnet-26", responses(26, 0.5, 0.3, 300)),
    ]
    text = responses_caption(found)
    assert "resnet-14: a branch adds 0.5 times" in text
    assert "and 0.7 before the first step" in text
    assert "0.80 in resnet-14 and 0.50 in resnet-26: in the deeper net a layer changes" in text
    lines = branch_shares(found).to_dict()["data"]
    assert [len(line["x"]) for line in lines] == [6, 6, 6, 12]
    assert [len(line["x"]) for line in response_stds(found).to_dict()["data"]] == [13, 13, 13, 25]
    swapped = [found[0], Measured("resnet-26", responses(26, 0.9, 0.3, 300))]
    assert "does not change its signal less" in responses_caption(swapped)


def test_where_nothing_is_added_up_the_page_says_why():
    found = [
        Measured(net.name, Responses(net, 300, 8, (1.0,) * (net.depth - 1), (), ()))
        for net in (NetSpec("plain", 14, width=4), NetSpec("densenet", 10))
    ]
    text = why_no_ratio(found)
    assert "of plain-14: plain blocks put F(x) in the place of x" in text
    assert "of densenet-10: a dense layer puts its channels behind those of x" in text
    notes = response_stds(found).layout.xaxis.title.text
    assert "of densenet, whose norms come before: of the convolution itself" in notes
    assert why_no_ratio([Measured("resnet-14", responses(14, 0.8, 0.5, 300))]) == ""


def test_a_gate_is_named_where_one_weighs_the_terms():
    net = NetSpec("highway", 8, width=4)
    found = [Measured("highway-8", Responses(net, 300, 8, (1.0,) * 7, (0.5,) * 6, (1.0,) * 6))]
    assert "as the gate has weighed them" in branch_shares(found).layout.xaxis.title.text
    assert "0.5 times what the gate lets through of x" in responses_caption(found)
