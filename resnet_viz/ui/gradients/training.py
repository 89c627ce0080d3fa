"""While nets train: every layer's gradient, weights and update against step, plain by residual."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from resnet_viz.figures.profiles.captions import profile_caption, ratio_caption
from resnet_viz.figures.profiles.data import BRANCH_SHARE, ProfiledRun, profile_rows
from resnet_viz.figures.profiles.heat import depth_multiples, layer_heat
from resnet_viz.figures.profiles.lines import profile_at
from resnet_viz.figures.profiles.page import profiles_page
from resnet_viz.figures.ratios import ratio_vs_depth, ratios_at
from resnet_viz.i18n import _
from resnet_viz.records import ACTIVE
from resnet_viz.runs.profile_reader import ProfileReader
from resnet_viz.runs.profile_tables import profiles_csv, profiles_json
from resnet_viz.runs.reference import load_reference
from resnet_viz.runs.rows import SweepInfo
from resnet_viz.runs.store import RunStore
from resnet_viz.ui.downloads import table, take_away_probe
from resnet_viz.ui.inquiries import stop_asking
from resnet_viz.ui.linked_choice import linked_choice
from resnet_viz.ui.live_chart import live_chart
from resnet_viz.ui.session import Backend
from resnet_viz.ui.sweep_view import sweep_progress

TICK_SECONDS = 2.0  # while nets train
PLAY_SECONDS = 0.35
IDLE_SECONDS = 3.0
FRAMES = 40  # of a play from the first step to the last
REFERENCE = "reference"


@dataclass(frozen=True)
class _Choice:
    """What the controls say: which of a sweep's nets, and what of them."""

    column: str
    depth: int
    seed: int
    lr: float
    all_depths: bool


def training_view(backend: Backend) -> None:
    """A sweep's profiles: heat maps, one step of them, and the ratio against depth."""
    stop_asking()  # what another view of this session has asked
    sweep = _choose_sweep(backend.store)
    reader = _reader(backend.store, sweep)
    runs = _read(reader)
    if sweep is None:
        reference = load_reference()
        st.info(
            _(
                "**Reference sweep, not yours**: measured by this program on {machine}. Train "
                "nets on “Error against depth” to see your own here."
            ).format(machine=reference.machine),
            icon=":material/bookmark:",
        )
    if not any(profiles for _run, profiles in runs) and not _active(runs):
        st.warning(_nothing_recorded(), icon=":material/warning:")
        return
    choice = _controls(runs)
    pace = _pace(runs)

    def region() -> None:
        now = _read(reader)
        if not now or pace != _pace(now):
            st.rerun()
        _charts(now, choice)
        if sweep is not None and _active(now):
            sweep_progress([run for run, _profiles in now], backend)

    st.fragment(region, run_every=pace)()
    _take_away(sweep, reader)


def _choose_sweep(store: RunStore) -> SweepInfo | None:
    """The sweep that the link or the session names, else the newest; None for the reference."""
    sweeps = {sweep.id: sweep for sweep in store.sweeps()}
    wanted = st.session_state.get("sweep") or st.query_params.get("sweep")
    if wanted and wanted != REFERENCE and wanted not in sweeps:
        text = _("There is no sweep {id!r}; it may have been deleted.")
        st.warning(text.format(id=wanted), icon=":material/link_off:")
        wanted = None
    options = [*sweeps, REFERENCE]
    st.session_state["profiles_of"] = wanted or options[0]

    def title(sweep_id: str) -> str:
        return sweeps[sweep_id].name if sweep_id in sweeps else _("Reference sweep")

    def choose() -> None:
        sweep_id = st.session_state["profiles_of"]
        st.query_params["sweep"] = sweep_id
        st.session_state["sweep"] = sweep_id if sweep_id in sweeps else None

    chosen = st.selectbox(
        _("Sweep"),
        options,
        format_func=title,
        key="profiles_of",
        on_change=choose,
        label_visibility="collapsed",
    )
    return sweeps.get(chosen)


def _reader(store: RunStore, sweep: SweepInfo | None) -> ProfileReader | None:
    """This session's reader of a sweep, which remembers what it has read."""
    if sweep is None:
        return None
    if st.session_state.get("profile_reader_of") != sweep.id:
        st.session_state["profile_reader_of"] = sweep.id
        st.session_state["profile_reader"] = ProfileReader(store, sweep.id)
    reader: ProfileReader = st.session_state["profile_reader"]
    return reader


def _read(reader: ProfileReader | None) -> list[ProfiledRun]:
    return list(load_reference().profiles) if reader is None else list(reader.refresh())


def _active(runs: Sequence[ProfiledRun]) -> bool:
    return any(run.status in ACTIVE for run, _profiles in runs)


def _pace(runs: Sequence[ProfiledRun]) -> float | None:
    """Seconds between two looks at the store."""
    if st.session_state.get("playing"):
        return PLAY_SECONDS
    if any(run.sweep_id == REFERENCE for run, _profiles in runs):
        return None
    return TICK_SECONDS if _active(runs) else IDLE_SECONDS


def _nothing_recorded() -> str:
    return _(
        "These nets were trained without looking at their layers. Start a sweep with “Gradients "
        "every … steps” above 0 (on “Error against depth”, under Recipe), or choose another sweep."
    )


