import math
import re

import pytest

from resnet_viz.figures.signals.captions import (
    gains_caption,
    gradient_caption,
    response_caption,
)
from tests.figures.making_signals import signal


def seeds(ratios, family="plain"):
    """The head's gradient is no part of the ratio."""
    return [signal(family, gradient=[r, *[1.0] * 6, 50.0], seed=s) for s, r in enumerate(ratios)]


@pytest.mark.parametrize(
    ("ratios", "words"),
    [
        ([3.0], "plain-8: 3, it grows towards the input."),
        ([100.0, 380.0, 800.0], "312 (geometric mean of 3 seeds, 100 to 800), it grows towards"),
        ([0.1, 0.2, 0.9], "0.262 (geometric mean of 3 seeds, 0.1 to 0.9), it shrinks towards"),
        ([1.9], "1.9, equal within a factor of two"),
        ([0.6, 1.0, 8.0], "equal within a factor of two"),
        ([0.5, 4.0, 8.0], "not the same way in all seeds"),
    ],
)
def test_the_direction_is_that_of_the_mean(ratios, words):
    assert words in gradient_caption(seeds(ratios))


def test_every_net_has_its_own_numbers():
    text = gradient_caption(seeds([5.0]) + seeds([0.25], "resnet"))
    assert "plain-8: 5, it grows towards the input; resnet-8: 0.25, it shrinks" in text


def test_nothing_is_said_of_a_direction_where_an_end_is_zero():
    text = gradient_caption([signal(gradient=[1.0, *[0.0] * 6, 1.0])])
    assert "towards" not in text
    assert text == "plain-8: the gradient of 6 of 8 layers is exactly zero."


def test_zero_gamma_is_the_reason_only_for_the_layers_it_explains():
    explained = [1.0, *[0.0] * 6, 1.0]
    text = gradient_caption([signal("resnet", gradient=explained, init="zero_gamma")])
    assert "6 of 8 layers is exactly zero, since the last batch norm of every branch" in text
    more = gradient_caption([signal("resnet", gradient=[0.0] * 7 + [1.0], init="zero_gamma")])
    assert more == "resnet-8: the gradient of 7 of 8 layers is exactly zero."


def test_fixup_is_the_reason_only_for_all_layers_but_the_head():
    net = {"init": "fixup", "norm": "none"}
    text = gradient_caption([signal("resnet", gradient=[0.0] * 7 + [1.0], **net)])
    assert "7 of 8 layers is exactly zero, since the head starts at zero" in text
    fewer = gradient_caption([signal("resnet", gradient=[1.0, 0.0, *[1.0] * 6], **net)])
    assert "1 of 8 layers is exactly zero." in fewer


def test_a_layer_that_is_zero_in_one_seed_only_is_not_called_zero():
    signals = [signal(), signal(gradient=[1.0, 0.0, *[1.0] * 6], seed=1)]
    assert "zero" not in gradient_caption(signals)


def test_the_same_of_several_nets_is_told_once():
    gradient = [1.0, *[0.0] * 6, 1.0]
    signals = [signal(f, gradient=gradient, init="zero_gamma") for f in ("resnet", "preact")]
    assert gradient_caption(signals).startswith("resnet-8, preact-8: the gradient of 6 of 8")


def test_seeds_that_go_both_ways_are_not_called_equal():
    signals = [signal(gradient=[r, *[1.0] * 7], seed=i) for i, r in enumerate((0.01, 1.0, 100.0))]
    assert "not the same way in all seeds" in gradient_caption(signals)


def test_a_ratio_near_one_does_not_hide_that_all_gradients_are_tiny():
    text = gradient_caption([signal(gradient=[1e-52] * 8, norm="none")])
    assert "no convolution's gradient is above 1.00·10⁻⁵²" in text
    assert "no convolution" not in gradient_caption([signal()])


def test_an_overflow_is_called_one():
    text = gradient_caption([signal(gradient=[math.inf, math.nan, *[1.0] * 6], norm="none")])
    assert "plain-8: overflow in the gradient of 2 of 8 layers." in text
    assert not re.search(r"\b(inf|nan)\b", text)


def test_the_mean_factor_to_the_power_of_the_blocks_is_the_product():
    text = gains_caption([signal(boundary=[27.0, 1.0, 5.0, 1.0])])
    assert "by: plain-8: 3 (3 blocks: 27)." in text
    two = [signal(boundary=[b, 1.0, 1.0, 1.0], seed=s) for s, b in enumerate((1.0, 64.0))]
    assert "plain-8: 2 (3 blocks: 8; 1 to 64 over 2 seeds)" in gains_caption(two)


def test_no_factor_is_told_where_the_gradient_is_zero():
    text = gains_caption([signal("resnet", boundary=[0.0] * 4), signal(boundary=[8.0, 1, 1, 1.0])])
    assert "plain-8: 2 (3 blocks: 8)" in text
    assert "No factor, since the gradient is zero or overflows at an end: resnet-8." in text


def test_responses_within_and_outside_of_their_bounds():
    within = signal(response=[0.9, *[1.0] * 5, 1.1, 0.01])
    assert "plain-8: 0.9 to 1.1, within 0.5 to 2." in response_caption([within])
    outside = signal(response=[1.0, 2.5, *[1.0] * 4, 0.4, 1.0])
    text = response_caption([outside])
    assert "plain-8: 0.4 to 2.5, outside 0.5 to 2 in 2 of 7 layers." in text
    flat = response_caption([signal(response=[1.0] * 7 + [3.0])])
    assert "plain-8: 1, within" in flat


def test_responses_of_zero_and_overflow_are_told_apart():
    response = [1.0, 0.0, 0.0, math.inf, 1.0, 1.0, 1.0, 1.0]
    text = response_caption([signal(response=response)])
    assert "exactly zero in 2 of 7 layers" in text
    assert "overflow in 1 of 7 layers" in text


def test_without_signals():
    assert gradient_caption([]) == "Nothing has been measured yet."
