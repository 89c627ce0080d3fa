"""Controls of a net that is looked into without training it, each with its value in the link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from resnet_viz.checks import parse_numbers
from resnet_viz.datasets import catalogue
from resnet_viz.i18n import _
from resnet_viz.specs import (
    FAMILIES,
    INITS,
    MAX_DEPTH,
    NORMS,
    SHORTCUTS,
    DataSpec,
    NetSpec,
    SpecError,
    net_beside,
    valid_depths,
)

_BOUND: Any = "query-params"
_FOLDER = "folder: "
DEEPEST = 110  # of the ordinary slider
SIGMAS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
WIDTHS = (4, 8, 16, 32)
SIZES = (8, 16, 24, 32, 48, 64)


@dataclass(frozen=True)
class Chosen:
    """What the controls describe.

    Attributes:
        nets: one a family, all alike otherwise; those that can be built.
        refused: why the others cannot.
    """

    nets: tuple[NetSpec, ...]
    refused: tuple[str, ...]


def controls_and_picture() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Two columns; on a narrow window (app.py says how narrow) the picture goes below."""
    with st.container(key="controls_and_picture"):
        controls, picture = st.columns([1, 3.4], gap="medium")
    return controls, picture


def families_control(offered: Sequence[str] = FAMILIES, *, key: str) -> list[str]:
    """Which families; at least one."""
    chosen = st.pills(
        _("Families"),
        list(offered),
        selection_mode="multi",
        default=[family for family in ("plain", "resnet") if family in offered],
        key=key,
        bind=_BOUND,
        help=_(
            "plain: no shortcuts. resnet: shortcuts (He et al. 2015). preact: shortcuts with "
            "batch norm and ReLU before each convolution (He et al. 2016). highway: a gate weighs "
            "branch and shortcut (Srivastava et al. 2015). densenet: every layer sees all before "
            "it (Huang et al. 2017); of its depths the nearest is taken."
        ),
    )
    if not chosen:
        raise SpecError(_("Choose at least one family of nets."))
    return [family for family in offered if family in chosen]


def depth_control(*, key: str, default: int = 56, very_deep: bool = False) -> int:
    """A valid depth; with `very_deep`, a switch extends the slider to 1202 layers."""
    deep = False
    slider = st.container()
    if very_deep:
        deep = st.toggle(
            _("Up to 1202 layers"),
            key=f"{key}_1202",
            bind=_BOUND,
            help=_("As deep as the deepest net of He et al. 2015; takes a while."),
        )
    most = MAX_DEPTH if deep else DEEPEST
    depth = slider.select_slider(
        _("Depth (weighted layers)"),
        valid_depths(high=most),
        value=default,
        key=f"{key}_deep" if deep else key,
        bind=_BOUND,
    )
    return int(depth)


def depths_control(*, key: str, default: Sequence[int]) -> list[int]:
    """Several valid depths.

    Raises:
        SpecError: none is chosen, or one is no number.
    """
    chosen = st.multiselect(
        _("Depths"),
        [str(depth) for depth in valid_depths(high=DEEPEST)],
        default=[str(depth) for depth in default],
        key=key,
        bind=_BOUND,
    )
    if not chosen:
        raise SpecError(_("Choose at least one depth."))
    return sorted(set(parse_numbers(" ".join(chosen), "depths")))


def seeds_control(*, key: str, default: int = 3) -> int:
    """How many nets of a kind are measured, each with its own weights."""
    return int(
        st.select_slider(_("Number of seeds"), range(1, 11), value=default, key=key, bind=_BOUND)
    )


def init_controls(*, prefix: str) -> dict[str, Any]:
    """Normalisation and initialisation, as fields of `NetSpec`."""
    norm = st.segmented_control(
        _("Norm"), NORMS, default="batch", key=f"{prefix}_norm", bind=_BOUND, required=True
    )
    init = st.selectbox(
        _("Initialisation"),
        INITS,
        key=f"{prefix}_init",
        bind=_BOUND,
        help=_(
            "he: He et al. 2015, arXiv:1502.01852. xavier: Glorot & Bengio 2010. normal: "
            "N(0, σ²) for every convolution. zero_gamma: the last batch norm of each branch "
            "starts at zero (Goyal et al. 2017). fixup: without norm, branches scaled by depth "
            "(Zhang et al. 2019, arXiv:1901.09321)."
        ),
    )
    fields: dict[str, Any] = {"norm": norm, "init": init}
    if init == "normal":
        fields["init_std"] = st.select_slider(
            _("σ of the initial weights"), SIGMAS, value=0.01, key=f"{prefix}_sigma", bind=_BOUND
        )
    return fields


def shortcut_control(*, prefix: str) -> str:
    """The option of the shortcuts."""
    chosen: str = st.selectbox(
        _("Shortcut"),
        SHORTCUTS,
        key=f"{prefix}_shortcut",
        bind=_BOUND,
        help=_(
            "A: zero-padding where channels grow. B: projection there. C: projection everywhere. "
            "The others change A (He et al. 2016, 3.1): scaled by ½, gated, or with dropout."
        ),
    )
    return chosen


def width_control(*, prefix: str, default: int = 16) -> int:
    """Channels of the first stage."""
    return int(
        st.select_slider(
            _("Width (channels of the first stage)"),
            WIDTHS,
            value=default,
            key=f"{prefix}_width",
            bind=_BOUND,
        )
    )


def data_controls(*, prefix: str, name: str = "shapes", size: int = 32) -> DataSpec:
    """A data set that is on this computer, and the size of its images.

    Args:
        name, size: what is chosen at first.
    """
    present = [name for name in catalogue.NAMES if catalogue.is_present(DataSpec(name))]
    folders = [f"{_FOLDER}{name}" for name in catalogue.list_folders()]
    chosen = st.selectbox(
        _("Images"),
        [*present, *folders],
        index=present.index(name),
        key=f"{prefix}_data",
        bind=_BOUND,
        help=_("Data sets on this computer; others can be downloaded on “Error against depth”."),
    )
    pixels = st.select_slider(
        _("Image size in pixels"), SIZES, value=size, key=f"{prefix}_size", bind=_BOUND
    )
    if chosen.startswith(_FOLDER):
        return DataSpec("folder", folder=chosen.removeprefix(_FOLDER), image_size=int(pixels))
    return DataSpec(chosen, image_size=int(pixels))


def build_specs(families: Sequence[str], fields: dict[str, Any]) -> Chosen:
    """A net of each family.

    Raises:
        SpecError: none of them can be built.
    """
    nets, refused = [], []
    for family in families:
        try:
            nets.append(net_beside(family, **fields))
        except SpecError as error:
            refused.append(f"{family}: {error}")
    if not nets:
        raise SpecError("\n\n".join(refused))
    return Chosen(tuple(nets), tuple(refused))