def _columns() -> dict[str, str]:
    return {
        "gradient_norm": _("Gradient of a layer's weights"),
        "weight_norm": _("Weights of a layer"),
        "update_ratio": _("Update over weights of a layer"),
        "response_std": _("Response std of a block"),
        "input_norm": _("x: input of a block"),
        "branch_norm": _("F(x): residual branch of a block"),
        "sum_norm": _("x + F(x): sum in a block"),
        BRANCH_SHARE: _("F(x) over x of a block"),
    }


def _controls(runs: Sequence[ProfiledRun]) -> _Choice:
    specs = [run.spec for run, _profiles in runs]
    depths = sorted({spec.net.depth for spec in specs})
    seeds = sorted({spec.train.seed for spec in specs})
    rates = sorted({spec.train.lr for spec in specs})
    several = len(seeds) > 1 or len(rates) > 1
    places = st.columns([5, 6, 3] if several else [1, 1], vertical_alignment="bottom")
    first, second, third = places[0], places[1], places[-1]
    with first:
        column = linked_choice(
            _("Quantity"),
            _columns(),
            key="of",
            as_list=True,
            help=_(
                "Of a weighted layer: norm of the gradient of its weights, norm of its weights, "
                "norm of a step's change over that of the weights. Of a block: standard deviation "
                "of its response before the addition (He et al. 2015, Fig. 7); norm of its input "
                "x, of F(x), and of their sum, per image."
            ),
        )
    with second:
        options = {str(depth): str(depth) for depth in depths}
        if len(depths) > 1:
            options["all"] = _("all")
        shown = linked_choice(_("Depth"), options, key="depth_of", default=str(depths[-1]))
    with third:
        seed = seeds[0] if len(seeds) == 1 else st.selectbox(_("Seed"), seeds, key="seed_of")
        lr = rates[0] if len(rates) == 1 else st.selectbox(_("Learning rate"), rates, key="rate_of")
    depth = depths[-1] if shown == "all" else int(shown)
    return _Choice(column, depth, seed, lr, shown == "all")


def _charts(runs: Sequence[ProfiledRun], choice: _Choice) -> None:
    """The picture, the step that one looks at, and what it says."""
    same = [item for item in runs if item[0].spec.train.lr == choice.lr]
    seed = [item for item in same if item[0].spec.train.seed == choice.seed]
    pair = [item for item in seed if item[0].spec.net.depth == choice.depth]
    newest = max((p[-1].step for _run, p in seed if p), default=0)
    steps = max(run.spec.train.steps for run, _profiles in runs)
    step = _step_to_show(newest, steps)
    if choice.all_depths:
        figure = depth_multiples(seed, choice.column)
    else:
        figure = layer_heat(pair, choice.column, step=min(step, newest))
    live_chart(
        figure,
        key="profiles_all" if choice.all_depths else "profiles_pair",
        height=460 if choice.all_depths else 400,
        alt=_("Layer by step, one picture a net, colour on a log scale"),
    )
    _step_control(step, steps)
    profile, ratio = st.columns(2, gap="medium")
    with profile:
        live_chart(
            profile_at(pair, choice.column, step),
            key="profile",
            height=380,
            alt=_("The chosen quantity against layer at one step, one line a net"),
        )
    with ratio:
        points = ratios_at(same, step)
        live_chart(
            ratio_vs_depth(points),
            key="profile_ratio",
            height=380,
            alt=_("Gradient of the first convolution over that of the last, against depth"),
        )
    st.markdown(profile_caption(pair, choice.column, step))
    st.markdown(ratio_caption(points))
    table(profile_rows(pair, choice.column, step), key="profile_table")


def _step_to_show(newest: int, steps: int) -> int:
    """The step that one looks at; a play moves it on, and ends at the newest."""
    step: int = min(st.session_state.get("profile_step", steps), steps)
    if st.session_state.get("playing"):
        step += max(1, newest // FRAMES)
        if step >= newest:
            st.session_state["playing"] = False
            step = steps
        st.session_state["profile_step"] = step
    return step


def _step_control(step: int, steps: int) -> None:
    """Play, and the slider. A slider that the program has moved is a new one, with that value:
    a value that is set from outside may not arrive when runs of the script follow closely."""
    playing = st.session_state.get("playing", False)
    moves = st.session_state.get("step_moves", 0)
    key = f"step_at_{step}" if playing else f"step_{moves}"

    def play() -> None:
        st.session_state["playing"] = not playing
        st.session_state["step_moves"] = moves + 1
        if not playing and step >= steps:
            st.session_state["profile_step"] = 1

    def choose() -> None:
        st.session_state["profile_step"] = st.session_state[key]

    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    row.button(
        _("Pause") if playing else _("Play"),
        icon=":material/pause:" if playing else ":material/play_arrow:",
        key="play",
        on_click=play,
    )
    row.slider(
        _("Step (at the right end: the newest)"),
        1,
        max(2, steps),
        value=step,
        key=key,
        on_change=choose,
        disabled=playing,
    )


def _take_away(sweep: SweepInfo | None, reader: ProfileReader | None) -> None:
    name = sweep.name if sweep else _("Reference sweep")
    code = f"python -m resnet_viz export {sweep.id} gradients.csv --gradients" if sweep else ""
    take_away_probe(
        f"{sweep.id if sweep else REFERENCE}-gradients",
        csv=lambda: profiles_csv(_read(reader)),
        json=lambda: json.dumps(profiles_json(_read(reader), name)),
        html=lambda: profiles_page(_read(reader), name),
        code=code or load_reference().command,
        language="bash",
    )
