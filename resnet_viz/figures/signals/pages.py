"""What was measured of signal and gradient as HTML pages that need no network."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_viz.figures.page import html_page
from resnet_viz.figures.ratios import ratio_vs_depth
from resnet_viz.figures.signals.captions import gains_caption, gradient_caption, response_caption
from resnet_viz.figures.signals.gains import gains
from resnet_viz.figures.signals.layers import (
    boundary_gradient,
    gradient_vs_layer,
    ratio_points,
    response_vs_layer,
)
from resnet_viz.figures.signals.shattering import autocorrelation, gradient_lines
from resnet_viz.figures.signals.shattering_captions import shattering_caption
from resnet_viz.figures.signals.shortcut import arrival, gradient_split, split_cosine
from resnet_viz.figures.signals.shortcut_captions import shortcut_caption
from resnet_viz.figures.spread import CIFAR, Images
from resnet_viz.i18n import _
from resnet_viz.signals import Decomposition, Shattering, Signal


def signals_page(
    signals: Sequence[Signal],
    all_depths: Sequence[Signal] = (),
    *,
    title: str = "",
    images: Images = CIFAR,
) -> str:
    """Gradients, responses, gains and ratios of fresh nets, and captions; a whole document.

    Args:
        signals: of the nets that are shown layer by layer.
        all_depths: of the chart of ratios; none for those of `signals`.
    """
    figures = [
        gradient_vs_layer(signals, images),
        response_vs_layer(signals, images),
        boundary_gradient(signals, images),
        gains(signals),
        ratio_vs_depth(ratio_points(all_depths or signals)),
    ]
    captions = [gradient_caption(signals), response_caption(signals), gains_caption(signals)]
    return html_page(title or _("Signal and gradient at initialisation"), figures, captions)


def shattering_page(measured: Sequence[Shattering], title: str = "") -> str:
    """Autocorrelations, the gradients along the line, and a caption; a whole document."""
    figures = [autocorrelation(measured), gradient_lines(measured)]
    return html_page(title or _("Shattered gradients"), figures, [shattering_caption(measured)])


def shortcut_page(decompositions: Sequence[Decomposition], title: str = "") -> str:
    """Both parts of every block's gradient, with a caption a net; a whole document."""
    figures = [
        *(gradient_split(d) for d in decompositions),
        split_cosine(decompositions),
        arrival(decompositions),
    ]
    captions = [shortcut_caption(d) for d in decompositions]
    return html_page(title or _("The gradient through shortcut and branch"), figures, captions)
