"""What happens to the queue: which process trains what on which device, what waits, what failed."""

from __future__ import annotations

import time
from collections import Counter

import streamlit as st

from resnet_viz.i18n import _
from resnet_viz.records import RunInfo
from resnet_viz.runs.rows import SweepInfo, WorkerInfo
from resnet_viz.ui.session import Backend
from resnet_viz.ui.words import duration

TICK_SECONDS = 2.0


def queue_view(backend: Backend) -> None:
    """A live line of workers, and the runs that train, wait or failed."""

    def region() -> None:
        names = {sweep.id: sweep.name for sweep in backend.store.sweeps()}
        runs = backend.store.runs()
        counts = Counter(run.status for run in runs)
        alive = backend.supervisor.workers()
        st.markdown(
            _(
                "**{training}** nets train · **{waiting}** wait · **{failed}** failed · "
                "**{workers}** worker processes"
            ).format(
                training=counts["running"],
                waiting=counts["queued"],
                failed=counts["failed"] + counts["diverged"],
                workers=len(alive),
            )
        )
        with st.expander(_("Queue and workers"), icon=":material/list_alt:"):
            _workers(alive)
            _runs(runs, names)

    st.fragment(region, run_every=TICK_SECONDS)()


def _workers(workers: list[WorkerInfo]) -> None:
    states = {
        "starting": _("starting"),
        "idle": _("idle"),
        "measuring": _("measuring this computer"),
        "downloading": _("downloading"),
        "training": _("training"),
    }
    if not workers:
        st.caption(_("No worker process; one starts when there is something to do."))
        return
    st.dataframe(
        {
            _("process"): [w.pid for w in workers],
            _("device"): [w.device for w in workers],
            _("state"): [states.get(w.state, w.state) for w in workers],
            _("threads"): [w.threads or None for w in workers],
            _("alive for"): [duration(time.time() - w.started) for w in workers],
        },
        hide_index=True,
        placeholder="–",
        key="workers",
        alt=_("Worker processes with device and state"),
    )


def _runs(runs: list[RunInfo], names: dict[str, str]) -> None:
    shown = [r for r in runs if r.status in ("running", "queued", "failed", "diverged")]
    if not shown:
        return
    st.dataframe(
        {
            _("net"): [r.spec.net.name for r in shown],
            _("sweep"): [names.get(r.sweep_id, r.sweep_id) for r in shown],
            _("status"): [r.status for r in shown],
            _("device"): [r.device for r in shown],
            _("step"): [f"{r.step:,} / {r.spec.train.steps:,}" for r in shown],
            _("why"): [_last_line(r.error) for r in shown],
        },
        hide_index=True,
        placeholder="–",
        key="queue",
        alt=_("Runs that train, wait, failed or diverged"),
    )


def _last_line(error: str | None) -> str | None:
    return error.strip().splitlines()[-1] if error and error.strip() else None


def running_text(sweeps: list[SweepInfo]) -> str:
    """What trains and what waits now, in a sentence."""
    running = sum(sweep.counts.get("running", 0) for sweep in sweeps)
    queued = sum(sweep.counts.get("queued", 0) for sweep in sweeps)
    if not running and not queued:
        return _("Nothing is training right now.")
    return _("{running} nets are training, {queued} wait.").format(running=running, queued=queued)
