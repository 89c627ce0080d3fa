"""The stored sweep: what is written of a run comes back, with the digits that are kept."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.reference import kept
from resnet_viz.layers import blocks_of, weighted_layers
from resnet_viz.records import Profile
from resnet_viz.runs import reference
from resnet_viz.runs.profile_tables import profile_values
from resnet_viz.specs import RunSpec
from tests.runs.making import net_profile, tiny_sweep


def written(spec: RunSpec, profiles: list[Profile]) -> dict[str, object]:
    record = {"kind": "training", "step": 1, "running_error": 0.123456, "lr": 0.1}
    run = {"spec": spec.to_dict(full=True), "status": "done", "records": [record]}
    return kept(run, [profile_values(profile) for profile in profiles])


@pytest.fixture
def asset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "reference.json.gz"
    monkeypatch.setattr(reference, "FOLDER", tmp_path)
    reference.load_reference.cache_clear()
    yield path
    reference.load_reference.cache_clear()


def test_profiles_of_the_first_seed_are_kept_with_four_digits(asset: Path) -> None:
    spec = replace(tiny_sweep(families=("plain", "resnet")), seeds=2)
    profiles = []
    for run in spec.runs():
        profile = net_profile(run.net, 1)
        ratios = (math.nan, 0.0123456, *profile.values["update_ratio"][2:])
        profiles.append(Profile(1, {**profile.values, "update_ratio": ratios}))
    runs = [written(run, [p]) for run, p in zip(spec.runs(), profiles, strict=True)]
    values = {"machine": "m", "command": "c", "runs": runs}
    asset.write_bytes(gzip.compress(json.dumps(values, allow_nan=False).encode()))
    loaded = reference.load_reference()
    assert [info.spec for info, _ in loaded.runs] == spec.runs()
    first = [info for info, _ in loaded.runs if info.spec.train.seed == 0]
    assert [info for info, _ in loaded.profiles] == first
    for info, (found,) in loaded.profiles:
        (profile,) = [p for r, p in zip(spec.runs(), profiles, strict=True) if r == info.spec]
        assert found.step == 1
        assert found.values.keys() == profile.values.keys()
        for name, column in profile.values.items():
            assert found.values[name] == pytest.approx(column, rel=5e-4, nan_ok=True)
        assert found.values["update_ratio"][1] == 0.01235


def test_the_profiles_that_come_with_the_program_fit_their_nets() -> None:
    for info, profiles in reference.load_reference().profiles:
        net = info.spec.net
        layers, blocks = len(weighted_layers(net)), len(blocks_of(net))
        assert info.spec.train.seed == 0
        assert profiles[0].step == 1
        assert profiles[-1].step == info.spec.train.steps
        for profile in profiles:
            assert {len(c) for c in profile.values.values()} == {layers, blocks}
