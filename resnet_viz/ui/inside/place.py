"""Feature maps, second view: every channel at one point of the net."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import streamlit as st

from resnet_viz.analysis.feature_jobs import maps_question
from resnet_viz.analysis.question import Question
from resnet_viz.analysis.tables import rows_json
from resnet_viz.figures.maps.compose import composed
from resnet_viz.figures.maps.pictures import Picture, map_png, overlay_png
from resnet_viz.figures.maps.rows import shape_text
from resnet_viz.figures.maps.scales import legend_png, legend_values
from resnet_viz.figures.maps.sprites import ORDERS, Sheet, filter_sheet, map_sheet
from resnet_viz.figures.maps.stats import map_statistics, maps_caption
from resnet_viz.i18n import _
from resnet_viz.inside import FeatureMaps
from resnet_viz.points import Point, points_of
from resnet_viz.specs import NetSpec, SpecError
from resnet_viz.ui.downloads import table
from resnet_viz.ui.inquiries import missing, refuse, watch_questions
from resnet_viz.ui.inside.commands import features_command
from resnet_viz.ui.inside.looking import Looking
from resnet_viz.ui.inside.nets import Shown
from resnet_viz.ui.inside.take_away import take_away_inside
from resnet_viz.ui.linked_choice import linked_choice
from resnet_viz.ui.linked_grid import linked_grid
from resnet_viz.ui.pixel_images import pixel_images
from resnet_viz.ui.session import Backend
from resnet_viz.ui.words import plain

Found = Sequence[FeatureMaps | None]


def place_view(backend: Backend, looking: Looking) -> None:
    """The point above; a grid of its channels for each net, and the chosen channel under it."""
    with st.container(horizontal=True):
        point = _point_control(looking.nets[0].card.net)
        order = linked_choice(
            _("Sorted by"), {"strength": _("strength"), "index": _("number")}, key="order"
        )
        one = _("one scale") if len(looking.nets) == 1 else _("one scale a net")
        scale = linked_choice(_("Colours"), {"shared": one, "own": _("a scale each")}, key="scale")
    assert order in ORDERS
    nets, questions = [], []
    for net in looking.nets:
        if lacking := _lacking(net, point):
            st.caption(plain(lacking))
            continue
        try:
            questions.append(_question(looking, net, point))
            nets.append(net)
        except SpecError as error:
            st.caption(plain(f"{net.title}: {error}"))
    if not questions:
        refuse(st.empty().container(), SpecError(_("Choose another point.")))
        return
    watch_questions(
        backend,
        "place",
        questions,
        lambda found: _draw(looking, nets, found, order, scale == "shared"),
        last=lambda found: _take_away(looking, nets, found, point),
    )


def _lacking(net: Shown, point: Point) -> str:
    """Why a net has not the point of another; "" where it has."""
    if point.name in {own.name for own in points_of(net.card.net)}:
        return ""
    if point.kind in ("branch", "shortcut", "sum") and net.card.net.family == "plain":
        text = _("{net}: a plain block has no shortcut, so neither F(x) nor a sum is there.")
        return text.format(net=net.title)
    return _("{net} has no such place: {place}.").format(net=net.title, place=point.title)


def _question(looking: Looking, net: Shown, point: Point) -> Question:
    return maps_question(net.source, net.card, looking.text(net), point.name)


def _point_control(net: NetSpec) -> Point:
    """Stage, block and what of it; the last block's output at first."""
    points = points_of(net)
    stages = {"0": _("stem")} | {
        str(p.stage): _("stage {s}").format(s=p.stage) for p in points if p.stage
    }
    stage = int(linked_choice(_("Stage"), stages, key="stage", default=max(stages), as_list=True))
    block = 0
    if stage:
        blocks = sorted({p.block for p in points if p.stage == stage})
        titles = {str(b): _("block {b}").format(b=b) for b in blocks}
        last = str(blocks[-1])
        # Stages and nets have different numbers of blocks.
        key = f"block_{stage}_{last}"
        block = int(linked_choice(_("Block"), titles, key=key, default=last, as_list=True))
    here = {p.kind: p for p in points if (p.stage, p.block) == (stage, block)}
    kinds = {kind: p.title.rpartition(", ")[2] for kind, p in here.items()}
    default = "output" if stage else list(here)[-1]
    key = f"point_{'_'.join(here)}"
    return here[linked_choice(_("Point"), kinds, key=key, default=default, as_list=True)]


