"""A sweep's results to take away: CSV, JSON, and the command line's report. No torch."""

from __future__ import annotations

import csv
import io
from typing import Any

import resnet_viz
from resnet_viz.records import Record, RunInfo
from resnet_viz.runs.layout import RECORD_COLUMNS
from resnet_viz.runs.store import RunStore

_RESULTS = (
    *("running_error", "train_error", "val_error", "test_error"),
    *("seconds", "images_per_second"),
)
_PLACE = ("device", "dtype", "threads", "version")


def sweep_csv(store: RunStore, sweep_id: str) -> str:
    """One line a record; what a record did not measure is empty. Errors are fractions.

    Raises:
        UnknownSweepError: there is no sweep of that id.
    """
    store.sweep(sweep_id)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    net_fields = ("family", "depth", "block", "shortcut", "width", "norm", "init")
    writer.writerow(("run", *net_fields, "first_lr", "seed", "kind", "step", *RECORD_COLUMNS))
    for run, records in _histories(store, sweep_id):
        net, train = run.spec.net, run.spec.train
        about = (run.id, *(getattr(net, name) for name in net_fields), train.lr, train.seed)
        for record in records:
            values = (record.values.get(column, "") for column in RECORD_COLUMNS)
            writer.writerow((*about, record.kind, record.step, *values))
    return out.getvalue()


def sweep_json(store: RunStore, sweep_id: str) -> dict[str, Any]:
    """Spec, runs and all their records as JSON values. Errors are fractions.

    Raises:
        UnknownSweepError: there is no sweep of that id.
    """
    sweep = store.sweep(sweep_id)
    return {
        "program": f"resnet_viz {resnet_viz.__version__}",
        "name": sweep.name,
        "created": sweep.created,
        "sweep": sweep.spec.to_dict(),
        "runs": [
            {
                **_result(run),
                **{name: getattr(run, name) for name in (*_PLACE, "step", "error")},
                "records": [{"kind": r.kind, "step": r.step, **r.values} for r in records],
            }
            for run, records in _histories(store, sweep_id)
        ],
    }


def report(store: RunStore, sweep_id: str) -> dict[str, Any]:
    """What the command line writes: each run's spec in full, status and last measurements.

    Raises:
        UnknownSweepError: there is no sweep of that id.
    """
    store.sweep(sweep_id)
    runs = store.runs(sweep_id)
    device = next((run.device for run in runs if run.device), store.setting("auto_device"))
    return {"device": device, "runs": [_result(run) for run in runs]}


def _result(run: RunInfo) -> dict[str, Any]:
    return {
        "spec": run.spec.to_dict(full=True),
        "status": run.status,
        **{name: getattr(run, name) for name in _RESULTS},
    }


def _histories(store: RunStore, sweep_id: str) -> list[tuple[RunInfo, list[Record]]]:
    runs = store.runs(sweep_id)
    records: dict[int, list[Record]] = {run.id: [] for run in runs}
    for run_id, record in store.records_since(records)[0]:
        records[run_id].append(record)
    return [(run, records[run.id]) for run in runs]
