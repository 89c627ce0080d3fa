"""Inserted blocks as a page asks for them: errors stay, starts are kept, runs go on from them."""

from dataclasses import replace

import pytest
import torch

from resnet_viz.analysis.construction_jobs import (
    Insertion,
    construction_question,
    recipe_to_train_on,
    starts_question,
    training_runs,
    training_sweep,
)
from resnet_viz.analysis.opened import measure_card, open_net
from resnet_viz.construction import Constructed, Errors
from resnet_viz.figures.blocks.construction import (
    before_and_after,
    construction_caption,
    kind_of,
    trained_on,
    trained_on_caption,
)
from resnet_viz.records import History, Record
from resnet_viz.runs.store import RunStore
from resnet_viz.specs import DataSpec, NetSpec, SpecError
from resnet_viz.training.training import Training
from tests.analysis.answers import answer
from tests.analysis.sources import FLOAT32, trained_source

DATA = DataSpec("digits", image_size=8)
GROWN = Insertion(k=1)


def constructed(folder, family, insertion=GROWN, steps=30):
    source, training = trained_source(folder, NetSpec(family, 14, width=4), DATA, steps=steps)
    card = measure_card(source.to_dict())
    return source, card, training, answer(construction_question(source, card, insertion, 256))


def test_a_residual_net_errs_on_the_same_images_in_both_modes(tmp_path):
    *_, found = constructed(tmp_path, "resnet")
    assert found.before == found.after
    assert found.difference == found.train_mode_difference == 0.0
    assert found.deeper.depth == 20
    assert (found.train_images, found.test_images, found.batch) == (256, 256, 64)
    assert 0 < found.before.train < 1
    text = construction_caption([("mine", found)])
    assert "on exactly as many images as before" in text
    assert "to the last bit, in training mode too" in text


def test_a_plain_net_errs_on_the_same_images_in_evaluation_mode_alone(tmp_path):
    *_, found = constructed(tmp_path, "plain")
    assert (found.before.train, found.before.test) == (found.after.train, found.after.test)
    assert found.difference < 1e-4 < 1e-2 < found.train_mode_difference
    assert "no identity any more" in construction_caption([("mine", found)])


def test_errors_are_those_of_a_training_that_evaluates_itself(tmp_path):
    source, card, training, _found = constructed(tmp_path, "resnet", Insertion(1, 1))
    count = len(training.data.train_labels)
    found = answer(construction_question(source, card, Insertion(1, 1), count))
    own = training._error_on(training.data.train_images, training.data.train_labels)
    assert found.before.train == pytest.approx(own)
    assert found.deeper.stage_blocks == (3, 2, 2)


def test_runs_go_on_from_the_kept_weights_of_both_nets(tmp_path):
    source, card, training, _found = constructed(tmp_path, "plain")
    starts = answer(starts_question(source, card, Insertion(k=1)))
    recipe = recipe_to_train_on(source, steps=2, lr=0.01)
    runs = training_runs(card, Insertion(k=1), starts, recipe)
    assert [run.net.depth for run in runs] == [14, 20, 20]
    assert [kind_of(run, runs) for run in runs] == ["as_it_was", "inserted", "random"]
    assert training_sweep(runs).runs() == list(runs)
    before, after, random = (
        Training(run, device="cpu", threads=1, machine=FLOAT32) for run in runs
    )
    for name, value in open_net(source.to_dict()).net.state_dict().items():
        assert torch.equal(before.net.state_dict()[name], value)
    images = training.data.test_images, training.data.test_labels
    assert before._error_on(*images) == after._error_on(*images) != random._error_on(*images)
    store = RunStore()
    sweep = store.create_sweep(training_sweep(runs), name="grown")
    assert [run.spec for run in store.runs(sweep)] == list(runs)


def test_what_cannot_be_made_deeper_is_refused(tmp_path):
    source, training = trained_source(tmp_path, NetSpec("resnet", 14, width=4), DATA)
    card = measure_card(source.to_dict())
    with pytest.raises(SpecError, match="stage 4 is out of range"):
        construction_question(source, card, Insertion(stage=4), 256)
    other = replace(card, net=replace(card.net, shortcut="C"))
    with pytest.raises(SpecError, match="option A or B"):
        construction_question(source, other, Insertion(), 256)
    assert training


def histories(errors):
    """Runs of a sweep whose running errors stand at these values after 100 steps."""
    store = RunStore()
    from resnet_viz.specs import RunSpec, TrainSpec

    train = TrainSpec(steps=100)
    specs = (
        RunSpec(NetSpec("resnet", 14, width=4), DATA, train, "a" * 64),
        RunSpec(NetSpec("resnet", 20, width=4), DATA, train, "b" * 64),
        RunSpec(NetSpec("resnet", 20, width=4), DATA, train),
    )
    sweep = store.create_sweep(training_sweep(specs), name="x")
    found = []
    for run, error in zip(store.runs(sweep), errors, strict=True):
        history = History()
        history.extend([Record("training", s, {"running_error": error}) for s in (50, 100)])
        found.append((run, history))
    return found


@pytest.mark.parametrize(
    ("random", "words"),
    [(0.4, "has not found a resnet net as good"), (0.0, "found a better"), (0.1, "net as good.")],
)
def test_the_caption_says_whether_a_random_start_finds_it(random, words):
    runs = histories((0.1, 0.1, random))
    assert words in trained_on_caption(runs)
    assert "After 100 steps: resnet-14 as it was 10.0 %" in trained_on_caption(runs)
    lines = trained_on(runs).to_dict()["data"]
    assert [line["name"] for line in lines] == [
        "resnet-14 as it was",
        "resnet-20, blocks inserted",
        "resnet-20 from random weights",
    ]
    assert len({line["line"]["dash"] for line in lines}) == 3


def test_bars_stand_in_pairs():
    spec = NetSpec("plain", 14, width=4)
    before, after = Errors(0.1, 0.2, 0.3), Errors(0.1, 0.2, 0.5)
    found = Constructed(spec, replace(spec, depth=20), before, after, 64, 64, 64, 0.0, 1.0, 9.0)
    bars = before_and_after([("mine", found)]).to_dict()["data"]
    assert [list(bar["y"]) for bar in bars] == [
        pytest.approx([10, 20, 30]),
        pytest.approx([10, 20, 50]),
    ]
