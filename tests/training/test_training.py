"""A training is what its spec says: the same records again, in lockstep, and after a resume."""

import math
from dataclasses import replace

import pytest
import torch
from captum.attr import DeepLift, GuidedBackprop
from torch.nn import functional as F

from resnet_viz import DataSpec, NetSpec, RunSpec, TrainSpec, build_net, train
from resnet_viz.datasets.batches import batch_indices
from resnet_viz.datasets.load import load
from resnet_viz.nets.costs import Machine
from resnet_viz.specs import FAMILIES, SpecError, nearest_depths
from resnet_viz.training.checkpoint import Checkpoint, CheckpointError
from resnet_viz.training.loop import train_many
from resnet_viz.training.training import DivergedError, Training

STEPS = 24
FLOAT32 = Machine("cpu", "float32", False, 0, 0, 0, 0)
BFLOAT16 = Machine("cpu", "bfloat16", True, 0, 0, 0, 0)


OPTIONS = {  # what changes the step itself: chance, gates, losses beside the head's
    "survival": NetSpec("preact", 8, width=4, survival=0.5),
    "dropout": NetSpec("resnet", 8, shortcut="dropout", width=4),
    "gate": NetSpec("resnet", 8, shortcut="exclusive_gate", width=4),
    "auxiliary": NetSpec("plain", 8, width=4, aux_heads=2),
}


def net_of(family, depth=8):
    return OPTIONS.get(family) or NetSpec(family, nearest_depths(depth, family)[0], width=4)


def spec(family="resnet", depth=8, **recipe):
    recipe = {"steps": STEPS, "batch_size": 16, "warmup_steps": 4, **recipe}
    return RunSpec(
        net_of(family, depth),
        DataSpec("digits", image_size=16, crop_padding=2, val_images=100),
        TrainSpec(**recipe),
    )


def finish(training):
    """What a training has yet to say, without its speed, which is never the same twice."""
    records = []
    while not training.finished:
        records += [r for r in training.advance() if r.kind != "speed"]
    return records


def without_profiles(records):
    return [r for r in records if r.kind != "profile"]


