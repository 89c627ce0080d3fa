"""The stored sweep that a page shows before there is any run. No torch."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from resnet_viz.records import COLUMNS, History, Record, RunInfo
from resnet_viz.specs import RunSpec

PATH = Path(__file__).parents[1] / "assets" / "reference.json.gz"


@dataclass(frozen=True)
class Reference:
    """A finished sweep and where it was measured.

    Attributes:
        machine: processor, threads, number format and versions, in words.
        command: what makes it again.
        runs: as a reader of the store would give them.
    """

    machine: str
    command: str
    runs: tuple[tuple[RunInfo, History], ...]


@cache
def load_reference() -> Reference:
    """The sweep that comes with the program."""
    values = json.loads(gzip.decompress(PATH.read_bytes()))
    runs = []
    for number, run in enumerate(values["runs"], 1):
        history = History()
        for record in run["records"]:
            columns = {c: record[c] for c in COLUMNS[record["kind"]] if record.get(c) is not None}
            history.extend([Record(record["kind"], record["step"], columns)])
        info = RunInfo(
            id=-number,
            sweep_id="reference",
            spec=RunSpec.from_dict(run["spec"]),
            status=run["status"],
            step=history.steps["running_error"][-1],
            running_error=history.last("running_error"),
            train_error=history.last("train_error"),
            test_error=history.last("test_error"),
            seconds=history.last("seconds") or 0.0,
            images_per_second=history.last("images_per_second"),
        )
        runs.append((info, history))
    return Reference(values["machine"], values["command"], tuple(runs))
