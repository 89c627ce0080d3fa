"""The controls of a sweep: presets that fill them in, and every widget's value in the link."""

from __future__ import annotations

from typing import Any

import streamlit as st

from resnet_viz.datasets import catalogue
from resnet_viz.i18n import _
from resnet_viz.records import PROBE_EVERY
from resnet_viz.specs import (
    DATASETS,
    FAMILIES,
    NORMS,
    OPTIMIZERS,
    PLAIN_SHORTCUTS,
    SCHEDULES,
    SpecError,
    valid_depths,
)
from resnet_viz.sweeps import PRESETS, SweepSpec
from resnet_viz.training.schedule import MAX_LOGGED, MAX_PROBE_EVERY, check_probe_every
from resnet_viz.ui.sweep_options import option_controls
from resnet_viz.ui.sweep_values import NATIVE_SIZE, spec_of, spread_depths, values_of

_DEFAULTS = values_of(PRESETS["quick"])
_BOUND: Any = "query-params"
BLOCKS_OFFERED = ("basic", "bottleneck")


def preset_titles() -> dict[str, str]:
    """Preset name to its title."""
    return {
        "quick": _("Quick"),
        "longer": _("Longer"),
        "paper": _("Paper"),
        "rates": _("Is it only the learning rate?"),
        "shortcuts": _("Shortcuts"),
    }


def _preset_help() -> str:
    return _(
        "**Quick**: digits at 16×16, about a minute on two cores. **Longer**: drawn shapes, "
        "about half an hour. **Paper**: He et al. 2015 on CIFAR-10, days on two cores; meant "
        "for a GPU. **Is it only the learning rate?**: Quick, every net trained at three "
        "learning rates; its best counts. **Shortcuts**: Quick, residual nets with the "
        "identity and with every other shortcut of He et al. 2016, Table 1."
    )


def preset_buttons() -> None:
    """A row of presets; the one that equals the controls as they stand is lit."""
    titles = preset_titles()
    now = {key: st.session_state.get(key, value) for key, value in _DEFAULTS.items()}
    st.session_state["preset"] = next(
        (name for name in titles if values_of(PRESETS[name]) == now), None
    )
    st.segmented_control(
        _("Start from"),
        list(titles),
        format_func=titles.__getitem__,
        key="preset",
        on_change=_fill,
        help=_preset_help(),
        label_visibility="collapsed",
    )


def _fill() -> None:
    """Set every control to the preset that was clicked."""
    if name := st.session_state["preset"]:
        for key, value in values_of(PRESETS[name]).items():
            st.session_state[key] = value


def sweep_controls() -> SweepSpec:
    """Every control; returns the sweep that they describe.

    Raises:
        SpecError: they describe none; the message says what to change.
    """
    _main_controls()
    with st.expander(_("Recipe"), icon=":material/tune:"):
        _recipe_controls()
    with st.expander(_("Nets"), icon=":material/layers:"):
        _net_controls()
    with st.expander(_("Images"), icon=":material/image:"):
        _data_controls()
    current_probe_every()
    return current_sweep()


def current_sweep() -> SweepSpec:
    """The sweep that the controls describe as they stand now.

    Raises:
        SpecError: they describe none.
    """
    return spec_of({key: st.session_state.get(key, value) for key, value in _DEFAULTS.items()})


def current_probe_every() -> int:
    """Steps between profiles that the controls ask for now; 0 for none.

    It only observes, so it is no part of the sweep.

    Raises:
        SpecError: they ask for something that is no number of steps.
    """
    value = st.session_state.get("probe", PROBE_EVERY)
    try:
        check_probe_every(value)
    except SpecError:
        text = _("“Gradients every … steps” must be a whole number from 0 to {most:,}; 0: never.")
        raise SpecError(text.format(most=MAX_PROBE_EVERY)) from None
    return int(value)


def _main_controls() -> None:
    # The names themselves, not their titles: a link holds what the widget shows.
    name = st.selectbox(_("Data"), DATASETS, key="data", bind=_BOUND, on_change=_forget_flip)
    if name != "folder":
        info = catalogue.info(name)
        st.caption(f"{info.title}: {info.source}")
    if st.session_state["data"] == "folder":
        st.selectbox(
            _("Folder"),
            catalogue.list_folders(),
            index=None,
            key="folder",
            bind=_BOUND,
            help=_("A folder in “datasets/folders” of the data folder: train/<class>/…"),
            placeholder=_("Choose a folder"),
        )
    st.pills(
        _("Families"),
        FAMILIES,
        selection_mode="multi",
        default=_DEFAULTS["families"],
        key="families",
        bind=_BOUND,
        help=_(
            "plain: no shortcuts. resnet: shortcuts (He et al. 2015). preact: shortcuts with "
            "batch norm and ReLU before each convolution (He et al. 2016). highway: a gate weighs "
            "branch and shortcut (Srivastava et al. 2015). densenet: every layer sees all before "
            "it (Huang et al. 2017); its depths are 3n+4 and 6n+4, so the nearest is taken."
        ),
    )
    block = st.session_state.get("block", _DEFAULTS["block"])
    _show_deepest(block)
    st.select_slider(
        _("Deepest net"),
        valid_depths(block),
        key=f"deepest_{block}",
        on_change=_spread,
        help=_("Weighted layers. Moving it spreads the depths below evenly."),
    )
    st.multiselect(
        _("Depths"),
        [str(depth) for depth in valid_depths(block)],
        default=_DEFAULTS["depths"] if block == "basic" else None,
        key="depths",
        bind=_BOUND,
        accept_new_options=True,
        help=_("Weighted layers of each net: 6n+2 with basic blocks, 9n+2 with bottlenecks."),
    )


