"""Controls: which net is looked at, and beside which other one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import streamlit as st

from resnet_viz.architectures import HISTORY, IMAGENET, NAMED, Architecture, cifar
from resnet_viz.i18n import _
from resnet_viz.specs import (
    BLOCKS,
    FAMILIES,
    MAX_DEPTH,
    RESIDUAL_FAMILIES,
    SHORTCUTS,
    NetSpec,
    SpecError,
)
from resnet_viz.ui.linked_choice import linked_choice

_BOUND: Any = "query-params"
_WIDTHS = (4, 8, 16, 32, 64)
_ORDINARY = 128  # depths up to here are offered at first
_SAME = "same:"


def choose_net() -> Architecture:
    """The net that the controls describe.

    Raises:
        SpecError: there is none like that; the message says what to change.
    """
    kinds = {"imagenet": _("for ImageNet"), "cifar": _("for CIFAR"), "history": _("history")}
    kind = linked_choice(_("Nets"), kinds, key="nets", as_list=True)
    if kind == "cifar":
        return cifar(_choose_spec())
    nets = IMAGENET if kind == "imagenet" else HISTORY
    titles = {net.name: _title(net) for net in nets}
    if kind == "imagenet":
        name = linked_choice(_("Net"), titles, key="net", default="resnet50", as_list=True)
    else:
        name = linked_choice(_("Net"), titles, key="old_net", default="lenet5", as_list=True)
    return NAMED[name]


def _title(net: Architecture) -> str:
    return f"{net.title} ({net.year})" if net.family == "history" else net.title


def choose_other(net: Architecture) -> Architecture | None:
    """A net to compare with, or None."""
    titles = {"none": _("no other net")}
    others = _like(net)
    titles |= {f"{_SAME}{name}": other.title for name, other in others.items()}
    titles |= {n.name: _title(n) for n in NAMED.values() if n != net}
    chosen = linked_choice(_("Compare with"), titles, key="with", as_list=True)
    if chosen == "none":
        return None
    return others[chosen.removeprefix(_SAME)] if chosen.startswith(_SAME) else NAMED[chosen]


def _like(net: Architecture) -> dict[str, Architecture]:
    """The same depth and width in the other CIFAR families, by family, where there are such."""
    if net.name != "cifar" or net.spec is None:
        return {}
    found = {}
    for family in FAMILIES:
        if family != net.spec.family:
            try:
                like = NetSpec(family, net.spec.depth, net.spec.block, width=net.spec.width)
            except SpecError:
                continue
            found[family] = cifar(like)
    return found


def _choose_spec() -> NetSpec:
    family = linked_choice(
        _("Family"),
        {name: name for name in FAMILIES},
        key="family",
        default="resnet",
        as_pills=True,
    )
    place = st.container()
    fields: dict[str, Any] = {}
    with st.expander(_("Block, shortcut, width"), icon=":material/tune:"):
        block = linked_choice(_("Block"), {name: name for name in BLOCKS}, key="block")
        if block != "basic":
            fields["block"] = block
        if family in RESIDUAL_FAMILIES:
            fields["shortcut"] = linked_choice(
                _("Shortcut"),
                {name: name for name in SHORTCUTS},
                key="shortcut",
                help=_("A: zero-padding. B: projection where dimensions change. C: everywhere."),
            )
        width = st.select_slider(
            _("Width (channels of the first stage)"), _WIDTHS, value=16, key="width", bind=_BOUND
        )
        if width != NetSpec.width:
            fields["width"] = width
    with place:
        return NetSpec(family, _choose_depth(family, fields), **fields)


def _choose_depth(family: str, fields: Mapping[str, Any]) -> int:
    depths, key = _valid_depths(family, tuple(fields.items())), "depth"
    step = depths[1] - depths[0] if len(depths) > 1 else 0
    if step != 6:
        key = f"depth_{depths[0]}_{step}"  # other depths are another slider
    if len(depths) == 1:
        return depths[0]
    default = next((depth for depth in depths if depth >= 20), depths[-1])
    chosen = st.select_slider(
        _("Depth (weighted layers)"), depths, value=default, key=key, bind=_BOUND
    )
    return int(chosen)


@cache
def _valid_depths(family: str, fields: tuple[tuple[str, Any], ...]) -> tuple[int, ...]:
    """Every depth up to `_ORDINARY` that a family has with these fields, and the deepest of all.

    Raises:
        SpecError: there is none.
    """
    found, refusal = [], SpecError("")
    for depth in (*range(4, _ORDINARY), MAX_DEPTH):
        try:
            found.append(NetSpec(family, depth, **dict(fields)).depth)
        except SpecError as error:
            refusal = error
    if not found:
        raise refusal
    return tuple(found)
