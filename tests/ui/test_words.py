"""Texts as pages show them."""

from resnet_viz.ui.words import plain


def test_a_line_does_not_break_between_a_number_and_its_unit():
    assert plain("4 % of 16 maps in 3.2 s") == "4\u00a0% of 16 maps in 3.2\u00a0s"
    assert plain("4 squares, 2 shapes") == "4 squares, 2 shapes"


def test_a_stranger_s_name_is_no_markup():
    assert plain("*cat* [x](y)") == r"\*cat\* \[x\](y)"
