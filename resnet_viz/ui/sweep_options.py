"""Controls of what only some families of a sweep have; each appears with its family."""

from __future__ import annotations

from typing import Any

import streamlit as st

from resnet_viz.i18n import _
from resnet_viz.nets.matching import QUANTITIES
from resnet_viz.specs import GATED_SHORTCUTS, ORDERS, RESIDUAL_FAMILIES, SHORTCUTS
from resnet_viz.sweeps import PRESETS
from resnet_viz.ui.sweep_values import FIXED_GROWTH, values_of

_DEFAULTS = values_of(PRESETS["quick"])
_BOUND: Any = "query-params"


def option_controls() -> None:
    """The options of the families that are chosen."""
    families = st.session_state.get("families") or _DEFAULTS["families"]
    residual = any(family in RESIDUAL_FAMILIES for family in families)
    if residual:
        _residual_options()
    shortcuts = st.session_state.get("shortcuts", []) if residual else []
    if "highway" in families or any(shortcut in GATED_SHORTCUTS for shortcut in shortcuts):
        _number(
            _("Bias of the gates at the start"),
            "gate_bias",
            1.0,
            _(
                "Of the transform gate T(x). Negative: x passes at first. He et al. 2016, Table 1, "
                "found −6 to −7 best; Srivastava et al. 2015 take −1 to −4."
            ),
        )
    if "plain" in families:
        st.number_input(
            _("Auxiliary classifiers of plain nets"),
            value=_DEFAULTS["aux"],
            step=1,
            key="aux",
            bind=_BOUND,
            help=_(
                "At evenly spaced blocks; their losses count 0.3 in training, as in GoogLeNet "
                "(Szegedy et al. 2015): the remedy before shortcuts."
            ),
        )
    if "densenet" in families:
        _dense_options()


def _residual_options() -> None:
    st.multiselect(
        _("Shortcuts to compare"),
        SHORTCUTS,
        default=_DEFAULTS["shortcuts"],
        key="shortcuts",
        bind=_BOUND,
        placeholder=_("the one above"),
        help=_(
            "Every resnet is trained with each. C: 1×1 convolution everywhere. scaled: x and F(x) "
            "times constants. exclusive_gate: T(x)·F(x) + (1 − T(x))·x. shortcut_gate: "
            "F(x) + (1 − T(x))·x. dropout: half of x is zero in training. (He et al. 2016, 3.1)"
        ),
    )
    st.multiselect(
        _("Orders of norm, ReLU and addition to compare"),
        list(dict.fromkeys(order for orders in ORDERS.values() for order in orders)),
        default=_DEFAULTS["orders"],
        key="orders",
        bind=_BOUND,
        placeholder=_("each family's own"),
        help=_(
            "He et al. 2016, Fig. 4. standard: a (resnet) and e (preact). norm_after_sum: b. "
            "relu_before_sum: c. relu_only: d (preact)."
        ),
    )
    if "scaled" in st.session_state.get("shortcuts", []):
        _number(_("Factor of x (scaled)"), "x_scale", 0.1, None)
        _number(_("Factor of F(x) (scaled)"), "f_scale", 0.1, None)
    _number(
        _("Survival of the last block (stochastic depth)"),
        "survival",
        0.1,
        _(
            "Probability that the last residual branch is kept in a training step, falling "
            "linearly from 1; 0.5 in Huang et al. 2016, arXiv:1603.09382. 1: all are kept."
        ),
    )


def _dense_options() -> None:
    titles = {
        FIXED_GROWTH: _("growth rate"),
        "parameters": _("parameters"),
        "multiply_adds": _("multiply-adds"),
    }
    alike = st.segmented_control(
        _("DenseNets alike in"),
        (FIXED_GROWTH, *QUANTITIES),
        default=_DEFAULTS["alike"],
        format_func=titles.__getitem__,
        key="alike",
        bind=_BOUND,
        required=True,
        help=_(
            "One growth rate for all; or at each depth the growth rate at which a DenseNet has "
            "as many parameters, or multiply-adds, as the resnet of that depth."
        ),
    )
    st.number_input(
        _("Growth rate"),
        value=_DEFAULTS["growth"],
        step=4,
        key="growth",
        bind=_BOUND,
        disabled=alike != FIXED_GROWTH,
        help=_("Channels that each dense layer adds (k; 12 to 40 in Huang et al. 2017)."),
    )
    st.toggle(
        _("Bottlenecks and compression (DenseNet-BC)"),
        _DEFAULTS["dense_bc"],
        key="dense_bc",
        bind=_BOUND,
        help=_(
            "A 1×1 convolution before each 3×3 one, half the channels after a transition, a stem "
            "of two growth rates."
        ),
    )


def _number(label: str, key: str, step: float, explained: str | None) -> None:
    st.number_input(
        label, value=_DEFAULTS[key], step=step, key=key, bind=_BOUND, help=explained, format="%g"
    )