def _draw(looking: Looking, nets: Sequence[Shown], found: Found, order: str, shared: bool) -> None:
    for number, (place, net, maps) in enumerate(
        zip(st.columns(len(nets), gap="large"), nets, found, strict=True)
    ):
        with place:
            st.subheader(plain(net.title))
            if maps is None:
                missing("place")
                continue
            sheet = map_sheet(maps.values, order=order, shared=shared)
            chosen = linked_grid(
                sheet,
                key=f"grid_{number}",
                name=f"channel_{number + 1}",
                alt=_("{shape} at {point} of {net}").format(
                    shape=shape_text(maps.values.shape), point=maps.point, net=net.title
                ),
            )
            _legend(sheet)
            st.markdown(plain(maps_caption(maps.values)))
            _channel(looking, net, maps, chosen)


def _legend(sheet: Sheet) -> None:
    """What the colours mean, where they mean one thing."""
    if not sheet.shared:
        st.caption(_("Each map has a colour scale of its own, from nothing to its strongest."))
        return
    limits = sheet.limits[0]
    bar = Picture(legend_png(limits), "", f"{' … '.join(legend_values(limits))}", limits.text)
    pixel_images([bar], most=256)
    text = _(
        "One scale for all maps of this net: {limits}. What is beyond its end has the end's colour."
    )
    st.caption(text.format(limits=limits.text))


def _channel(looking: Looking, net: Shown, maps: FeatureMaps, channel: int) -> None:
    """One map: alone, over the image, its filter, its statistics."""
    st.markdown(f"**{_('Channel {n}').format(n=channel)}**")
    pixel_images(_channel_pictures(looking, net, maps, channel), least=110, most=220)
    names, values = zip(*map_statistics(maps.values[channel]).rows(), strict=True)
    st.dataframe(
        {_("of this map"): names, _("value"): values},
        hide_index=True,
        key=f"statistics_{net.title}",
        alt=_("Statistics of the chosen map"),
    )


def _channel_pictures(
    looking: Looking, net: Shown, maps: FeatureMaps, channel: int
) -> list[Picture]:
    values = maps.values[channel]
    name = _("channel {n} at {point}").format(n=channel, point=maps.point)
    pictures = [
        Picture(map_png(values), _("alone"), "", name),
        Picture(
            overlay_png(values, looking.seen.pixels(net.card)),
            _("over the image"),
            "",
            _("{name} over the image").format(name=name),
        ),
    ]
    if maps.filters is not None:
        tile = filter_sheet(maps.filters, order=[channel])
        pictures.append(
            Picture(
                tile.png,
                _("its filter"),
                _("grey is zero"),
                _("filter of {name}").format(name=name),
            )
        )
    return pictures


def _take_away(looking: Looking, nets: Sequence[Shown], found: Found, point: Point) -> None:
    pairs = [(net, maps) for net, maps in zip(nets, found, strict=True) if maps is not None]
    rows = [
        {"net": net.title, "point": maps.point, "channel": channel, **_numbers(values)}
        for net, maps in pairs
        for channel, values in enumerate(maps.values)
    ]
    table(rows, key="place_table")
    take_away_inside(
        "feature_maps",
        png=lambda: composed([[_sheet_picture(net, maps)] for net, maps in pairs]),
        rows=rows,
        json=lambda: rows_json(rows),
        npy=lambda: _npy(pairs[0][1]),
        code="\n".join(
            features_command(looking.seen, net, point.name, number)
            for number, (net, _maps) in enumerate(pairs, 1)
        ),
    )


def _numbers(values: np.ndarray) -> dict[str, float]:
    found = map_statistics(values)
    return {
        "mean": found.mean,
        "std": found.std,
        "minimum": found.minimum,
        "maximum": found.maximum,
        "zeros": found.zeros,
    }


def _sheet_picture(net: Shown, maps: FeatureMaps) -> Picture:
    sheet = map_sheet(maps.values)
    text = _("{shape} at {point}").format(shape=shape_text(maps.values.shape), point=maps.point)
    return Picture(sheet.png, f"{net.title}: {text}", sheet.limits[0].text, text)


def _npy(maps: FeatureMaps) -> bytes:
    file = io.BytesIO()
    np.save(file, maps.values)
    return file.getvalue()
