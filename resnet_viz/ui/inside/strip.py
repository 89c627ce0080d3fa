"""Feature maps, first view: the strongest maps from the stem to the prediction."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from resnet_viz.analysis.feature_jobs import overview_question
from resnet_viz.analysis.tables import rows_json
from resnet_viz.figures.maps.compose import composed
from resnet_viz.figures.maps.pictures import Picture, image_png
from resnet_viz.figures.maps.predictions import (
    chart_pixels,
    prediction_caption,
    top_predictions,
    unknown_class_caption,
)
from resnet_viz.figures.maps.rows import depth_strip
from resnet_viz.figures.maps.stats import strip_caption, strip_legend
from resnet_viz.i18n import _
from resnet_viz.inside import Overview
from resnet_viz.ui.downloads import table
from resnet_viz.ui.inquiries import missing, watch_questions
from resnet_viz.ui.inside.commands import features_command
from resnet_viz.ui.inside.looking import Looking, as_looked
from resnet_viz.ui.inside.nets import Shown
from resnet_viz.ui.inside.take_away import take_away_inside
from resnet_viz.ui.live_chart import live_chart
from resnet_viz.ui.pixel_images import pixel_images
from resnet_viz.ui.session import Backend
from resnet_viz.ui.words import plain

Found = Sequence[Overview | None]


def strip_view(backend: Backend, looking: Looking) -> None:
    """A row of maps a net, then what each net says."""
    questions = [overview_question(n.source, looking.text(n), n.card) for n in looking.nets]
    watch_questions(
        backend,
        "strip",
        questions,
        lambda found: _draw(looking, found),
        last=lambda found: _take_away(looking, found),
    )


def _draw(looking: Looking, found: Found) -> None:
    for net, overview in zip(looking.nets, found, strict=True):
        st.subheader(plain(net.title))
        if overview is None:
            missing("strip")
            continue
        pixel_images(_row(looking, net, overview), least=120, most=220)
        st.caption(strip_legend(overview.strip))
        st.markdown(plain(strip_caption(overview.strip)))
    _predictions(looking, found)


def _row(looking: Looking, net: Shown, overview: Overview) -> list[Picture]:
    image = Picture(
        image_png(looking.seen.pixels(net.card), least_pixels=192),
        title=_("image"),
        caption=_("{n}×{n} pixels").format(n=net.card.image_size),
        alt=_("The square of the image that {net} sees").format(net=net.title),
    )
    return [image, *depth_strip(overview.strip)]


def _predictions(looking: Looking, found: Found) -> None:
    """A chart for nets with the same classes."""
    groups: dict[tuple[str, ...], list[tuple[Shown, Overview]]] = {}
    for net, overview in zip(looking.nets, found, strict=True):
        if overview is not None:
            groups.setdefault(net.card.classes, []).append((net, overview))
    for number, (classes, members) in enumerate(groups.items()):
        looks = [as_looked(net, overview) for net, overview in members]
        st.subheader(_("What does it take the image for?"))
        live_chart(
            top_predictions(looks, classes),
            key=f"predictions_{number}",
            height=chart_pixels(looks),
            alt=_("Probabilities of the most probable classes"),
        )
        st.markdown(plain(prediction_caption(looks, classes)))
        if looking.seen.label is not None:
            names = ", ".join(look.label for look in looks)
            unknown = unknown_class_caption(looking.seen.label, names, classes)
            if unknown:
                st.caption(plain(unknown))


def _take_away(looking: Looking, found: Found) -> None:
    pairs = [(n, o) for n, o in zip(looking.nets, found, strict=True) if o is not None]
    rows = [
        {"net": net.title, "class": name, "probability": float(p), "logit": float(logit)}
        for net, overview in pairs
        for name, p, logit in zip(
            net.card.classes,
            overview.prediction.probabilities,
            overview.prediction.logits,
            strict=True,
        )
    ]
    table(rows, key="strip_table")
    take_away_inside(
        "feature_strip",
        png=lambda: composed(
            [_row(looking, net, overview) for net, overview in pairs],
            row_titles=[net.title for net, _overview in pairs],
        ),
        rows=rows,
        json=lambda: rows_json(rows),
        code="\n".join(
            features_command(looking.seen, net, overview.strip[-1].point, number)
            for number, (net, overview) in enumerate(pairs, 1)
        ),
    )
