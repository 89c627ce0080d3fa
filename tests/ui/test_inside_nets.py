"""Which net stands beside which, and what chosen parameters become for another net."""

from dataclasses import replace

import pytest

from resnet_viz.methods import methods
from resnet_viz.nets.bundled import bundled_names
from resnet_viz.runs.sources import find_source, run_source
from resnet_viz.runs.store import RunStore
from resnet_viz.sources import NetCard, Source
from resnet_viz.specs import NetSpec
from resnet_viz.sweeps import PRESETS
from resnet_viz.ui.inside.method_form import fitting
from resnet_viz.ui.inside.nets import checkpoints_of, counterpart

SWEEP = replace(PRESETS["quick"], depths=(8, 14), seeds=2)


@pytest.fixture
def store(home):
    store = RunStore(home)
    yield store
    store.close()


def sweep(store, name):
    """The runs of a new sweep, by family, depth and seed; none has kept a net."""
    found = store.runs(store.create_sweep(SWEEP, name=name))
    return {(r.spec.net.family, r.spec.net.depth, r.spec.train.seed): r for r in found}


def keep(store, run, *steps):
    """Leave files of a run as a worker does."""
    for step in steps:
        path = store.kept_folder(run.id) / f"{step}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"weights")
        with store.database.write() as db:
            values = (run.id, step)
            db.execute("INSERT INTO checkpoints (run_id, step, bytes) VALUES (?, ?, 7)", values)


def test_the_twin_of_a_run_is_of_its_sweep_depth_and_seed(store):
    for name in ("one", "two"):
        runs = sweep(store, name)
        for run in runs.values():
            keep(store, run, 1, 30, 300)
    seed = SWEEP.train.seed + 1
    residual, plain = runs["resnet", 14, seed], runs["plain", 14, seed]
    source = run_source(store, residual, 300)
    assert counterpart(store, source) == run_source(store, plain, 300)
    assert counterpart(store, run_source(store, plain, 30)) == run_source(store, residual, 30)


@pytest.mark.parametrize(("step", "nearest"), [(0, 1), (1, 1), (20, 30), (300, 100)])
def test_the_twin_is_shown_at_the_nearest_step_that_it_has(store, step, nearest):
    runs = sweep(store, "one")
    keep(store, runs["resnet", 8, SWEEP.train.seed], 0, 1, 20, 300)
    keep(store, runs["plain", 8, SWEEP.train.seed], 1, 30, 100)
    source = run_source(store, runs["resnet", 8, SWEEP.train.seed], step)
    assert counterpart(store, source).step == nearest


def test_a_run_whose_twin_has_kept_nothing_has_none(store):
    runs = sweep(store, "one")
    keep(store, runs["resnet", 8, SWEEP.train.seed], 1)
    keep(store, runs["plain", 14, SWEEP.train.seed], 1)
    assert counterpart(store, run_source(store, runs["resnet", 8, SWEEP.train.seed])) is None


@pytest.mark.parametrize("name", bundled_names())
def test_every_bundled_net_has_its_twin(store, name):
    twin = counterpart(store, find_source(store, name))
    assert twin.name != name
    assert twin.name.replace("plain", "resnet") == name.replace("plain", "resnet")
    assert counterpart(store, twin).name == name


def test_files_and_imagenet_have_no_twin_and_no_checkpoints(store):
    for source in (Source("file", "resnet-20.pt", "x"), Source("imagenet", "imagenet:resnet18")):
        assert counterpart(store, source) is None
        assert checkpoints_of(store, source) == []
    assert checkpoints_of(store, find_source(store, bundled_names()[0])) == []


def test_the_checkpoints_of_a_run_are_all_its_steps_whichever_is_shown(store):
    run = sweep(store, "one")["plain", 8, SWEEP.train.seed]
    keep(store, run, 30, 1, 300)
    for step in (1, 300):
        found = checkpoints_of(store, run_source(store, run, step))
        assert [source.step for source in found] == [1, 30, 300]
        assert [source.name for source in found] == [f"run:{run.id}@{s}" for s in (1, 30, 300)]


def test_a_run_that_was_deleted_has_no_checkpoints(store):
    source = Source("run", "run:77@3", "x", step=3)
    assert checkpoints_of(store, source) == []
    assert counterpart(store, source) is None


def card(net, size):
    return NetCard("x", net, ("a", "b"), size, 3, (0.5,) * 3, (0.5,) * 3, 1)


LARGE = card(NetSpec("resnet", 50, "bottleneck", "B", blocks=(3, 4, 6, 3), stem="imagenet"), 224)
CARDS = {
    "large": LARGE,
    "deep": card(NetSpec("plain", 56), 32),
    "small": card(NetSpec("resnet", 8), 8),
}
NAMES = [method.name for method in methods(LARGE.net, LARGE.image_size)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("chosen_for", "taken_by"), [("large", "small"), ("small", "deep")])
@pytest.mark.parametrize("end", ["low", "default", "high"])
def test_what_was_chosen_for_one_net_can_be_used_by_another(name, chosen_for, taken_by, end):
    first, other = (
        next(m for m in methods(c.net, c.image_size) if m.name == name)
        for c in (CARDS[chosen_for], CARDS[taken_by])
    )
    given = {
        p.name: (p.choices[0 if end == "low" else -1] if p.choices else getattr(p, end))
        for p in first.parameters
    }
    found = fitting(given, CARDS[taken_by], first)
    usual = first.fill()
    numbers_left = all(given[p.name] == usual[p.name] for p in first.parameters if not p.choices)
    assert other.fill(found) == found
    for parameter in other.parameters:
        value = given[parameter.name]
        fits = (
            value in parameter.choices
            if parameter.choices
            else parameter.low <= value <= parameter.high
        )
        left = value == usual[parameter.name] if parameter.choices else numbers_left
        assert not fits or found[parameter.name] == (parameter.default if left else value)


def test_a_deeper_net_has_its_own_last_block_where_the_first_one_s_was_left():
    first, other = (
        next(m for m in methods(c.net, c.image_size) if m.name == "grad-cam")
        for c in (CARDS["small"], CARDS["deep"])
    )
    assert first.fill() != other.fill()
    assert fitting(first.fill(), CARDS["deep"], first) == other.fill()


def test_a_block_that_a_net_lacks_becomes_its_last_one():
    (grad_cam,) = (m for m in methods(LARGE.net, 224) if m.name == "grad-cam")
    (block,) = (p.name for p in grad_cam.parameters if p.choices)
    own = next(m for m in methods(CARDS["small"].net, 8) if m.name == "grad-cam").fill()
    given = grad_cam.fill() | {block: "stage4.block3"}
    assert fitting(given, CARDS["small"], grad_cam)[block] == own[block] == "stage3.block1"
