"""Runs that start from kept weights: trained, exported, imported, deleted, written as scripts."""

import json
import zipfile
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from resnet_viz.nets.build import build_net
from resnet_viz.nets.start_files import start_path
from resnet_viz.nets.starts import write_start
from resnet_viz.runs.archive import ArchiveError, export_sweep, import_archive
from resnet_viz.runs.session import Session
from resnet_viz.runs.store import RunStore
from resnet_viz.scripts.write import write_script
from resnet_viz.specs import DataSpec, NetSpec, RunSpec, TrainSpec
from resnet_viz.sweeps import SweepSpec
from tests.runs.making import make_queue
from tests.training.test_starts import FLOAT32

NET = NetSpec("resnet", 8, width=4)
DATA, RECIPE = DataSpec("digits", image_size=8), TrainSpec(steps=3, batch_size=16)


def sweep_from(seed):
    """A sweep of a run from kept weights and one from random ones."""
    torch.manual_seed(seed)
    run = RunSpec(NET, DATA, RECIPE, write_start(build_net(NET, 10, 1)))
    given = (run, replace(run, start=None))
    return SweepSpec(("resnet",), (8,), DATA, RECIPE, width=4, given=given), run.start


def finish(store):
    """Train what waits, here."""
    queue = make_queue(store)
    while claims := queue.claim():
        Session(queue, claims, FLOAT32, lambda: False).train()


@pytest.fixture
def store(home):
    return RunStore(home)


def test_a_worker_trains_it_and_says_when_its_start_is_gone(store):
    sweep, start = sweep_from(1)
    sweep_id = store.create_sweep(sweep, name="a")
    finish(store)
    assert [run.status for run in store.runs(sweep_id)] == ["done", "done"]
    assert [run.spec.start for run in store.runs(sweep_id)] == [start, None]
    sweep, start = sweep_from(2)
    other = store.create_sweep(sweep, name="b")
    start_path(start).unlink()
    finish(store)
    failed, done = store.runs(other)
    assert (failed.status, done.status) == ("failed", "done")
    assert "are gone" in failed.error


def test_an_archive_carries_the_start_and_another_computer_trains_from_it(store, tmp_path):
    sweep, start = sweep_from(1)
    file = tmp_path / "sweep.zip"
    export_sweep(store, store.create_sweep(sweep, name="a"), file)
    with zipfile.ZipFile(file) as archive:
        assert json.loads(archive.read("manifest.json"))["starts"] == [start]
    there = RunStore(tmp_path / "there")
    imported = import_archive(there, file)
    assert there.sweep(imported).spec == sweep
    kept = start_path(start, there.home)
    assert kept.read_bytes() == start_path(start).read_bytes()


def rewritten(file, target, change):
    """An archive whose members went through `change(name, data)`."""
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            changed = change(name, old.read(name))
            if changed is not None:
                new.writestr(name, changed)
    return target


def changed_start(name, data):
    return data[:-1] + b"x" if name.startswith("starts/") else data


def without_start(name, data):
    return None if name.startswith("starts/") else data


def foreign_start(name, data):
    values = json.loads(data) if name == "manifest.json" else None
    return json.dumps(values | {"starts": ["../../x"]}) if values else data


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed_start, "starts are damaged"),
        (without_start, "not those that its manifest names"),
        (foreign_start, "no run of it starts"),
    ],
)
def test_a_start_that_is_not_what_it_says_does_not_get_in(store, tmp_path, change, message):
    sweep, _start = sweep_from(1)
    file = tmp_path / "sweep.zip"
    export_sweep(store, store.create_sweep(sweep, name="a"), file)
    there = RunStore(tmp_path / "there")
    with pytest.raises(ArchiveError, match=message):
        import_archive(there, rewritten(file, tmp_path / "bad.zip", change))
    assert there.sweeps() == []
    assert not list((there.home / "starts").glob("*"))


def test_a_start_goes_with_the_last_sweep_that_has_it(store):
    sweep, start = sweep_from(1)
    first, second = (store.create_sweep(sweep, name=name) for name in "ab")
    unused = start_path(sweep_from(2)[1])  # somebody may be about to start from it
    for sweep_id in (first, second):
        store.request_stop(run.id for run in store.runs(sweep_id))
    store.delete_sweep(first)
    assert start_path(start).is_file()
    store.delete_sweep(second)
    assert not start_path(start).exists()
    assert unused.is_file()


def test_its_script_begins_with_the_same_weights(store, tmp_path, monkeypatch):
    sweep, start = sweep_from(1)
    run, random = sweep.given
    text = write_script(run)
    assert f'START = "{start}.safetensors"' in text
    assert "safetensors" not in write_script(random)
    assert f'RunSpec(net, data, recipe, start="{start}")' in text
    (tmp_path / f"{start}.safetensors").write_bytes(start_path(start).read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["script", "--steps", "0", "--device", "cpu"])
    exec(compile(text, "script.py", "exec"), {"__name__": "__main__"})
    (weights,) = tmp_path.glob("*.pt")
    saved = torch.load(weights, weights_only=True)
    for name, value in load_file(start_path(start)).items():
        assert torch.equal(saved[name], value), name
