import math
import re

from resnet_viz.figures.signals.shortcut_captions import shortcut_caption
from tests.figures.making_signals import decomposition, split


def test_how_often_and_by_how_much_the_shortcuts_part_is_larger():
    norms = ((8.0, 1.0), (1.0, 1.0), (2.0, 2.0))
    splits = [split(shortcut_norm=a, branch_norm=b) for a, b in norms]
    text = shortcut_caption(decomposition(splits=splits))
    assert "resnet-8: the part through the shortcut is the larger one in 1 of 3 blocks" in text
    assert "it is 2 times the branch's (geometric mean)" in text


def test_a_branch_without_gradient():
    text = shortcut_caption(decomposition(splits=[split(branch_norm=0.0, cosine=math.nan)] * 3))
    assert "no gradient comes through the branches" in text
    assert "cosine between" not in text


def test_cosines_and_the_largest_residue():
    splits = [split(cosine=c, residue=r) for c, r in ((-0.1, 1e-16), (0.2, 3e-16), (0.0, 0.0))]
    text = shortcut_caption(decomposition(splits=splits))
    assert "from −0.10 to 0.20" in text
    assert "within 3.00·10⁻¹⁶ of their norms" in text
    exact = shortcut_caption(decomposition(splits=[split(residue=0.0)] * 3))
    assert "add up to autograd's gradient exactly" in exact


def test_a_relu_breaks_the_identity_only_where_it_holds_something_back():
    shares = [split(passed=p) for p in (0.62, 0.9, 0.79)]
    assert "it passes 62 % to 90 %" in shortcut_caption(decomposition(splits=shares))
    assert "ReLU after" not in shortcut_caption(decomposition("preact", splits=shares))
    whole = shortcut_caption(decomposition(splits=[split()] * 3))
    assert "passes the whole gradient" in whole


def test_blocks_whose_shortcut_is_no_identity_are_named():
    text = shortcut_caption(decomposition())
    assert "The shortcut is a zero-padding in: stage 2, block 1; stage 3, block 1." in text
    every = [split(shortcut="projection")] * 9
    text = shortcut_caption(decomposition(depth=20, splits=every, shortcut="C"))
    assert "The shortcut is a projection in: every block." in text
    assert "The shortcut is" not in shortcut_caption(decomposition(splits=[split()] * 3))


def test_what_arrives_at_the_first_block():
    splits = [split(arrived=0.255, arrived_cosine=-0.5), split(), split()]
    text = shortcut_caption(decomposition(splits=splits))
    assert "25.5 % of the norm arrives at the first block through shortcuts alone" in text
    assert "(cosine with the whole gradient there: −0.50)" in text


def test_norms_before_the_fork_are_told():
    splits = [split(shared_first=True), split(), split()]
    text = shortcut_caption(decomposition("preact", splits=splits))
    assert "In 1 of 3 blocks both parts go through a norm and ReLU before the fork" in text


def test_values_that_are_not_defined_are_left_out():
    lost = split(
        shortcut_norm=0.0,
        branch_norm=0.0,
        total_norm=0.0,
        cosine=math.nan,
        residue=math.nan,
        passed=math.nan,
        arrived=math.nan,
        arrived_cosine=math.nan,
    )
    text = shortcut_caption(decomposition(splits=[lost] * 3))
    assert not re.search(r"\b(inf|nan)\b", text)
