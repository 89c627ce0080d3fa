import math
import re
from itertools import pairwise

import pytest

from resnet_viz.figures.signals.gains import gains, running_product
from tests.figures.making_signals import signal


def traces(figure):
    return {t.uid: t for t in figure.data}


def test_a_factor_a_block_and_their_product_from_the_output_on():
    figure = gains([signal(boundary=[24.0, 12.0, 4.0, 1.0])])
    found = traces(figure)
    assert list(found["plain-8-mean"].y) == pytest.approx([2, 3, 4])
    assert list(found["plain-8-product"].y) == pytest.approx([24, 12, 4, 1])
    assert list(found["plain-8-product"].x) == [1, 2, 3, 4]
    assert found["plain-8-product"].yaxis == "y2"
    assert "after 3 of 3 blocks" in found["plain-8-product"].text[0]


def test_the_product_at_the_first_block_is_that_of_all_factors():
    measured = signal(boundary=[0.7, 0.2, 5.0, 3.0])
    assert running_product(measured)[0] == pytest.approx(math.prod(measured.block_gains))
    assert running_product(measured)[-1] == 1


def test_the_factors_axis_is_centred_at_one():
    for boundary in ([8.0, 4.0, 2.0, 1.0], [1.0, 10.0, 20.0, 1e4], [1.0] * 4):
        low, high = gains([signal(boundary=boundary)]).layout.yaxis.range
        assert low == -high < 0
        top = max(abs(math.log10(a / b)) for a, b in pairwise(boundary))
        assert high > top
    assert [s.y0 for s in gains([signal()]).layout.shapes if s.y0 == s.y1] == [1, 1]


def test_both_axes_say_that_they_are_log_and_the_direction_is_told():
    layout = gains([signal()]).layout
    for axis in (layout.yaxis, layout.yaxis2):
        assert (axis.type, "log axis" in axis.title.text) == ("log", True)
    assert layout.xaxis.title.text.startswith("← the gradient travels this way")


def test_a_dot_a_convolution_of_the_branches_within_its_block():
    figure = gains([signal("resnet", 11, block="bottleneck", gains=[*range(1, 10)])])
    dots = traces(figure)["resnet-11-layers"]
    assert list(dots.y) == pytest.approx(range(1, 10))
    assert [round(x) for x in dots.x] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert list(dots.x) == sorted(dots.x)
    assert "stage 1, block 1, conv 2" in dots.text[1]


def test_a_factor_that_is_not_defined_is_a_gap_and_counted():
    figure = gains([signal(boundary=[1.0, 1.0, 0.0, 0.0], gains=[math.nan] * 6)])
    assert list(traces(figure)["plain-8-mean"].y) == [1, None, None]
    assert "not defined" in traces(figure)["plain-8-mean"].text[2]
    assert "(plain-8: 2 of 3 blocks)" in figure.layout.xaxis.title.text
    assert "NaN" not in figure.to_json()


def test_uids_are_its_own_for_every_trace():
    signals = [signal(f, seed=s) for f in ("plain", "resnet", "preact") for s in (0, 1)]
    uids = [t.uid for t in gains(signals).data]
    assert len(set(uids)) == len(uids)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", uid) for uid in uids)
    assert len(gains([]).data) == 0
