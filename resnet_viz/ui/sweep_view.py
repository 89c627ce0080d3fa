"""A sweep as one watches it: two charts, what they say, progress, and the table of its nets."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from resnet_viz.figures.captions import sweep_caption
from resnet_viz.figures.errors import error_vs_depth, error_vs_step
from resnet_viz.figures.verdict import judge
from resnet_viz.i18n import _
from resnet_viz.papers import published_test_error
from resnet_viz.records import ACTIVE, RESUMABLE, RunInfo
from resnet_viz.runs.progress import measure_progress
from resnet_viz.runs.reader import RunHistory, SweepReader
from resnet_viz.ui.live_chart import live_chart
from resnet_viz.ui.net_table import apply_action, net_table
from resnet_viz.ui.session import Backend
from resnet_viz.ui.variant_table import variant_table
from resnet_viz.ui.words import duration

# Seconds between two looks at the store. Drawing takes time from training where the browser
# runs on the same cores, so the pace is quick only when a person waits for something.
FIRST_SECONDS = 0.4  # until there are a few points
BRISK_SECONDS = 1.0  # while the curves begin, and when the end is near
TICK_SECONDS = 2.0
IDLE_SECONDS = 3.0  # nothing trains: somebody may resume the sweep in another browser
FIRST_STEPS = 5
WISH_SECONDS = 0.6  # how long a click on Stop or Pause waits for its effect
CHART_PIXELS = 430


def watch_sweep(backend: Backend, sweep_id: str) -> None:
    """The live region of a sweep of the store; it looks again and again."""
    reader = _reader(backend, sweep_id)
    pace = _pace(reader.refresh())

    def region() -> None:
        runs = _after_wishes(reader)
        infos = [run for run, _history in runs]
        if not runs or pace != _pace(runs):
            st.rerun()  # to tick at the new pace, or to say that the sweep was deleted
        sweep_charts(runs, key="live")
        sweep_progress(infos, backend)
        net_table(infos, backend.store, key="nets")
        _failures(infos)

    st.fragment(region, run_every=pace)()


def _pace(runs: Sequence[RunHistory]) -> float:
    """Seconds between two looks."""
    infos = [run for run, _history in runs]
    if not any(run.status in ACTIVE for run in infos):
        return IDLE_SECONDS
    if max(run.step for run in infos) < FIRST_STEPS:
        return FIRST_SECONDS
    share = min(run.step / run.spec.train.steps for run in infos)
    return TICK_SECONDS if 0.15 < share < 0.93 else BRISK_SECONDS


def _after_wishes(reader: SweepReader) -> list[RunHistory]:
    """The runs once what a person has asked for is done, which takes a fraction of a second.

    A click would else be answered one tick later.
    """
    deadline = time.monotonic() + WISH_SECONDS
    runs = reader.refresh()
    while any(run.wish for run, _history in runs) and time.monotonic() < deadline:
        time.sleep(0.02)
        runs = reader.refresh()
    return runs


def _reader(backend: Backend, sweep_id: str) -> SweepReader:
    """This session's reader of a sweep, which remembers what it has read."""
    if st.session_state.get("reader_of") != sweep_id:
        st.session_state["reader_of"] = sweep_id
        st.session_state["reader"] = SweepReader(backend.store, sweep_id)
    reader: SweepReader = st.session_state["reader"]
    return reader


def sweep_charts(runs: Sequence[RunHistory], *, key: str) -> None:
    """Error against depth and against step, and in words what they show."""
    columns = {
        "running_error": _("Training error"),
        "train_error": _("Training error, whole set"),
        "test_error": _("Test error"),
    }
    if any(run.spec.data.val_images for run, _history in runs):
        columns["val_error"] = _("Validation error")
    column = st.segmented_control(
        _("Error"),
        list(columns),
        format_func=columns.__getitem__,
        default="running_error",
        required=True,
        key="error",
        bind="query-params",
        label_visibility="collapsed",
    )
    left, right = st.columns(2, gap="medium")
    published = [p for run, _history in runs if (p := published_test_error(run.spec))]
    with left:
        figure = error_vs_depth(runs, column, published if column == "test_error" else ())
        live_chart(
            figure,
            key=f"{key}_depth",
            height=CHART_PIXELS,
            alt=_("Error against depth, one line a family"),
        )
    with right:
        over_steps = "running_error" if column == "train_error" else column
        figure = error_vs_step(runs, over_steps)
        live_chart(
            figure,
            key=f"{key}_step",
            height=CHART_PIXELS,
            alt=_("Error against step, one line a net"),
        )
    st.markdown(sweep_caption(judge(runs)))
    variant_table(runs, column)
    if column == "test_error" and published:
        st.caption(_paper_note(published[0].source))


def _paper_note(source: str) -> str:
    return _(
        "Hollow markers: test errors published for the same nets by {source}; plain nets are "
        "read off its Fig. 6. The table says whether a run follows the same protocol."
    ).format(source=source.split(", Table")[0].split(", read")[0])


def sweep_progress(runs: Sequence[RunInfo], backend: Backend) -> None:
    """How far a sweep is, what it waits for, and Pause, Stop and Resume for all its runs."""
    processes = backend.cores if backend.device == "cpu" else 1
    progress = measure_progress(runs, processes)
    parts = [f"{progress.share:.0%}"]
    if progress.active and progress.seconds_left is not None:
        parts.append(_("{time} left").format(time=duration(progress.seconds_left)))
    if progress.images_per_second:
        parts.append(_("{n:,.0f} images/s").format(n=progress.images_per_second))
    if progress.active and not any(run.status == "running" for run in runs):
        parts.append(_what_it_waits_for(backend))
    if backend.supervisor.error:
        st.error(backend.supervisor.error, icon=":material/error:")
    bar, pause, stop, resume = st.columns([3, 1, 1, 1], vertical_alignment="center")
    bar.progress(min(1.0, progress.share), " · ".join(parts))
    ids = {
        "pause": [r.id for r in runs if r.status in ACTIVE],
        "stop": [r.id for r in runs if r.status in (*ACTIVE, "paused")],
        "resume": [r.id for r in runs if r.status in RESUMABLE],
    }
    places = {
        "pause": (pause, _("Pause"), ":material/pause:"),
        "stop": (stop, _("Stop"), ":material/stop:"),
        "resume": (resume, _("Resume"), ":material/play_arrow:"),
    }
    for action, (place, title, icon) in places.items():
        place.button(
            title,
            icon=icon,
            key=f"all_{action}",
            disabled=not ids[action],
            on_click=apply_action,
            args=(backend.store, action, ids[action]),
            width="stretch",
        )


def _what_it_waits_for(backend: Backend) -> str:
    """Why nothing of a sweep trains although it should."""
    states = {worker.state for worker in backend.supervisor.workers()}
    if "measuring" in states:
        return _("measuring this computer")
    if "training" in states:
        return _("waiting for a free worker")
    return _("starting the training processes")


def _failures(runs: Sequence[RunInfo]) -> None:
    """What is to be known of the data, and why runs failed or diverged, folded away."""
    for note in sorted({run.notes for run in runs if run.notes}):
        st.warning(note, icon=":material/broken_image:")
    for run in runs:
        if run.status in ("failed", "diverged") and run.error:
            first = run.error.strip().splitlines()[-1]
            with st.expander(f"{run.spec.net.name}: {first}", icon=":material/error:"):
                st.code(run.error, language=None)
