"""A sweep that trains while a command waits for it: progress, Ctrl-C, the table at the end."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from resnet_viz.figures.spread import net_labels
from resnet_viz.i18n import _
from resnet_viz.records import ACTIVE, RunInfo
from resnet_viz.runs.lanes import available_cores
from resnet_viz.runs.progress import measure_progress
from resnet_viz.runs.store import RunStore
from resnet_viz.runs.supervisor import Supervisor
from resnet_viz.runs.tables import report

POLL_SECONDS = 0.2


class supervised:  # noqa: N801 - reads as a clause: with supervised(store, device)
    """Workers for as long as the command lasts."""

    def __init__(self, store: RunStore, device: str) -> None:
        self._supervisor = Supervisor(store, device=device)

    def __enter__(self) -> Supervisor:
        self._supervisor.start()
        return self._supervisor

    def __exit__(self, *_details: object) -> None:
        self._supervisor.close()


def watch(store: RunStore, supervisor: Supervisor, sweep_id: str, file: Path | None) -> int:
    """Draw progress until nothing of the sweep waits or trains; Ctrl-C stops its runs."""
    said: set[str] = set()
    try:
        while True:
            runs = store.runs(sweep_id)
            _draw(runs)
            for text in filter(None, (supervisor.error, *(run.notes for run in runs))):
                if text not in said:
                    print(f"\n{text}", file=sys.stderr)
                    said.add(text)
            if not any(run.status in ACTIVE for run in runs):
                break
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        store.request_stop([run.id for run in store.runs(sweep_id)])
        while any(run.status in ACTIVE for run in store.runs(sweep_id)):
            time.sleep(POLL_SECONDS)
        print(
            "\n" + _("Stopped. Go on with: python -m resnet_viz resume {id}").format(id=sweep_id),
            file=sys.stderr,
        )
    runs = store.runs(sweep_id)
    print(file=sys.stderr)
    print(table(runs))
    if file is not None:
        file.write_text(json.dumps(report(store, sweep_id), indent=2) + "\n", "utf-8")
    return 0 if all(run.status == "done" for run in runs) else 1


def _draw(runs: list[RunInfo]) -> None:
    on_cpu = all(run.device in (None, "cpu") for run in runs)
    progress = measure_progress(runs, available_cores() if on_cpu else 1)
    if not sys.stderr.isatty():
        return
    filled = int(30 * progress.share)
    left = "" if progress.seconds_left is None else f" · {progress.seconds_left:.0f} s left"
    speed = progress.images_per_second
    speed_text = "" if speed is None else f" · {speed:,.0f} images/s"
    bar = "█" * filled + "░" * (30 - filled)
    print(
        f"\r{bar} {progress.share:4.0%}{left}{speed_text}\033[K",
        end="",
        file=sys.stderr,
        flush=True,
    )


def table(runs: Sequence[RunInfo]) -> str:
    """Errors of every run in per cent, as aligned text."""
    head = ("net", "seed", "lr", "status", "steps", "running", "train", "test", "seconds")
    rows: list[tuple[str, ...]] = [head]
    labels = net_labels(list(dict.fromkeys(run.spec.net for run in runs)))
    for run in runs:
        train = run.spec.train
        rows.append(
            (
                labels[run.spec.net],
                str(train.seed),
                f"{train.lr:g}",
                run.status,
                str(run.step),
                *(_per_cent(e) for e in (run.running_error, run.train_error, run.test_error)),
                f"{run.seconds:.1f}",
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join([*lines, _("Errors in per cent.")])


def _per_cent(fraction: float | None) -> str:
    return "-" if fraction is None else f"{100 * fraction:.1f}"
