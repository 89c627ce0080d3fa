"""What is known of a net that is looked into."""

from __future__ import annotations

import streamlit as st

from resnet_viz.i18n import _
from resnet_viz.ui.inside.nets import Shown
from resnet_viz.ui.words import plain, quantity


def about_net(net: Shown) -> None:
    """Its size, data, error, preprocessing, and what was assumed; folded away but for notes."""
    card = net.card
    facts = [
        _("{n} parameters").format(n=quantity(card.parameters)),
        _("{n} classes").format(n=len(card.classes)),
        _("images of {s}×{s} pixels").format(s=card.image_size),
    ]
    if card.step is not None:
        facts.append(_("{n:,} steps of training").format(n=card.step))
    lines = [", ".join(facts)]
    if card.trained_on:
        lines.append(_("Trained on: {data}").format(data=card.trained_on))
    if card.test_error is not None:
        lines.append(_("Test error: {e:.1f} %").format(e=100 * card.test_error))
    means = ", ".join(f"{value:.3g}" for value in card.mean)
    stds = ", ".join(f"{value:.3g}" for value in card.std)
    text = _("Images are scaled to 0…1, less {mean}, over {std}")
    lines.append(text.format(mean=means, std=stds))
    with st.expander(_("About {net}").format(net=plain(net.title))):
        for line in [*lines, *card.notes]:
            st.text(line)
