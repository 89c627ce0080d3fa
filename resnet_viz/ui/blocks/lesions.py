"""Residual blocks, first view: take blocks out of a trained net, or exchange two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from resnet_viz.analysis.block_tables import random_rows, single_rows
from resnet_viz.analysis.lesion_files import shipped_lesions
from resnet_viz.analysis.lesion_jobs import (
    RandomRemovals,
    lesion_question,
    randoms_question,
    singles_question,
)
from resnet_viz.analysis.own_data import own_data
from resnet_viz.analysis.question import Question, all_jobs
from resnet_viz.analysis.tables import rows_csv, rows_json
from resnet_viz.datasets.errors import DataError
from resnet_viz.figures.blocks.lesion_captions import (
    own_caption,
    randoms_caption,
    singles_caption,
)
from resnet_viz.figures.blocks.lesions import random_lesions, single_lesions
from resnet_viz.figures.page import html_page
from resnet_viz.i18n import _
from resnet_viz.layers import blocks_of
from resnet_viz.lesions import (
    Lesion,
    Randoms,
    Singles,
    block_name,
    removable,
    swappable,
    why_some_stay,
)
from resnet_viz.specs import NetSpec, SpecError
from resnet_viz.ui.blocks.asking import partial_results, program
from resnet_viz.ui.blocks.nets import images_control
from resnet_viz.ui.downloads import table, take_away_probe
from resnet_viz.ui.inquiries import ask, stop_asking, watch
from resnet_viz.ui.inside.nets import Shown
from resnet_viz.ui.linked_choice import linked_choice, linked_slider
from resnet_viz.ui.live_chart import live_chart
from resnet_viz.ui.session import Backend
from resnet_viz.ui.words import plain

_IMAGES = (100, 250, 500, 1000, 2000, 5000, 10_000)
_DRAWS = (3, 5, 10, 20)
_NONE = "none"
_KEPT = "lesions_kept"  # of the session: the bars and curves that were drawn last

_Found = list[tuple[Shown, Any]]


@dataclass(frozen=True)
class _Asked:
    """What is asked of one net: its own lesion, every single one, random ones."""

    net: Shown
    lesion: Lesion
    what: str
    questions: tuple[Question, Question, Question]


def lesions_view(backend: Backend, nets: Sequence[Shown]) -> None:
    """The blocks of the first net to click away, then every single deletion, then random ones.

    Raises:
        SpecError, DataError: nothing can be taken out of the chosen nets.
    """
    st.caption(
        _(
            "What does a trained net lose with one of its blocks? Nothing is trained again: the "
            "block is left out, its shortcut stays (Veit et al. 2016, arXiv:1605.06431)."
        )
    )
    if _shipped_view(nets):
        return
    lesion, images, draws = _controls(nets)
    asked = _askable(nets, lesion, images, draws)
    questions = [q for kind in range(3) for q in (each.questions[kind] for each in asked)]
    watch(
        ask(backend, "lesions", all_jobs(questions)),
        lambda answers: _draw(asked, partial_results(questions, answers)),
        name="lesions",
        last=lambda answers: _take_away(*_kinds(asked, partial_results(questions, answers))[1:]),
    )


def _shipped_view(nets: Sequence[Shown]) -> bool:
    """What was measured of the nets before, where none has its data here; whether that is so."""
    kept = [(net, found) for net in nets if (found := shipped_lesions(net.source)) is not None]
    missing = [text for net in nets if (text := _what_is_missing(net))]
    if not kept or len(missing) < len(nets):
        return False
    stop_asking()
    st.info(plain(missing[0]), icon=":material/download:")
    st.caption(_("Measured before, and brought with the program; blocks cannot be clicked away:"))
    singles = [(net, found.singles) for net, found in kept]
    randoms = [(net, found.randoms) for net, found in kept]
    _charts(singles, randoms)
    _take_away(singles, randoms)
    return True


def _what_is_missing(net: Shown) -> str:
    """Why a net's data cannot be had here; "" where they can."""
    try:
        own_data(net.card)
    except (SpecError, DataError) as error:
        return str(error)
    return ""


def _controls(nets: Sequence[Shown]) -> tuple[Lesion, int, int]:
    """What is done to the nets, on how many images, and how many draws of random blocks."""
    names = list(dict.fromkeys(block_name(b) for n in nets for b in blocks_of(n.card.net)))
    names.sort(key=lambda name: [int(part) for part in name.split(".")])
    removed = st.pills(
        _("Blocks to remove (stage.block)"),
        names,
        selection_mode="multi",
        key=f"removed_{len(names)}",
        wrap=True,
        bind="query-params",
    )
    swap, other, count, drawn = st.columns(4)
    with swap:
        swapped = _swap_controls(nets[0].card.net, names, other)
    with count:
        images = images_control("lesion_images", 500, _IMAGES)
    with drawn:
        draws = linked_slider(_("Draws of random blocks"), _DRAWS, key="lesion_draws", value=5)
    return Lesion(tuple(sorted(removed, key=names.index)), swapped), images, draws


def _swap_controls(net: NetSpec, names: Sequence[str], beside: DeltaGenerator) -> tuple[str, ...]:
    """Two blocks of the first net that change places, or none."""
    titles = {_NONE: _("nothing"), **{name: name for name in names if swappable(net, name)}}
    first = linked_choice(_("Exchange"), titles, key="swap", as_list=True)
    if first == _NONE:
        return ()
    partners = {name: name for name in swappable(net, first)}
    with beside:
        second = linked_choice(
            _("with (of equal shape)"), partners, key=f"swap_{first}", as_list=True
        )
    return first, second


