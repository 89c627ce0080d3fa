"""The stored sweep that a page shows before there is any run. No torch."""

from __future__ import annotations

import gzip
import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from resnet_viz.records import COLUMNS, PROFILE_COLUMNS, History, Profile, Record, RunInfo
from resnet_viz.specs import RunSpec

PATH = Path(__file__).parents[1] / "assets" / "reference.json.gz"


@dataclass(frozen=True)
class Reference:
    """A finished sweep and where it was measured.

    Attributes:
        machine: processor, threads, number format and versions, in words.
        command: what makes it again.
        runs: as a reader of the store would give them.
        profiles: of the runs with the first seed, with four significant digits.
    """

    machine: str
    command: str
    runs: tuple[tuple[RunInfo, History], ...]
    profiles: tuple[tuple[RunInfo, tuple[Profile, ...]], ...]


@cache
def load_reference() -> Reference:
    """The sweep that comes with the program."""
    values = json.loads(gzip.decompress(PATH.read_bytes()))
    runs, profiles = [], []
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
        if found := tuple(map(_profile, run.get("profiles", ()))):
            profiles.append((info, found))
    return Reference(values["machine"], values["command"], tuple(runs), tuple(profiles))


def _profile(values: dict[str, Any]) -> Profile:
    columns = {
        name: tuple(math.nan if value is None else value for value in values[name])
        for name in PROFILE_COLUMNS
        if name in values
    }
    return Profile(values["step"], columns)
