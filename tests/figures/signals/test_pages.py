from resnet_viz.figures.signals.pages import shortcut_page, signals_page
from resnet_viz.figures.signals.shortcut_captions import shortcut_caption
from tests.figures.making_signals import decomposition, signal


def test_a_page_of_signals_needs_no_network_and_says_what_it_shows():
    page = signals_page([signal(gradient=[4.0, *[1.0] * 7])], title="A <title>")
    assert page.startswith("<!doctype html>")
    assert "<h1>A &lt;title&gt;</h1>" in page
    assert page.count("Plotly.newPlot(") >= 5
    assert "plain-8: 4, it grows towards the input" in page
    assert "<script src=" not in page


def test_a_page_of_splits_has_a_caption_a_net():
    nets = [decomposition("resnet"), decomposition("preact")]
    page = shortcut_page(nets)
    for net in nets:
        assert shortcut_caption(net).split(";")[0] in page
