"""What a person types, and the net that is meant."""

import os

import pytest

from resnet_viz.nets.imagenet_files import NETS
from resnet_viz.runs.own_nets import keep_own_net
from resnet_viz.runs.sources import find_source, list_runs, run_source
from resnet_viz.runs.store import RunStore
from resnet_viz.sources import Source
from resnet_viz.specs import RunSpec, SpecError
from resnet_viz.sweeps import PRESETS

BUNDLED = ("plain-20", "resnet-20", "plain-56", "resnet-56")


@pytest.fixture(autouse=True)
def _bundled(monkeypatch):
    monkeypatch.setattr("resnet_viz.runs.sources.bundled_names", lambda: BUNDLED)


@pytest.fixture
def finished(store: RunStore) -> RunStore:
    """The quick sweep; its first run has ended at step 300 and has kept steps 1 and 30."""
    store.create_sweep(PRESETS["quick"], name="mine")
    with store.database.write() as db:
        db.execute("UPDATE runs SET status = 'done', checkpoint_step = 300 WHERE id = 1")
        for step in (1, 30):
            db.execute("INSERT INTO checkpoints (run_id, step, bytes) VALUES (1, ?, 5)", (step,))
    for step in (1, 30, 300):
        path = store.kept_folder(1) / f"{step}.safetensors"
        if step == 300:
            path = store.checkpoint_path(1, step)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * step)
    return store


def test_a_bundled_net_is_its_name(store):
    assert find_source(store, " resnet-56 ") == Source("bundled", "resnet-56")


def test_a_run_is_its_newest_net_or_the_one_of_a_step(finished):
    newest, early = find_source(finished, "run:1"), find_source(finished, "run:1@30")
    assert (newest.name, newest.step) == ("run:1@300", 300)
    assert newest.path == str(finished.checkpoint_path(1, 300))
    assert (early.name, early.step) == ("run:1@30", 30)
    assert early.path == str(finished.kept_path(1, 30))
    assert RunSpec.from_json(early.spec) == PRESETS["quick"].runs()[0]
    assert run_source(finished, finished.runs()[0], 30) == early


def test_only_runs_with_a_net_are_listed(finished):
    (stored,) = list_runs(finished)
    assert (stored.run.id, stored.sweep, stored.steps) == (1, "mine", (1, 30, 300))


def test_imagenet_nets_are_named_as_torchvision_does(store):
    for name in NETS:
        source = find_source(store, f"imagenet:{name}")
        assert (source.kind, source.name) == ("imagenet", f"imagenet:{name}")


def test_a_file_is_another_source_once_it_has_changed(store, tmp_path, monkeypatch):
    path = tmp_path / "net.pt"
    path.write_bytes(b"old")
    monkeypatch.chdir(tmp_path)
    source = find_source(store, "net.pt", statistics="half")
    assert (source.kind, source.name, source.statistics) == ("file", "net.pt", "half")
    assert source.path == str(path)
    os.utime(path, ns=(1, 1))
    assert find_source(store, str(path), statistics="half") != source


def test_a_kept_file_has_the_name_that_it_came_with(store):
    path = keep_own_net(store.home, "my net.pt", b"weights")
    assert find_source(store, str(path)).name == "my_net.pt"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("resnet-65", "nearest are resnet-56"),
        ("", "nearest are plain-20"),
        ("imagenet:resnet51", "did you mean 'resnet5"),
        ("run:70", "no run 70; the newest with a net are: run:1"),
        ("run:1@31", "choose one of: 1, 30, 300"),
        ("run:2", "has kept no net yet"),
        ("run:first", "write run:12, or run:12@300"),
        ("gone.safetensors", "'gone.safetensors' is no net"),
        ("a\0b", "is no net"),
        ("x" * 5000, "is no net"),
        ("~nobody-of-this-name/net.pt", "is no net"),
    ],
)
def test_what_means_no_net_is_told_the_nearest(finished, text, message):
    with pytest.raises(SpecError, match=message) as caught:
        find_source(finished, text)
    assert len(str(caught.value)) < 700


def test_statistics_are_only_for_files_that_do_not_say(finished):
    for text in ("resnet-20", "run:1", "imagenet:resnet18"):
        with pytest.raises(SpecError, match="says itself how images are normalised"):
            find_source(finished, text, statistics="half")
    with pytest.raises(SpecError, match="did you mean 'imagenet'"):
        find_source(finished, "resnet-20", statistics="imagnet")
