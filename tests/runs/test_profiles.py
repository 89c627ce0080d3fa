"""Profiles in the store: written as measured, read as they come, gone with their run."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace

import pytest

from resnet_viz.layers import blocks_of, weighted_layers
from resnet_viz.records import BLOCK_COLUMNS, LAYER_COLUMNS, PROFILE_COLUMNS, Profile
from resnet_viz.runs.profile_reader import ProfileReader
from resnet_viz.runs.profile_tables import profiles_csv, profiles_json
from resnet_viz.runs.queue import Claim, Queue
from resnet_viz.runs.schema import LostClaim
from resnet_viz.runs.store import RunStore
from resnet_viz.specs import SpecError
from tests.runs.making import make_queue, net_profile, tiny_sweep, training_record


@pytest.fixture
def sweep_id(store: RunStore) -> str:
    spec = tiny_sweep(families=("plain", "resnet"))
    return store.create_sweep(spec, name="s", device="cuda", probe_every=7)


def claimed(store: RunStore) -> tuple[Queue, list[Claim]]:
    queue = make_queue(store, device="cuda")
    return queue, queue.claim()


def profile_of(claim: Claim, step: int) -> Profile:
    return net_profile(claim.spec.net, step)


def stored(store: RunStore, claim: Claim) -> list[Profile]:
    return [profile for _run, profile in store.profiles_since([claim.run_id])[0]]


@pytest.mark.usefixtures("sweep_id")
def test_profiles_come_back_as_they_were_written(store: RunStore) -> None:
    queue, (plain, resnet) = claimed(store)
    queue.append([(plain, [training_record(1), profile_of(plain, 1)])])
    queue.append([(resnet, [profile_of(resnet, 1)]), (plain, [profile_of(plain, 8)])])
    ids = [plain.run_id, resnet.run_id]
    found, row = store.profiles_since(ids)
    assert found == [
        (plain.run_id, profile_of(plain, 1)),
        (resnet.run_id, profile_of(resnet, 1)),
        (plain.run_id, profile_of(plain, 8)),
    ]
    assert "sum_norm" not in found[0][1].values
    assert store.profiles_since(ids, row) == ([], row)
    queue.append([(resnet, [profile_of(resnet, 8)])])
    assert store.profiles_since(ids, row)[0] == [(resnet.run_id, profile_of(resnet, 8))]
    (record,) = store.records_since(ids)[0]
    assert record == (plain.run_id, training_record(1))


@pytest.mark.usefixtures("sweep_id")
def test_what_was_not_finite_comes_back_as_nan(store: RunStore) -> None:
    queue, (claim, _) = claimed(store)
    profile = profile_of(claim, 1)
    values = (math.nan, math.inf, *profile.values["update_ratio"][2:])
    written = replace(profile, values={**profile.values, "update_ratio": values})
    queue.append([(claim, [written])])
    (found,) = stored(store, claim)
    assert [math.isnan(v) for v in found.values["update_ratio"][:3]] == [True, True, False]
    assert found.values["gradient_norm"] == profile.values["gradient_norm"]


@pytest.mark.usefixtures("sweep_id")
def test_the_interval_is_the_claims_and_a_wrong_one_is_refused(store: RunStore) -> None:
    _, claims = claimed(store)
    assert [claim.probe_every for claim in claims] == [7, 7]
    for wrong in (-1, 1.5, None):
        with pytest.raises(SpecError, match="probe_every"):
            store.create_sweep(tiny_sweep(), name="s", probe_every=wrong)  # type: ignore[arg-type]
    assert len(store.sweeps()) == 1


def test_a_rewind_takes_later_profiles_back_and_the_size_follows(
    store: RunStore, sweep_id: str
) -> None:
    queue, (claim, _) = claimed(store)
    empty = store.sweep(sweep_id).size_bytes
    queue.append([(claim, [profile_of(claim, 1)])])
    one = store.sweep(sweep_id).size_bytes
    layers, blocks = 8, 3
    numbers = len(LAYER_COLUMNS) * layers + (len(BLOCK_COLUMNS) - 1) * blocks
    assert 4 * numbers < one - empty < 4 * numbers + 200
    queue.record_checkpoint(claim, 1, 0)
    queue.append([(claim, [profile_of(claim, 8), profile_of(claim, 15)])])
    assert store.sweep(sweep_id).size_bytes == 3 * one - 2 * empty
    queue.finish(claim, "queued")
    (again,) = queue.claim()
    assert stored(store, again) == [profile_of(claim, 1)]
    assert store.sweep(sweep_id).size_bytes == one
    with pytest.raises(LostClaim):
        queue.append([(claim, [profile_of(claim, 8)])])
    queue.append([(again, [profile_of(claim, 8)])])
    assert [p.step for p in stored(store, again)] == [1, 8]


def test_profiles_go_with_their_sweep(store: RunStore, sweep_id: str) -> None:
    queue, claims = claimed(store)
    for claim in claims:
        queue.append([(claim, [profile_of(claim, 1)])])
        queue.finish(claim, "done")
    store.delete_sweep(sweep_id)
    with store.database.read() as db:
        assert db.execute("SELECT count(*) FROM profiles").fetchone()[0] == 0


def test_a_reader_reads_what_is_new_and_starts_again_after_a_claim(
    store: RunStore, sweep_id: str
) -> None:
    reader = ProfileReader(store, sweep_id)
    queue, (plain, resnet) = claimed(store)
    queue.append([(plain, [profile_of(plain, 1)]), (resnet, [profile_of(resnet, 1)])])
    assert [found for _, found in reader.refresh()] == [
        [profile_of(plain, 1)],
        [profile_of(resnet, 1)],
    ]
    queue.append([(resnet, [profile_of(resnet, 8)])])
    found = reader.refresh()
    assert [run.id for run, _ in found] == [plain.run_id, resnet.run_id]
    assert [p.step for p in found[1][1]] == [1, 8]
    assert reader.refresh() == found
    queue.finish(resnet, "queued")  # without a checkpoint: its next claim starts again
    (again,) = queue.claim()
    assert [len(p) for _, p in reader.refresh()] == [1, 0]
    queue.append([(again, [profile_of(resnet, 1)])])
    assert [len(p) for _, p in reader.refresh()] == [1, 1]


def test_tables_hold_every_number_beside_its_layer_or_block(store: RunStore, sweep_id: str) -> None:
    queue, claims = claimed(store)
    for claim in claims:
        queue.append([(claim, [profile_of(claim, 1), profile_of(claim, 8)])])
    runs = ProfileReader(store, sweep_id).refresh()
    lines = list(csv.DictReader(io.StringIO(profiles_csv(runs))))
    assert len(lines) == 2 * 2 * (8 + 3)
    assert {(x["family"], x["depth"], x["seed"]) for x in lines} == {
        ("plain", "8", "0"),
        ("resnet", "8", "0"),
    }
    values = json.loads(json.dumps(profiles_json(runs, "a sweep"), allow_nan=False))
    for claim, run in zip(claims, values["runs"], strict=True):
        net = claim.spec.net
        names = {
            "layer": [(x.module, x.stage) for x in weighted_layers(net)],
            "block": [(x.module, x.stage) for x in blocks_of(net)],
        }
        assert [(x["name"], x["stage"]) for x in run["layers"]] == names["layer"]
        assert [(x["name"], x["stage"]) for x in run["blocks"]] == names["block"]
        for profile, shown in zip(stored(store, claim), run["profiles"], strict=True):
            assert shown == {
                "step": profile.step,
                **{name: list(column) for name, column in profile.values.items()},
            }
            own = [
                x for x in lines if (x["run"], x["step"]) == (str(claim.run_id), str(profile.step))
            ]
            for kind, columns in (("layer", LAYER_COLUMNS), ("block", BLOCK_COLUMNS)):
                found = [x for x in own if x["kind"] == kind]
                assert [int(x["number"]) for x in found] == list(range(1, len(found) + 1))
                assert [(x["name"], int(x["stage"])) for x in found] == names[kind]
                for column in PROFILE_COLUMNS:
                    numbers = profile.values.get(column) if column in columns else None
                    expected = [""] * len(found) if numbers is None else list(map(str, numbers))
                    assert [x[column] for x in found] == expected
