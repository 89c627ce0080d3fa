"""Archives: what goes out comes back; what somebody else made up does not get in."""

from __future__ import annotations

import io
import json
import math
import random
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from resnet_viz.records import BLOCK_COLUMNS, LAYER_COLUMNS, PROBE_EVERY, Profile, Record
from resnet_viz.runs.archive import ArchiveError, export_sweep, import_archive
from resnet_viz.runs.store import RunStore, UnknownSweepError
from resnet_viz.runs.tables import report, sweep_csv, sweep_json
from resnet_viz.specs import DataSpec, NetSpec
from tests.runs.making import (
    evaluation_record,
    make_queue,
    net_profile,
    speed_record,
    tiny_sweep,
    training_record,
)

Members = dict[str, bytes]


SWEEP = tiny_sweep(depths=(8, 14, 20))


def safetensors_bytes(step: int, spec: object = SWEEP.runs()[0].to_dict(), **changes: Any) -> bytes:
    """A checkpoint as its format says, written without the library."""
    meta = {"schema": 1, "step": step, "spec": spec}
    header: dict[str, Any] = {
        "__metadata__": {"resnet_viz": json.dumps(meta)},
        "net.a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "net.b": {"dtype": "I64", "shape": [], "data_offsets": [24, 32]},
    }
    header |= changes
    text = json.dumps({k: v for k, v in header.items() if v is not None}).encode()
    return struct.pack("<Q", len(text)) + text + bytes(range(32))


def broken_profile(net: NetSpec) -> Profile:
    """One with numbers at the ends of what a float32 holds, and one that is none."""
    profile = net_profile(net, 1)
    ends = (math.nan, 0.0, 2.0**-149, 3.0 * 2.0**126)
    ratios = (*ends, *profile.values["update_ratio"][len(ends) :])
    return replace(profile, values={**profile.values, "update_ratio": ratios})


@pytest.fixture
def sweep_id(store: RunStore) -> str:
    """A sweep of three runs: done with a checkpoint, failed, and still running."""
    sweep_id = store.create_sweep(SWEEP, name="Mine", device="cuda", probe_every=5)
    queue = make_queue(store, device="cuda")
    done, failed, running = queue.claim()
    records = [training_record(s, 1 / s) for s in range(1, 41)]
    records += [evaluation_record(40, 1 / 7), speed_record(40, 1.5)]
    queue.begin(done, dtype="bfloat16", version="v 1")
    queue.append([(done, records), (failed, records[:3]), (running, records[:5])])
    profiles = [net_profile(done.spec.net, step) for step in (1, 11, 40)]
    queue.append([(done, profiles), (failed, [broken_profile(failed.spec.net)])])
    path = store.checkpoint_path(done.run_id, 40)
    path.parent.mkdir(parents=True)
    path.write_bytes(safetensors_bytes(40))
    queue.record_checkpoint(done, 40, path.stat().st_size)
    queue.finish(done, "done")
    queue.finish(failed, "failed", "Traceback: <b>no</b>")
    return sweep_id


@pytest.fixture
def archive(store: RunStore, sweep_id: str) -> bytes:
    file = io.BytesIO()
    export_sweep(store, sweep_id, file)
    return file.getvalue()