@pytest.mark.parametrize("machine", [FLOAT32, BFLOAT16], ids=lambda m: m.dtype)
@pytest.mark.parametrize("family", [*FAMILIES, *OPTIONS])
def test_the_same_spec_gives_the_same_records(family, machine):
    runs = [
        finish(Training(spec(family), device="cpu", threads=1, machine=machine)) for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert [r.step for r in runs[0] if r.kind == "training"] == list(range(1, STEPS + 1))


@pytest.mark.parametrize("machine", [FLOAT32, BFLOAT16], ids=lambda m: m.dtype)
@pytest.mark.parametrize("family", [*FAMILIES, *OPTIONS])
def test_probes_change_no_record_and_a_resume_changes_no_profile(family, machine, tmp_path):
    run = spec(family)
    place = {"device": "cpu", "threads": 1, "machine": machine}
    bare = finish(Training(run, **place, probe_every=0))
    probed = finish(Training(run, **place, probe_every=5))
    assert bare == without_profiles(bare) == without_profiles(probed)
    profiles = [r for r in probed if r.kind == "profile"]
    assert [p.step for p in profiles] == [1, 6, 11, 16, 21, STEPS]
    first = Training(run, **place, probe_every=0)
    while first.step < 12:
        first.advance()
    first.checkpoint().save(tmp_path / "12.safetensors")
    thawed = Checkpoint.load(tmp_path / "12.safetensors")
    second = Training(run, device="cpu", checkpoint=thawed, probe_every=5)
    assert finish(second) == [r for r in probed if r.step > 12]


def test_by_default_every_tenth_step_is_probed_and_a_wrong_number_is_refused():
    steps = [r.step for r in train(spec(), device="cpu") if r.kind == "profile"]
    assert steps == [1, 11, 21, STEPS]
    with pytest.raises(SpecError, match="probe_every"):
        Training(spec(), device="cpu", machine=FLOAT32, probe_every=-1)


def test_another_seed_gives_other_records():
    a, b = (finish(Training(spec(seed=s), device="cpu", machine=FLOAT32)) for s in (0, 1))
    assert a != b


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("machine", [FLOAT32, BFLOAT16], ids=lambda m: m.dtype)
def test_a_resumed_run_gives_the_records_of_an_uninterrupted_one(optimizer, machine, tmp_path):
    run = spec(optimizer=optimizer, lr=0.01)
    whole = finish(Training(run, device="cpu", threads=1, machine=machine))
    first = Training(run, device="cpu", threads=1, machine=machine)
    records = []
    for _ in range(10):
        records += [r for r in first.advance() if r.kind != "speed"]
    first.checkpoint().save(tmp_path / "10.safetensors")
    thawed = Checkpoint.load(tmp_path / "10.safetensors")
    second = Training(run, device="cpu", checkpoint=thawed)
    assert second.step == 10
    assert (second.dtype, second.threads) == (machine.dtype, 1)
    assert records + finish(second) == whole


def test_lockstep_changes_nothing_and_goes_step_by_step():
    runs = [spec("plain"), spec("resnet"), spec("resnet", 14, seed=3)]
    alone = [finish(Training(run, device="cpu", threads=1, machine=FLOAT32)) for run in runs]
    together, steps = [[] for _ in runs], []
    trainings = [Training(run, device="cpu", threads=1, machine=FLOAT32) for run in runs]
    for chunk in train_many(trainings):
        together[chunk.index] += [r for r in chunk.records if r.kind != "speed"]
        steps.append([t.step for t in trainings])
    assert together == alone
    assert all(max(s) - min(s) <= 1 for s in steps)


def test_stop_ends_one_net_between_steps_and_the_others_go_on():
    trainings = [Training(spec(), device="cpu", machine=FLOAT32) for _ in range(2)]
    ends = {
        c.index: c.status
        for c in train_many(trainings, should_stop=lambda i: i == 0 and trainings[0].step == 5)
        if c.status != "running"
    }
    assert ends == {0: "stopped", 1: "done"}
    assert [t.step for t in trainings] == [5, STEPS]


def test_a_failure_is_one_nets_own_and_keeps_its_traceback(monkeypatch):
    trainings = [Training(spec(), device="cpu", machine=FLOAT32) for _ in range(2)]
    trainings[0].net.head.linear.weight = torch.nn.Parameter(torch.zeros(10, 3))  # cannot multiply
    chunks = list(train_many(trainings))
    failed = [c for c in chunks if c.status == "failed"]
    assert [c.index for c in failed] == [0]
    assert "Traceback" in failed[0].error
    assert "RuntimeError" in failed[0].error
    assert trainings[1].finished


def test_a_loss_that_is_not_finite_ends_the_run_at_once():
    # Without norms, a rate of a million makes the second or third loss overflow.
    run = RunSpec(
        NetSpec("plain", 8, width=4, norm="none"),
        DataSpec("digits", image_size=8),
        TrainSpec(steps=50, lr=1e6),
    )
    training = Training(run, device="cpu", machine=FLOAT32)
    (chunk,) = [c for c in train_many([training]) if c.status != "running"]
    assert chunk.status == "diverged"
    assert f"step {training.step + 1}" in chunk.error
    assert training.step < 50
    with pytest.raises(DivergedError):
        list(train(run, device="cpu"))


def test_one_step_is_momentum_sgd_on_the_cross_entropy_of_the_batch():
    run = replace(spec(warmup_steps=0, schedule="constant", lr=0.5, weight_decay=0.01),
                  data=DataSpec("digits", image_size=16))  # fmt: skip
    data = load(run.data)
    training = Training(run, device="cpu", threads=1, machine=FLOAT32)
    torch.manual_seed(run.train.seed)
    net = build_net(run.net, 10, 1)
    velocity = [torch.zeros_like(p) for p in net.parameters()]
    for step in range(3):
        records = training.advance()
        i = batch_indices(len(data.train_labels), 16, step, run.train.seed)
        x = (data.train_images[i].float() / 255 - data.mean.view(-1, 1, 1)) / data.std.view(
            -1, 1, 1
        )
        loss = F.cross_entropy(net(x), data.train_labels[i])
        net.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p, v in zip(net.parameters(), velocity, strict=True):
                v.mul_(0.9).add_(p.grad + 0.01 * p)
                p.sub_(0.5 * v)
        if step == 0:
            assert records[0].values["running_loss"] == pytest.approx(loss.item(), rel=1e-4)
    for ours, theirs in zip(training.net.parameters(), net.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


def test_errors_are_fractions_of_the_whole_set_in_evaluation_mode():
    training = Training(spec(), device="cpu", machine=FLOAT32)
    final = [r for r in finish(training) if r.kind == "evaluation"][-1]
    data, net = training.data, training.net.eval()
    for name, images, labels in (
        ("train_error", data.train_images, data.train_labels),
        ("val_error", data.val_images, data.val_labels),
        ("test_error", data.test_images, data.test_labels),
    ):
        x = (images.float() / 255 - data.mean.view(-1, 1, 1)) / data.std.view(-1, 1, 1)
        with torch.no_grad():
            wrong = (net(x).argmax(1) != labels).sum().item()
        assert final.values[name] == pytest.approx(wrong / len(labels), abs=2 / len(labels))


def test_the_running_error_is_the_mean_of_the_last_25_steps():
    training = Training(spec(steps=40), device="cpu", machine=FLOAT32)
    errors, records = [], []
    forward = training._forward

    def watched(*args):
        loss, error = forward(*args)
        errors.append(error.item())
        return loss, error

    training._forward = watched
    records = [r for r in finish(training) if r.kind == "training"]
    assert records[9].values["running_error"] == pytest.approx(sum(errors[:10]) / 10)
    assert records[39].values["running_error"] == pytest.approx(sum(errors[15:40]) / 25)


def test_a_notebook_loops_over_records():
    steps = [
        r.step for r in train(spec(), device="cpu", should_stop=iter([False] * 3 + [True]).__next__)
    ]
    assert steps == sorted(steps)
    assert max(steps) == 3


@pytest.mark.parametrize(
    "changes",
    [
        *({"threads": value} for value in (0, 257, 10**9, True, "2", None)),
        *({"dtype": value} for value in ("float64", "", None, ["float32"], 3)),
    ],
)
def test_a_checkpoint_with_threads_or_a_format_that_none_has_is_refused(changes):
    checkpoint = Training(spec(), device="cpu", machine=FLOAT32).checkpoint()
    bad = replace(checkpoint, meta={**checkpoint.meta, **changes})
    with pytest.raises(CheckpointError, match=next(iter(changes))):
        Training(spec(), device="cpu", checkpoint=bad)


@pytest.mark.parametrize("name", ["optimizer.999.momentum_buffer", "optimizer.0", "window"])
def test_a_checkpoint_whose_tensors_do_not_fit_is_refused(name):
    checkpoint = Training(spec(), device="cpu", machine=FLOAT32).checkpoint()
    bad = replace(checkpoint, tensors={**checkpoint.tensors, name: torch.zeros(2)})
    with pytest.raises(CheckpointError, match="does not fit"):
        Training(spec(), device="cpu", checkpoint=bad)


def test_a_checkpoint_of_another_run_or_of_nobody_is_refused(tmp_path):
    checkpoint = Training(spec(), device="cpu", machine=FLOAT32).checkpoint()
    with pytest.raises(CheckpointError, match="another spec"):
        Training(spec(seed=1), device="cpu", checkpoint=checkpoint)
    lacking = {k: v for k, v in checkpoint.tensors.items() if k != "window"}
    with pytest.raises(CheckpointError, match="does not fit"):
        Training(spec(), device="cpu", checkpoint=replace(checkpoint, tensors=lacking))
    path = tmp_path / "c.safetensors"
    checkpoint.save(path)
    for damage in (b"", b"PK\x03\x04", path.read_bytes()[:-7], b"\xff" * 64):
        (tmp_path / "bad.safetensors").write_bytes(damage)
        with pytest.raises(CheckpointError):
            Checkpoint.load(tmp_path / "bad.safetensors")
    with pytest.raises(CheckpointError):
        Checkpoint.load(tmp_path / "missing.safetensors")


@pytest.mark.parametrize("family", FAMILIES)
def test_captum_works_on_every_family(family):
    torch.manual_seed(0)
    net = build_net(net_of(family), in_channels=1).eval()
    x, baseline = torch.randn(2, 1, 16, 16), torch.zeros(2, 1, 16, 16)
    attribution, delta = DeepLift(net).attribute(
        x, baseline, target=3, return_convergence_delta=True
    )
    difference = (net(x) - net(baseline))[:, 3]
    # DeepLift's own promise (Shrikumar et al. 2017): attributions sum to the difference. It has
    # no rule for the product of a gate and a branch.
    if family != "highway":
        torch.testing.assert_close(attribution.flatten(1).sum(1), difference, rtol=1e-3, atol=1e-3)
    assert math.isfinite(float(delta.abs().max()))
    assert GuidedBackprop(net).attribute(x, target=3).abs().sum() > 0