def _askable(nets: Sequence[Shown], lesion: Lesion, images: int, draws: int) -> list[_Asked]:
    """What can be asked; why the rest cannot is said."""
    found, refused = [], []
    for net in nets:
        source, card = net.source, net.card
        try:
            own, what = _fitting(net, lesion)
            questions = (
                lesion_question(source, card, own, images),
                singles_question(source, card, images),
                randoms_question(source, card, images, RandomRemovals(draws)),
            )
            found.append(_Asked(net, own, what, questions))
        except (SpecError, DataError) as error:
            refused.append(str(error))
    if not found:
        raise SpecError("\n\n".join(dict.fromkeys(refused)))
    for text in refused:
        st.warning(plain(text), icon=":material/warning:")
    return found


def _fitting(net: Shown, lesion: Lesion) -> tuple[Lesion, str]:
    """The part of a lesion that a net can have, in words too; what it cannot have is said."""
    spec = net.card.net
    can = {block_name(b): may for b, may in zip(blocks_of(spec), removable(spec), strict=True)}
    if any(not can.get(name, True) for name in lesion.removed):
        st.info(plain(why_some_stay(spec)), icon=":material/block:")
    removed = tuple(name for name in lesion.removed if can.get(name))
    swapped = lesion.swapped
    if swapped and swapped[1] not in swappable(spec, swapped[0]):
        swapped = ()
    parts = []
    if removed:
        parts.append(_("without {blocks}").format(blocks=", ".join(removed)))
    if swapped:
        parts.append(_("{a} and {b} exchanged").format(a=swapped[0], b=swapped[1]))
    return Lesion(removed, swapped), ", ".join(parts)


def _kinds(asked: Sequence[_Asked], found: Sequence[Any]) -> list[_Found]:
    """What was found by kind of question, with its net."""
    n = len(asked)
    rows = [found[kind * n : (kind + 1) * n] for kind in range(3)]
    return [
        [(each.net, result) for each, result in zip(asked, row, strict=True) if result is not None]
        for row in rows
    ]


def _draw(asked: Sequence[_Asked], found: Sequence[Any]) -> None:
    own, *others = _kinds(asked, found)
    singles, randoms = _fullest(asked, others)
    what = {each.net.source: each.what for each in asked}
    for net, tally in own:
        st.markdown(_escaped(own_caption(net.title, tally, what[net.source])))
    _charts(singles, randoms)


def _fullest(asked: Sequence[_Asked], found: Sequence[_Found]) -> Sequence[_Found]:
    """Bars and curves as they come, or as they stood before a click on another block: its answer
    comes first, and the charts, whose own answers are known, must not vanish meanwhile."""
    key = tuple(job.key for each in asked for q in each.questions[1:] for job in q.jobs[:1])
    known, before = st.session_state.get(_KEPT, ((), [[], []]))
    if known != key:
        before = [[], []]
    kept = [
        new if _images(new) >= _images(old) else old for new, old in zip(found, before, strict=True)
    ]
    st.session_state[_KEPT] = key, kept
    return kept


def _images(found: _Found) -> int:
    return sum(result.images for _net, result in found)


def _charts(
    singles: Sequence[tuple[Shown, Singles]], randoms: Sequence[tuple[Shown, Randoms]]
) -> None:
    if singles:
        bars, classes = _titled(singles), len(singles[0][0].card.classes)
        live_chart(
            single_lesions(bars),
            key="single_lesions",
            height=440,
            alt=_("Test error without each single block, a bar a block"),
        )
        st.markdown(plain(singles_caption(bars, classes)))
    if randoms:
        st.subheader(_("Several blocks at random"))
        curves, classes = _titled(randoms), len(randoms[0][0].card.classes)
        live_chart(
            random_lesions(curves),
            key="random_lesions",
            height=420,
            alt=_("Test error against the number of blocks removed at random"),
        )
        st.markdown(plain(randoms_caption(curves, classes)))


def _titled(found: Sequence[tuple[Shown, Any]]) -> list[tuple[str, Any]]:
    return [(net.title, result) for net, result in found]


def _escaped(text: str) -> str:
    """Its bold name stays bold."""
    return plain(text).replace(r"\*\*", "**")


def _take_away(
    singles: Sequence[tuple[Shown, Singles]], randoms: Sequence[tuple[Shown, Randoms]]
) -> None:
    bars, curves = _titled(singles), _titled(randoms)
    rows = [row for label, result in bars for row in single_rows(label, result)]
    rows += [row for label, result in curves for row in random_rows(label, result)]
    if not rows:
        return
    nets = [net for net, _result in singles]
    classes = len(nets[0].card.classes)
    table(rows, key="lesion_table")
    take_away_probe(
        "lesions",
        csv=lambda: rows_csv(rows),
        json=lambda: rows_json(rows),
        html=lambda: html_page(
            _("Blocks removed"),
            [single_lesions(bars), random_lesions(curves)],
            [singles_caption(bars, classes), randoms_caption(curves, classes)],
        ),
        code=program(nets, "lesion_jobs", "singles_question", f"images={singles[0][1].images}"),
    )