def members_of(archive: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        return {name: file.read(name) for name in file.namelist()}


def zipped(members: Members) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in members.items():
            out.writestr(name, data)
    file.seek(0)
    return file


def contents(store: RunStore) -> tuple[object, ...]:
    """Everything that an import could have changed."""
    files = sorted(p for p in store.home.rglob("*") if p.is_file() and "sqlite3" not in p.name)
    runs = store.runs()
    ids = [run.id for run in runs]
    written = store.records_since(ids), store.profiles_since(ids)
    return store.sweeps(), runs, written, files


def assert_same_profiles(store: RunStore, before: int, after: int) -> None:
    old, new = (store.profiles_since([run])[0] for run in (before, after))
    for (_, a), (_, b) in zip(old, new, strict=True):
        assert (a.step, a.values.keys()) == (b.step, b.values.keys())
        for name, column in a.values.items():
            assert b.values[name] == pytest.approx(column, rel=0, abs=0, nan_ok=True)


def test_what_goes_out_comes_back(store: RunStore, sweep_id: str, archive: bytes) -> None:
    new_id = import_archive(store, io.BytesIO(archive))
    assert new_id != sweep_id
    new, old = store.sweep(new_id), store.sweep(sweep_id)
    assert (new.name, new.spec, new.imported) == ("Mine", old.spec, True)
    pairs = list(zip(store.runs(sweep_id), store.runs(new_id), strict=True))
    for before, after in pairs:
        assert store.history(after.id) == store.history(before.id)
        assert_same_profiles(store, before.id, after.id)
        for name in ("spec", "step", "running_error", "test_error", "seconds", "dtype", "error"):
            assert getattr(after, name) == getattr(before, name)
    assert [after.status for _, after in pairs] == ["done", "failed", "stopped"]
    assert new.size_bytes == old.size_bytes
    done = pairs[0][1]
    assert done.checkpoint_step == 40
    assert store.checkpoint_path(done.id, 40).read_bytes() == safetensors_bytes(40)


def test_another_computer_can_import_it_and_resume_there(archive: bytes, tmp_path: Path) -> None:
    other = RunStore(tmp_path / "other")
    sweep_id = import_archive(other, io.BytesIO(archive))
    failed = other.runs(sweep_id)[1]
    other.resume([failed.id])
    (claim,) = make_queue(other).claim()  # on its CPU, though it began on a GPU elsewhere
    assert (claim.run_id, claim.probe_every) == (failed.id, 5)


def test_an_archive_without_profiles_of_the_version_before_comes_in(
    store: RunStore, archive: bytes
) -> None:
    members = {n: d for n, d in members_of(archive).items() if not n.startswith("profiles/")}
    manifest = json.loads(members["manifest.json"])
    for run in manifest["runs"]:
        del run["probe_every"]
    members["manifest.json"] = json.dumps({**manifest, "schema": 1}).encode()
    runs = store.runs(import_archive(store, zipped(members)))
    assert [run.step for run in runs] == [40, 3, 5]
    assert store.profiles_since(run.id for run in runs) == ([], 0)
    store.resume([runs[1].id])
    (claim,) = make_queue(store).claim()
    assert claim.probe_every == PROBE_EVERY


def test_what_a_dead_net_says_again_and_again_is_no_bomb(store: RunStore) -> None:
    sweep_id = store.create_sweep(tiny_sweep(300, depths=(1202,)), name="Dead", device="cuda")
    queue = make_queue(store, device="cuda")
    (claim,) = queue.claim()
    same = net_profile(claim.spec.net, 1)
    values = {name: (0.0,) * len(column) for name, column in same.values.items()}
    queue.append([(claim, [Profile(step, values) for step in range(1, 301)])])
    file = io.BytesIO()
    export_sweep(store, sweep_id, file)
    (run,) = store.runs(import_archive(store, file))
    assert len(store.profiles_since([run.id])[0]) == 300


def test_a_sweep_that_is_not_there_cannot_go_out(store: RunStore, tmp_path: Path) -> None:
    with pytest.raises(UnknownSweepError):
        export_sweep(store, "nothing", tmp_path / "x.zip")


def change_manifest(**changes: Any) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        manifest = json.loads(members["manifest.json"])
        members["manifest.json"] = json.dumps({**manifest, **changes}).encode()

    return change


def change_run(**changes: Any) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        manifest = json.loads(members["manifest.json"])
        manifest["runs"][0] |= changes
        members["manifest.json"] = json.dumps(manifest).encode()

    return change


def change_spec(part: str, name: str, value: Any) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        manifest = json.loads(members["manifest.json"])
        manifest["runs"][1]["spec"][part][name] = value
        members["manifest.json"] = json.dumps(manifest).encode()

    return change


def repeat_first_spec(members: Members) -> None:
    manifest = json.loads(members["manifest.json"])
    manifest["runs"][1]["spec"] = manifest["runs"][0]["spec"]
    members["manifest.json"] = json.dumps(manifest).encode()


def put(name: str, data: bytes) -> Callable[[Members], None]:
    return lambda members: members.update({name: data})


def record_line(**changes: Any) -> bytes:
    record = {"kind": "training", "step": 1, "values": {"lr": 0.1}} | changes
    return json.dumps(record).encode()


def profile_line(step: Any = 1, **changes: Any) -> bytes:
    """A line for the first run, plain-8."""
    values = {c: [0.5] * 8 for c in LAYER_COLUMNS}
    values |= {c: [0.5] * 3 for c in BLOCK_COLUMNS if c != "sum_norm"}
    values = {k: v for k, v in {**values, **changes}.items() if v != "left out"}
    return json.dumps({"step": step, "values": values}).encode()


DEEP = b"[" * 100_000
BAD: dict[str, Callable[[Members], None]] = {
    "no manifest": lambda members: members.pop("manifest.json") and None,
    "manifest is not JSON": put("manifest.json", b"{"),
    "manifest is deep": put("manifest.json", DEEP),
    "manifest is a list": put("manifest.json", b"[]"),
    "manifest is not text": put("manifest.json", b"\xff\xfe\x00"),
    "other format": change_manifest(format="something"),
    "newer schema": change_manifest(schema=4),
    "no schema": change_manifest(schema=None),
    "no name": change_manifest(name=""),
    "name is a number": change_manifest(name=3),
    "no runs": change_manifest(runs=[]),
    "runs are numbers": change_manifest(runs=[1, 2]),
    "too many runs": change_manifest(runs=[{}] * 100_000),
    "bad sweep": change_manifest(spec={"families": ["plain"], "depths": [21]}),
    "sweep of lists": change_manifest(spec={"families": [["plain"]], "depths": [{}]}),
    "sweep is a text": change_manifest(spec="quick"),
    "bad spec": change_run(spec={"net": {"family": "plain", "depth": 21}, "data": {}}),
    "spec with unknown field": change_run(spec={"net": {}, "evil": 1}),
    "unknown status": change_run(status="happy"),
    "status is a list": change_run(status=["done"]),
    "unknown device": change_run(device="../../cpu"),
    "device is a list": change_run(device=[]),
    "run of another sweep": change_spec("train", "lr", 0.5),
    "run twice": repeat_first_spec,
    "threads": change_run(threads=10**9),
    "too many threads": change_run(threads=257),
    "no threads": change_run(threads=0),
    "negative seconds": put("records/0.jsonl", record_line(kind="speed", values={"seconds": -1})),
    "endless seconds": put("records/0.jsonl", record_line(kind="speed", values={"seconds": 1e299})),
    "negative speed": put(
        "records/0.jsonl", record_line(kind="speed", values={"images_per_second": -0.5})
    ),
    "long record": put("records/0.jsonl", record_line() + b" " * 5000),
    "threads are a truth": change_run(threads=True),
    "huge checkpoint step": change_run(checkpoint_step=10**30),
    "negative checkpoint step": change_run(checkpoint_step=-1),
    "checkpoint of another step": change_run(checkpoint_step=39),
    "error is a number": change_run(error=5),
    "traversal": put("../../evil.txt", b"x"),
    "absolute path": put("/etc/evil", b"x"),
    "unknown member": put("records/99.jsonl", b""),
    "folder": put("records/", b""),
    "records missing": lambda members: members.pop("records/1.jsonl") and None,
    "checkpoint missing": lambda members: members.pop("checkpoints/0.safetensors") and None,
    "record is not JSON": put("records/0.jsonl", b"{"),
    "record is deep": put("records/0.jsonl", DEEP),
    "record is a list": put("records/0.jsonl", b"[1]"),
    "unknown kind": put("records/0.jsonl", record_line(kind="gradients")),
    "kind is a list": put("records/0.jsonl", record_line(kind=[])),
    "unknown column": put("records/0.jsonl", record_line(values={"evil; DROP TABLE": 1})),
    "column of another kind": put("records/0.jsonl", record_line(values={"train_error": 0.1})),
    "NaN": put("records/0.jsonl", record_line(values={"lr": float("nan")})),
    "infinity": put("records/0.jsonl", record_line(values={"lr": float("inf")})),
    "infinite decimal": put("records/0.jsonl", record_line().replace(b"0.1", b"1e999")),
    "huge whole number": put("records/0.jsonl", record_line(values={"lr": 10**400})),
    "number of 10,000 digits": put("records/0.jsonl", record_line().replace(b"0.1", b"9" * 10_000)),
    "text for a number": put("records/0.jsonl", record_line(values={"lr": "0.1"})),
    "truth for a number": put("records/0.jsonl", record_line(values={"lr": True})),
    "error over 1": put("records/0.jsonl", record_line(values={"running_error": 1.5})),
    "huge step": put("records/0.jsonl", record_line(step=10**30)),
    "step past the recipe": put("records/0.jsonl", record_line(step=41)),
    "negative step": put("records/0.jsonl", record_line(step=-1)),
    "step is a fraction": put("records/0.jsonl", record_line(step=1.5)),
    "a step twice": put("records/0.jsonl", record_line() + b"\n" + record_line()),
    "descending steps": put("records/0.jsonl", record_line(step=2) + b"\n" + record_line()),
}
BAD |= {
    f"profile: {name}": put("profiles/0.jsonl", data)
    for name, data in {
        "not JSON": b"{",
        "deep": DEEP,
        "a list": b"[1]",
        "values are a list": b'{"step": 1, "values": [1]}',
        "too few layers": profile_line(gradient_norm=[0.5] * 7),
        "too many blocks": profile_line(response_std=[0.5] * 4),
        "a column is a number": profile_line(weight_norm=0.5),
        "a column is missing": profile_line(weight_norm="left out"),
        "sum of a plain net": profile_line(sum_norm=[0.5] * 3),
        "unknown column": profile_line(evil=[0.5] * 3),
        "negative": profile_line(weight_norm=[-0.5] * 8),
        "NaN": profile_line(weight_norm=[float("nan")] * 8),
        "infinity": profile_line(weight_norm=[float("inf")] * 8),
        "more than a float32 holds": profile_line(weight_norm=[3.41e38] * 8),
        "huge whole number": profile_line(weight_norm=[10**400] * 8),
        "text": profile_line(weight_norm=["0.5"] * 8),
        "truth": profile_line(weight_norm=[True] * 8),
        "list in a list": profile_line(weight_norm=[[0.5]] * 8),
        "step 0": profile_line(0),
        "step past the recipe": profile_line(41),
        "step is a fraction": profile_line(1.5),
        "a step twice": profile_line(3) + b"\n" + profile_line(3),
        "long": profile_line() + b" " * 10_000,
    }.items()
}
BAD |= {
    "interval of profiles": change_run(probe_every=-1),
    "endless interval of profiles": change_run(probe_every=10**12),
    "interval of profiles is a text": change_run(probe_every="10"),
    "profiles missing": lambda members: members.pop("profiles/1.jsonl") and None,
    "profiles in an old archive": change_manifest(schema=1),
}
BAD |= {
    f"checkpoint: {name}": put("checkpoints/0.safetensors", data)
    for name, data in {
        "empty": b"",
        "no safetensors": b"hello world, this is no checkpoint",
        "huge header": struct.pack("<Q", 2**63) + b"{}",
        "header past the end": struct.pack("<Q", 1000) + b"{}",
        "header is a list": struct.pack("<Q", 2) + b"[]",
        "truncated": safetensors_bytes(40)[:-1],
        "too long": safetensors_bytes(40) + b"x",
        "not ours": safetensors_bytes(40, __metadata__={"format": "pt"}),
        "no metadata": safetensors_bytes(40, __metadata__=None),
        "step missing": safetensors_bytes(40, __metadata__={"resnet_viz": "{}"}),
        "overlap": safetensors_bytes(
            40, **{"net.b": {"dtype": "I64", "shape": [], "data_offsets": [16, 24]}}
        ),
        "hole": safetensors_bytes(40, **{"net.b": None}),
        "offsets descend": safetensors_bytes(
            40, **{"net.b": {"dtype": "I64", "shape": [], "data_offsets": [32, 24]}}
        ),
        "shape does not fit": safetensors_bytes(
            40, **{"net.b": {"dtype": "I64", "shape": [2], "data_offsets": [24, 32]}}
        ),
        "negative shape": safetensors_bytes(
            40, **{"net.b": {"dtype": "I64", "shape": [-1, -1], "data_offsets": [24, 32]}}
        ),
        "shape overflows": safetensors_bytes(
            40, **{"net.b": {"dtype": "I64", "shape": [2**40] * 8, "data_offsets": [24, 32]}}
        ),
        "unknown type": safetensors_bytes(
            40, **{"net.b": {"dtype": "OBJ", "shape": [], "data_offsets": [24, 32]}}
        ),
        "tensor is a number": safetensors_bytes(40, **{"net.b": 5}),
        "of another run": safetensors_bytes(40, SWEEP.runs()[1].to_dict()),
        "of other images": safetensors_bytes(
            40, {**SWEEP.runs()[0].to_dict(), "data": {"name": "folder", "folder": "/home"}}
        ),
        "of no run": safetensors_bytes(40, None),
    }.items()
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_not_as_it_must_be_is_refused_and_changes_nothing(
    store: RunStore, archive: bytes, name: str
) -> None:
    members = members_of(archive)
    BAD[name](members)
    before = contents(store)
    with pytest.raises(ArchiveError, match="Nothing was changed"):
        import_archive(store, zipped(members))
    assert contents(store) == before
    assert not list((store.home / "checkpoints").glob(".import-*"))


def test_broken_files_are_refused_and_change_nothing(store: RunStore, archive: bytes) -> None:
    before = contents(store)
    draw = random.Random(0)
    broken = [b"", b"PK", b"GIF89a" * 100, archive[:-1], archive[: len(archive) // 2]]
    for _ in range(60):
        data = bytearray(archive)
        for _ in range(draw.randint(1, 20)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        broken.append(bytes(data))
    refused = 0
    for data in broken:
        try:
            import_archive(store, io.BytesIO(data))
        except ArchiveError:
            refused += 1
    # A changed byte may hit what a zip repeats, or a comment: then all of it is in.
    added = len(store.sweeps()) - 1
    assert refused + added == len(broken)
    assert refused >= 5
    assert store.runs()[:3] == before[1]
    assert len(store.runs()) == 3 * (1 + added)


def test_a_bomb_is_refused_by_its_size_before_it_is_unpacked(
    store: RunStore, archive: bytes
) -> None:
    members = members_of(archive) | {"records/0.jsonl": b" " * (100 << 20)}
    file = zipped(members)
    assert len(file.getvalue()) < 1 << 20
    with pytest.raises(ArchiveError, match="too large"):
        import_archive(store, file)


def folder_archive(folder: str, tmp_path: Path) -> io.BytesIO:
    """What a store exports whose sweep reads a folder of images."""
    other = RunStore(tmp_path / "other")
    sweep = replace(tiny_sweep(), data=DataSpec("folder", folder=folder, image_size=16))
    file = io.BytesIO()
    export_sweep(other, other.create_sweep(sweep, name="Mine"), file)
    return file


@pytest.mark.parametrize(
    "folder",
    ["/home/me/cats", "../cats", "a/../../cats", "C:\\cats", "a\\..\\b", "\\\\pc\\x", "~/x"],
)
def test_a_folder_elsewhere_on_the_computer_is_refused(
    store: RunStore, tmp_path: Path, folder: str
) -> None:
    with pytest.raises(ArchiveError, match="choose the folder again"):
        import_archive(store, folder_archive(folder, tmp_path))
    assert not store.sweeps()


@pytest.mark.parametrize("folder", ["cats", "animals/cats", "cats..dogs"])
def test_a_folder_under_the_data_folder_comes_in(
    store: RunStore, tmp_path: Path, folder: str
) -> None:
    sweep_id = import_archive(store, folder_archive(folder, tmp_path))
    assert store.sweep(sweep_id).spec.data.folder == folder


def test_records_are_counted_while_they_are_read(
    store: RunStore, archive: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resnet_viz.runs.archive.MAX_RECORDS", 42)
    monkeypatch.setattr("resnet_viz.runs.archive.MAX_TOTAL_RECORDS", 50)
    import_archive(store, io.BytesIO(archive))  # 42, 3 and 5 records
    for name, most in (("MAX_TOTAL_RECORDS", 49), ("MAX_RECORDS", 41)):
        monkeypatch.setattr(f"resnet_viz.runs.archive.{name}", most)
        with pytest.raises(ArchiveError, match="too many"):
            import_archive(store, io.BytesIO(archive))
        monkeypatch.setattr(f"resnet_viz.runs.archive.{name}", 50)


def test_the_line_of_the_bad_profiles_is_itself_good(store: RunStore, archive: bytes) -> None:
    members = members_of(archive)
    put("profiles/0.jsonl", profile_line(2) + b"\n" + profile_line(40))(members)
    first = store.runs(import_archive(store, zipped(members)))[0]
    found = [profile for _run, profile in store.profiles_since([first.id])[0]]
    assert [profile.step for profile in found] == [2, 40]
    assert found[0].values["weight_norm"] == (0.5,) * 8


def test_profiles_that_are_too_large_are_refused(
    store: RunStore, archive: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = sum(len(d) for n, d in members_of(archive).items() if n.startswith("profiles/"))
    monkeypatch.setattr("resnet_viz.runs.archive.MAX_PROFILES_BYTES", size - 1)
    with pytest.raises(ArchiveError, match="profiles are too large"):
        import_archive(store, io.BytesIO(archive))
    monkeypatch.setattr("resnet_viz.runs.archive.MAX_PROFILES_BYTES", size)
    import_archive(store, io.BytesIO(archive))


def test_a_member_that_lies_about_its_size_is_refused(store: RunStore, archive: bytes) -> None:
    members = members_of(archive)
    data = bytearray(zipped(members).getvalue())
    size = struct.pack("<I", len(members["records/0.jsonl"]))
    at = data.index(b"PK\x01\x02")  # the central directory's first entry: records/0.jsonl
    assert data[at + 24 : at + 28] == size
    data[at + 24 : at + 28] = struct.pack("<I", 10)
    with pytest.raises(ArchiveError):
        import_archive(store, io.BytesIO(bytes(data)))


def test_a_name_twice_is_refused(store: RunStore, archive: bytes) -> None:
    file = zipped(members_of(archive))
    with zipfile.ZipFile(file, "a") as out, pytest.warns(UserWarning, match="Duplicate"):
        out.writestr("manifest.json", b"{}")
    with pytest.raises(ArchiveError):
        import_archive(store, file)


def test_texts_stay_texts_and_names_stay_short(store: RunStore, archive: bytes) -> None:
    members = members_of(archive)
    change_manifest(name="<script>\n" + "x" * 10_000 + "\ud800")(members)
    change_run(error="e" * 100_000 + "\ud800", version="v" * 1000)(members)
    sweep_id = import_archive(store, zipped(members))
    name = store.sweep(sweep_id).name
    assert name.startswith("<script> xxx")
    assert len(name) <= 200
    run = store.runs(sweep_id)[0]
    assert len(run.error or "") <= 20_000
    assert len(run.version or "") <= 200


def test_tables_hold_every_record(store: RunStore, sweep_id: str) -> None:
    lines = sweep_csv(store, sweep_id).splitlines()
    assert len(lines) == 1 + 42 + 3 + 5
    header, first = lines[0].split(","), lines[1].split(",")
    row = dict(zip(header, first, strict=True))
    assert (row["family"], row["depth"], row["kind"], row["step"]) == (
        "plain",
        "8",
        "training",
        "1",
    )
    assert (row["running_error"], row["test_error"]) == ("1.0", "")
    values = json.loads(json.dumps(sweep_json(store, sweep_id), allow_nan=False))
    first_run = values["runs"][0]
    assert first_run["spec"]["train"]["batch_size"] == 32
    found = [
        Record(r.pop("kind"), r.pop("step"), r) for run in values["runs"] for r in run["records"]
    ]
    assert found[40] == evaluation_record(40, 1 / 7)
    assert len(found) == 42 + 3 + 5


def test_the_report_is_what_the_command_line_promises(store: RunStore, sweep_id: str) -> None:
    values = json.loads(json.dumps(report(store, sweep_id), allow_nan=False))
    assert values["device"] == "cuda"
    run = values["runs"][0]
    assert run.keys() >= {
        *("spec", "status", "running_error", "train_error", "test_error"),
        *("seconds", "images_per_second"),
    }
    assert run["spec"].keys() == {"net", "data", "train", "start"}
    assert (run["status"], run["test_error"], run["seconds"]) == ("done", 1 / 7, 1.5)
