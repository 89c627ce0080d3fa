"""What a sweep's runs measured layer by layer, to take away: CSV and JSON. No torch."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import resnet_viz
from resnet_viz.layers import Block, Layer, blocks_of, weighted_layers
from resnet_viz.records import BLOCK_COLUMNS, LAYER_COLUMNS, PROFILE_COLUMNS, Profile, RunInfo
from resnet_viz.specs import NetSpec

_HEAD = ("run", "family", "depth", "seed", "step", "kind", "number", "name", "stage")


ProfiledRuns = Iterable[tuple[RunInfo, Sequence[Profile]]]


def profiles_csv(runs: ProfiledRuns) -> str:
    """One line a layer or block of every profile; what it has not, or was not finite, is empty.

    A name is the module's path in the built net; stage is 0 for the stem, -1 for the head.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*_HEAD, *PROFILE_COLUMNS))
    for run, profiles in runs:
        net = run.spec.net
        about = (run.id, net.family, net.depth, run.spec.train.seed)
        for profile in profiles:
            for place, values in _lines(net, profile):
                writer.writerow((*about, profile.step, *place, *values))
    return out.getvalue()


def _lines(net: NetSpec, profile: Profile) -> Iterator[tuple[tuple[Any, ...], list[Any]]]:
    """Kind, number from 1, name and stage of each layer and block; a value or None a column."""
    places: tuple[tuple[str, tuple[str, ...], Sequence[Layer | Block]], ...] = (
        ("layer", LAYER_COLUMNS, weighted_layers(net)),
        ("block", BLOCK_COLUMNS, blocks_of(net)),
    )
    values = profile_values(profile)
    for kind, columns, found in places:
        for i, place in enumerate(found):
            measured = {c: values[c][i] for c in columns if c in values}
            numbers = [measured.get(column) for column in PROFILE_COLUMNS]
            yield (kind, i + 1, place.module, place.stage), numbers


def profiles_json(runs: ProfiledRuns, name: str) -> dict[str, Any]:
    """A sweep's name, and for each run its spec, layers, blocks and profiles, as JSON values.

    What was not finite is null.
    """
    return {
        "program": f"resnet_viz {resnet_viz.__version__}",
        "name": name,
        "runs": [_run_values(run, profiles) for run, profiles in runs],
    }


def _run_values(run: RunInfo, profiles: Sequence[Profile]) -> dict[str, Any]:
    net = run.spec.net
    return {
        "spec": run.spec.to_dict(full=True),
        "status": run.status,
        "layers": [{"name": x.module, "stage": x.stage} for x in weighted_layers(net)],
        "blocks": [{"name": x.module, "stage": x.stage} for x in blocks_of(net)],
        "profiles": [profile_values(profile) for profile in profiles],
    }


def profile_values(profile: Profile) -> dict[str, Any]:
    """Step and columns as JSON values, with the digits that a float32 has; NaN is None."""
    columns = {
        name: [None if math.isnan(value) else float(f"{value:.9g}") for value in column]
        for name, column in profile.values.items()
    }
    return {"step": profile.step, **columns}
