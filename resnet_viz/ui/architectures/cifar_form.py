"""Controls that describe a CIFAR net: its family, its depth, and the options of that family."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import streamlit as st

from resnet_viz.i18n import _
from resnet_viz.specs import (
    BLOCKS,
    FAMILIES,
    MAX_DEPTH,
    ORDERS,
    PLAIN_SHORTCUTS,
    SHORTCUTS,
    NetSpec,
    SpecError,
)
from resnet_viz.ui.linked_choice import linked_choice, linked_slider

_BOUND: Any = "query-params"
_WIDTHS = (4, 8, 16, 32, 64)
_GROWTH_RATES = (4, 8, 12, 16, 24, 32, 40)
_ORDINARY = 128  # depths up to here are offered at first
_PUBLISHED = (164, 190, 250, 1001, MAX_DEPTH)  # and these of He et al. and Huang et al.
_FIRST_DEPTH = 20
_FIRST_DENSE_DEPTH = {"basic": 40, "bottleneck": 100}
_USUAL_DEPTHS = (8, 6)  # the first of them and the step; other ones are another slider


def cifar_controls(prefix: str = "") -> NetSpec:
    """The net that the controls describe.

    Args:
        prefix: of the widgets' keys, for the second net of a page.

    Raises:
        SpecError: there is none like that; the message says what to change.
    """
    family = linked_choice(
        _("Family"),
        {name: name for name in FAMILIES},
        key=f"{prefix}family",
        default="resnet",
        as_pills=True,
    )
    place = st.container()
    dense = family == "densenet"
    title = _("Growth rate, bottlenecks") if dense else _("Block, shortcut, width")
    with st.expander(title, icon=":material/tune:"):
        fields = _dense_fields(prefix) if dense else _block_fields(family, prefix)
    with place:
        return NetSpec(family, _choose_depth(family, fields, prefix), **fields)


def _block_fields(family: str, prefix: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if family != "highway":
        blocks = {name: name for name in BLOCKS}
        fields["block"] = linked_choice(_("Block"), blocks, key=f"{prefix}block")
    if family in ORDERS:
        shortcuts = SHORTCUTS if family == "resnet" else PLAIN_SHORTCUTS
        titles = {name: title for name, title in _shortcut_titles().items() if name in shortcuts}
        shortcut = linked_choice(_("Shortcut"), titles, key=f"{prefix}shortcut", as_list=True)
        fields["shortcut"] = shortcut
        if shortcut in PLAIN_SHORTCUTS:
            titles = {name: _order_titles(family)[name] for name in ORDERS[family]}
            fields["order"] = linked_choice(
                _("Order of norm, ReLU and addition"),
                titles,
                key=f"{prefix}order",
                as_list=True,
                help=_("He et al. 2016, Fig. 4."),
            )
    width = linked_slider(
        _("Width (channels of the first stage)"),
        _WIDTHS,
        key=f"{prefix}width",
        value=NetSpec.width,
    )
    return {**fields, "width": width}


def _shortcut_titles() -> dict[str, str]:
    return {
        "A": _("A: zero-padding"),
        "B": _("B: projection where dimensions change"),
        "C": _("C: projection everywhere"),
        "scaled": _("scaled: x times a constant"),
        "exclusive_gate": _("exclusive_gate: T(x)·F(x) + (1 − T(x))·x"),
        "shortcut_gate": _("shortcut_gate: F(x) + (1 − T(x))·x"),
        "dropout": _("dropout: half of x is zero in training"),
    }


def _order_titles(family: str) -> dict[str, str]:
    return {
        "standard": _("standard (e: norm, ReLU, weights)")
        if family == "preact"
        else _("standard (a: weights, norm, addition, ReLU)"),
        "norm_after_sum": _("norm_after_sum (b)"),
        "relu_before_sum": _("relu_before_sum (c)"),
        "relu_only": _("relu_only (d: ReLU, weights, norm)"),
    }


def _dense_fields(prefix: str) -> dict[str, Any]:
    rate = linked_slider(
        _("Growth rate"),
        _GROWTH_RATES,
        key=f"{prefix}growth",
        value=NetSpec.growth_rate,
        help=_("Channels that each dense layer adds (k; 12 to 40 in Huang et al. 2017)."),
    )
    fields: dict[str, Any] = {"growth_rate": rate}
    if st.toggle(
        _("Bottlenecks and compression (DenseNet-BC)"),
        key=f"{prefix}dense_bc",
        bind=_BOUND,
        help=_(
            "A 1×1 convolution before each 3×3 one, half the channels after a transition, a stem "
            "of two growth rates."
        ),
    ):
        fields |= {"block": "bottleneck", "compression": 0.5, "width": 2 * rate}
    return fields


def _choose_depth(family: str, fields: Mapping[str, Any], prefix: str) -> int:
    depths = _valid_depths(family, tuple(fields.items()))
    kind = depths[0], depths[1] - depths[0]
    key = f"{prefix}depth" if kind == _USUAL_DEPTHS else f"{prefix}depth_{kind[0]}_{kind[1]}"
    first = _FIRST_DEPTH
    if family == "densenet":
        first = _FIRST_DENSE_DEPTH[fields.get("block", "basic")]
    default = next(depth for depth in depths if depth >= first)
    label = _("Depth (weighted layers)")
    return linked_slider(label, depths, key=key, value=default)


@cache
def _valid_depths(family: str, fields: tuple[tuple[str, Any], ...]) -> tuple[int, ...]:
    """The depths up to `_ORDINARY` that a family has with these fields, and published ones.

    Raises:
        SpecError: there is none.
    """
    found, refusal = [], SpecError("")
    for depth in (*range(4, _ORDINARY), *_PUBLISHED):
        try:
            found.append(NetSpec(family, depth, **dict(fields)).depth)
        except SpecError as error:
            refusal = error
    if not found:
        raise refusal
    return tuple(found)
