"""Feature maps, third view: a block's input, its branch, and their sum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from resnet_viz.analysis.feature_jobs import block_question, overview_question
from resnet_viz.analysis.tables import rows_json
from resnet_viz.figures.maps.compose import composed
from resnet_viz.figures.maps.norms import branch_caption, branch_over_shortcut, output_norms
from resnet_viz.figures.maps.pictures import Picture
from resnet_viz.figures.maps.rows import block_limits, block_pictures, block_row
from resnet_viz.figures.maps.sprites import strongest_first
from resnet_viz.i18n import _
from resnet_viz.inside import BlockMaps, Overview
from resnet_viz.layers import blocks_of
from resnet_viz.specs import SHORTCUT_FAMILIES, SpecError
from resnet_viz.ui.downloads import table
from resnet_viz.ui.inquiries import missing, watch_questions
from resnet_viz.ui.inside.commands import features_command
from resnet_viz.ui.inside.looking import Looking, as_looked
from resnet_viz.ui.inside.nets import Shown
from resnet_viz.ui.inside.take_away import take_away_inside
from resnet_viz.ui.linked_choice import linked_choice
from resnet_viz.ui.live_chart import live_chart
from resnet_viz.ui.pixel_images import pixel_images
from resnet_viz.ui.session import Backend
from resnet_viz.ui.words import plain

_ALL = "all"


def residual_view(backend: Backend, looking: Looking) -> None:
    """x, F(x) and their sum of one block, then the branch's share along the depth.

    Raises:
        SpecError: no chosen net has shortcuts.
    """
    residual = [net for net in looking.nets if net.card.net.family in SHORTCUT_FAMILIES]
    if not residual:
        raise SpecError(_("A plain block is no sum. Choose a residual net, or put one beside."))
    block = _block_control(residual[0])
    questions = [overview_question(net.source, looking.text(net), net.card) for net in looking.nets]
    shown = [net for net in residual if block in _block_names(net)]
    questions += [block_question(net.source, net.card, looking.text(net), block) for net in shown]
    count = len(looking.nets)
    watch_questions(
        backend,
        "residual",
        questions,
        lambda found: _draw(looking, shown, found[:count], found[count:]),
        last=lambda found: _take_away(looking, shown, found[:count], found[count:], block),
    )


def _block_names(net: Shown) -> dict[str, str]:
    return {f"stage{b.stage}.block{b.block}": b.title for b in blocks_of(net.card.net)}


def _block_control(net: Shown) -> str:
    names = _block_names(net)
    first = next(name for name in names if name.startswith("stage2"))
    # Nets of other depths have other blocks.
    key = f"sum_of_{len(names)}"
    return linked_choice(_("Block"), names, key=key, default=first, as_list=True)


def _draw(
    looking: Looking,
    shown: Sequence[Shown],
    overviews: Sequence[Overview | None],
    blocks: Sequence[BlockMaps | None],
) -> None:
    for number, (net, maps) in enumerate(zip(shown, blocks, strict=True)):
        st.subheader(plain(net.title))
        if maps is None:
            missing("residual")
            continue
        pixel_images(_pictures(maps, number), least=140, most=300)
        st.caption(
            _("Colours: {limits}; the same in all pictures.").format(limits=block_limits(maps).text)
        )
    st.subheader(_("How much does a block add?"))
    looks = [
        as_looked(net, overview)
        for net, overview in zip(looking.nets, overviews, strict=True)
        if overview is not None
    ]
    live_chart(
        branch_over_shortcut(looks),
        key="branch_norms",
        height=400,
        alt=_("Norm of F(x) over the norm of x in every block"),
    )
    for look in looks:
        st.markdown(plain(branch_caption(look)))
    live_chart(
        output_norms(looks),
        key="output_norms",
        height=400,
        alt=_("Norm of every block's output"),
    )


def _pictures(maps: BlockMaps, number: int) -> Sequence[Picture]:
    """The sum's strongest channels together, or one of them."""
    channels = strongest_first(maps.total)
    titles = {_ALL: _("the {n} strongest").format(n=min(16, len(channels)))}
    titles |= {str(c): _("channel {n}").format(n=c) for c in channels}
    chosen = st.selectbox(
        _("Channels, the strongest of the sum first"),
        list(titles),
        format_func=titles.__getitem__,
        key=f"channel_{number}_{len(channels)}",
        width=260,
    )
    return block_pictures(maps) if chosen == _ALL else block_row(maps, int(chosen))


def _take_away(
    looking: Looking,
    shown: Sequence[Shown],
    overviews: Sequence[Overview | None],
    blocks: Sequence[BlockMaps | None],
    block: str,
) -> None:
    rows: list[dict[str, Any]] = []
    for net, overview in zip(looking.nets, overviews, strict=True):
        if overview is not None and overview.shortcut_norm:
            for place, f, x, total in zip(
                _block_names(net),
                overview.branch_norm,
                overview.shortcut_norm,
                overview.sum_norm,
                strict=True,
            ):
                row = {"net": net.title, "block": place, "branch_norm": f}
                rows.append(row | {"shortcut_norm": x, "sum_norm": total})
    table(rows, key="residual_table")
    pairs = [(net, maps) for net, maps in zip(shown, blocks, strict=True) if maps is not None]
    if not pairs:  # stopped before
        return
    take_away_inside(
        "residual_block",
        png=lambda: composed(
            [block_pictures(maps) for _net, maps in pairs],
            row_titles=[f"{net.title}, {block}" for net, _maps in pairs],
        ),
        rows=rows,
        json=lambda: rows_json(rows),
        code="\n".join(
            features_command(looking.seen, net, f"{block}.branch", number)
            for number, (net, _maps) in enumerate(pairs, 1)
        ),
    )