def _show_deepest(block: str) -> None:
    """Let the slider stand at the deepest of the depths, however they were chosen."""
    chosen = st.session_state.get("depths", _DEFAULTS["depths"])
    valid = [depth for depth in valid_depths(block) if str(depth) in chosen]
    st.session_state[f"deepest_{block}"] = max(valid, default=valid_depths(block)[0])


def _spread() -> None:
    block = st.session_state.get("block", _DEFAULTS["block"])
    st.session_state["depths"] = spread_depths(st.session_state[f"deepest_{block}"], block)


def _forget_flip() -> None:
    if st.session_state["data"] == "digits":
        st.session_state["flip"] = False


def _spread_for_block() -> None:
    block = st.session_state["block"]
    st.session_state["depths"] = spread_depths(56, block)


def _recipe_controls() -> None:
    _whole(_("Steps"), "steps", 50)
    _whole(_("Batch size"), "batch", 16)
    st.text_input(
        _("Learning rate"),
        _DEFAULTS["lr"],
        key="lr",
        bind=_BOUND,
        help=_("One, or several such as 0.02, 0.1, 0.3: every net is trained with each."),
    )
    st.selectbox(_("Schedule"), SCHEDULES, key="schedule", bind=_BOUND)
    _whole(_("Warm-up steps"), "warmup", 10)
    st.toggle(
        _("Slow start from 110 layers"),
        _DEFAULTS["deep_warmup"],
        key="deep_warmup",
        bind=_BOUND,
        help=_(
            "Nets of 110 layers and more start at a tenth of the rate until their running "
            "error is under 80 % (He et al. 2015, 4.2)."
        ),
    )
    st.selectbox(_("Optimizer"), OPTIMIZERS, key="optimizer", bind=_BOUND)
    _number(_("Momentum"), "momentum", 0.05, "%.2f")
    _number(_("Weight decay"), "decay", 1e-4, "%.5f")
    _whole(_("Number of seeds"), "seeds", 1)
    _whole(_("First seed"), "seed", 1)
    _whole(
        _("Gradients every … steps"),
        "probe",
        5,
        value=PROBE_EVERY,
        explained=_(
            "How often gradients, weights and responses are measured layer by layer, for the page "
            "“Gradients”; 0: never. It changes nothing in the training. At {n}, a run of more "
            "than {steps:,} steps is measured about {profiles:,} times."
        ).format(n=PROBE_EVERY, steps=PROBE_EVERY * MAX_LOGGED, profiles=MAX_LOGGED),
    )


def _net_controls() -> None:
    _whole(_("Width (channels of the first stage)"), "width", 4)
    st.selectbox(_("Block"), BLOCKS_OFFERED, key="block", bind=_BOUND, on_change=_spread_for_block)
    st.segmented_control(
        _("Shortcut"),
        PLAIN_SHORTCUTS,
        default=_DEFAULTS["shortcut"],
        key="shortcut",
        bind=_BOUND,
        required=True,
        help=_(
            "A: zero-padding where channels grow. B: projection there. C: projection everywhere."
        ),
    )
    st.segmented_control(
        _("Norm"), NORMS, default=_DEFAULTS["norm"], key="norm", bind=_BOUND, required=True
    )
    st.toggle(
        _("Zero-gamma"),
        _DEFAULTS["zero_gamma"],
        key="zero_gamma",
        bind=_BOUND,
        disabled=st.session_state.get("norm") == "none",
        help=_("Residual branches start at zero (Goyal et al. 2017, 5.1)."),
    )
    option_controls()


def _data_controls() -> None:
    sizes = sorted({NATIVE_SIZE, 8, 16, 24, 28, 32, 48, 64})
    st.select_slider(
        _("Image size in pixels (0: the data's own)"),
        sizes,
        value=_DEFAULTS["size"],
        key="size",
        bind=_BOUND,
    )
    _whole(_("Random crop: padding in pixels"), "crop", 1)
    digits = st.session_state["data"] == "digits"
    st.toggle(
        _("Random flip"),
        _DEFAULTS["flip"],
        key="flip",
        bind=_BOUND,
        disabled=digits,
        help=_("A mirrored digit is another sign or none.") if digits else None,
    )
    _whole(_("Validation images held out"), "val", 100)


def _whole(
    label: str, key: str, step: int, *, value: int | None = None, explained: str | None = None
) -> None:
    # No bounds on the widget: a value out of range is answered with a message, not silence.
    value = _DEFAULTS[key] if value is None else value
    try:
        st.number_input(label, value=value, step=step, key=key, bind=_BOUND, help=explained)
    except OverflowError:  # a link may bring 1e400
        raise _not_usable(label) from None


def _number(label: str, key: str, step: float, shown: str) -> None:
    try:
        st.number_input(
            label, value=float(_DEFAULTS[key]), step=step, format=shown, key=key, bind=_BOUND
        )
    except OverflowError:
        raise _not_usable(label) from None


def _not_usable(label: str) -> SpecError:
    text = _("The link has a number for “{label}” that cannot be used. Correct the address.")
    return SpecError(text.format(label=label))
