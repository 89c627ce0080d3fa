"""Captured steps on a CUDA device are the same training as steps started one by one."""

import pytest
import torch

from resnet_viz.nets.costs import Machine
from resnet_viz.specs import DataSpec, NetSpec, RunSpec, TrainSpec
from resnet_viz.training.checkpoint import Checkpoint
from resnet_viz.training.graphed import GraphedTraining
from resnet_viz.training.loop import make_training, train_many
from resnet_viz.training.training import DivergedError, Training

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")

STEPS = 40
FLOAT32 = Machine("cuda", "float32", True, 0, 0, 0, 0)
BFLOAT16 = Machine("cuda", "bfloat16", True, 0, 0, 0, 0)


def spec(family="resnet", **recipe):
    data = DataSpec("digits", image_size=16, crop_padding=2, val_images=100)
    recipe = {"steps": STEPS, "batch_size": 32, "warmup_steps": 4, "lr": 0.05, **recipe}
    return RunSpec(NetSpec(family, 8, width=4), data, TrainSpec(**recipe))


def finish(training):
    records = []
    while not training.finished:
        records += training.advance()
    return [r for r in records if r.kind != "speed"]


def assert_same(found, expected, tolerance):
    assert [(r.kind, r.step) for r in found] == [(r.kind, r.step) for r in expected]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.values.keys() == theirs.values.keys()
        for name, value in ours.values.items():
            assert value == pytest.approx(theirs.values[name], **tolerance), (ours.step, name)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_graph_trains_as_steps_one_by_one_do(optimizer):
    run = spec(optimizer=optimizer, lr=0.05 if optimizer == "sgd" else 1e-3)
    graphed = GraphedTraining(run, device="cuda", machine=FLOAT32)
    order = lambda r: (r.step, r.kind)  # noqa: E731 - an evaluation may come before late records
    found = sorted(finish(graphed), key=order)
    assert len(graphed._graphs) == 2  # measured steps have one of their own
    expected = sorted(finish(Training(run, device="cuda", machine=FLOAT32)), key=order)
    # Convolutions are summed up in an order that is not fixed, and training magnifies it.
    assert_same(found[:6], expected[:6], {"rel": 1e-2, "abs": 1e-3})
    ours, theirs = (
        [r.values["running_error"] for r in records if r.kind == "training"][-1]
        for records in (found, expected)
    )
    assert ours == pytest.approx(theirs, abs=0.05)


def test_bfloat16_learns():
    records = finish(make_training(spec(steps=150, lr=0.1), device="cuda", machine=BFLOAT16))
    final = [r for r in records if r.kind == "evaluation"][-1]
    assert final.values["test_error"] < 0.2


def test_a_resumed_training_goes_on(tmp_path):
    run = spec()
    training = GraphedTraining(run, device="cuda", machine=FLOAT32)
    while training.step < 20:
        training.advance()
    training.checkpoint().save(tmp_path / "c.safetensors")
    rest = finish(training)
    loaded = Checkpoint.load(tmp_path / "c.safetensors")
    assert loaded.step == 20
    again = finish(GraphedTraining(run, device="cuda", checkpoint=loaded))
    assert_same(again[:4], [r for r in rest if r.step > 20][:4], {"rel": 2e-2, "abs": 2e-3})


def test_nets_in_lockstep_do_not_disturb_each_other():
    specs = [spec(family) for family in ("plain", "resnet", "preact")]
    alone = [finish(GraphedTraining(s, device="cuda", machine=FLOAT32)) for s in specs]
    together = [GraphedTraining(s, device="cuda", machine=FLOAT32) for s in specs]
    found = [[] for _ in specs]
    for chunk in train_many(together):
        found[chunk.index] += [r for r in chunk.records if r.kind != "speed"]
    for ours, theirs in zip(found, alone, strict=True):
        assert_same(ours[:6], theirs[:6], {"rel": 1e-2, "abs": 1e-3})


def test_a_net_that_draws_by_chance_trains_too():
    net = NetSpec("preact", 8, width=4, survival=0.5)
    training = GraphedTraining(
        RunSpec(net, spec().data, TrainSpec(steps=10)), device="cuda", machine=FLOAT32
    )
    assert finish(training)
    assert not training._graphs


def test_a_loss_that_is_not_finite_ends_the_training():
    training = GraphedTraining(spec(lr=1e6), device="cuda", machine=FLOAT32)
    with pytest.raises(DivergedError, match="the loss became"):
        finish(training)
