"""Splits of the gradient as a page asks for them: of a net at initialisation, of a run."""

import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from resnet_viz.analysis import pace
from resnet_viz.analysis.batches import probe_batch
from resnet_viz.analysis.shortcut_jobs import (
    BATCH_MULTIPLY_ADDS,
    decomposition_job,
    default_images,
    run_decomposition_job,
)
from resnet_viz.datasets.errors import DataError
from resnet_viz.nets.costs import Machine, count_costs
from resnet_viz.probes.shortcut import decompose
from resnet_viz.records import RunInfo
from resnet_viz.specs import DataSpec, NetSpec, RunSpec, SpecError, TrainSpec
from resnet_viz.training.checkpoint import Checkpoint
from resnet_viz.training.training import Training
from tests.analysis.answers import answer

DATA = DataSpec("digits", image_size=16)
NET = NetSpec("resnet", 8, width=4)
FLOAT32 = Machine("cpu", "float32", False, 0, 0, 0, 0)


def training(net=NET, **recipe) -> Training:
    spec = RunSpec(net, DATA, TrainSpec(**{"steps": 5, "batch_size": 8, **recipe}))
    return Training(spec, device="cpu", threads=1, machine=FLOAT32)


def test_a_net_at_initialisation_is_the_one_that_a_training_begins_with():
    split = answer(decomposition_job(NET, DATA, images=8, seed=3))
    begun = training(seed=3)
    expected, _loss = decompose(begun.net, *probe_batch(DATA, 8, 3)[:2])
    assert split.splits == expected
    begun.advance()  # whose batch is the one that was asked about
    assert split.loss == pytest.approx(begun.checkpoint().tensors["window"][1, 0].item(), rel=1e-5)
    assert (split.net, split.step, split.images) == (NET, 0, 8)
    assert all(s.residue < 1e-12 for s in split.splits)


def test_asking_leaves_torchs_random_state_alone():
    before = torch.get_rng_state()
    answer(decomposition_job(NET, DATA, images=2))
    assert torch.equal(before, torch.get_rng_state())


@pytest.fixture
def trained(tmp_path):
    """A training after three steps, its checkpoint's file, and what the store says of it."""
    begun = training()
    for _ in range(3):
        begun.advance()
    path = tmp_path / "3.safetensors"
    begun.checkpoint().save(path)
    return begun, path, RunInfo(1, "s", begun.spec, "training", checkpoint_step=3)


def test_a_run_is_split_at_its_checkpoint(trained):
    begun, path, run = trained
    split = answer(run_decomposition_job(run, path, images=8, seed=5))
    images, labels, _classes = probe_batch(DATA, 8, 5)
    assert (split.net, split.step, split.images) == (NET, 3, 8)
    assert split.splits == decompose(begun.net, images, labels)[0]
    with torch.no_grad():
        loss = F.cross_entropy(copy.deepcopy(begun.net).train()(images), labels).item()
    assert split.loss == pytest.approx(loss, rel=1e-5)


def test_another_step_is_another_question(trained):
    _begun, path, run = trained
    later = RunInfo(1, "s", run.spec, "training", checkpoint_step=4)
    assert run_decomposition_job(run, path).key != run_decomposition_job(later, path).key
    assert "step 3, not of 4" in answer(run_decomposition_job(later, path))


def test_a_checkpoint_that_is_gone_or_damaged_is_told_in_words(trained):
    _begun, path, run = trained
    job = run_decomposition_job(run, path)
    path.write_bytes(path.read_bytes()[:500])
    assert "cannot be read as a checkpoint" in answer(job)
    path.unlink()
    assert "step 3 is gone" in answer(job)


@pytest.mark.parametrize("change", ["missing", "shape", "integers"])
def test_a_file_that_does_not_fit_itself_is_told_in_words(trained, change):
    _begun, path, run = trained
    found = Checkpoint.load(path)
    name = "net.stem.conv.weight"
    if change == "missing":
        del found.tensors[name]
    elif change == "shape":
        found.tensors[name] = torch.zeros(1)
    else:
        found.tensors[name] = torch.zeros(4, 1, 3, 3, dtype=torch.int64)
    found.save(path)
    text = answer(run_decomposition_job(run, path, images=2))
    assert "does not fit its own spec" in text
    assert len(text) < 500


OTHER_SPECS = {
    "folder": {"data": {"name": "folder", "folder": "/home/somebody/private"}},
    "net too large for any memory": {"net": {"family": "resnet", "depth": 1202, "width": 1024}},
    "recipe": {"train": {"steps": 6}},
    "part that is none": {"evil": 1},
}


@pytest.mark.parametrize("change", OTHER_SPECS)
def test_a_file_of_another_run_is_refused_and_what_it_names_is_not_read(trained, change):
    _begun, path, run = trained
    found = Checkpoint.load(path)
    found.meta["spec"] |= OTHER_SPECS[change]
    found.save(path)
    text = answer(run_decomposition_job(run, path, images=2))
    assert "3.safetensors was written by a run with another spec" in text
    assert "private" not in text


@pytest.mark.parametrize("spec", [None, [], "resnet-8", 8])
def test_a_file_that_names_no_run_is_refused(trained, spec):
    _begun, path, run = trained
    found = Checkpoint.load(path)
    found.meta["spec"] = spec
    found.save(path)
    assert "by a run with another spec" in answer(run_decomposition_job(run, path, images=2))


def test_data_with_other_classes_than_the_run_had_are_refused(trained):
    _begun, path, run = trained
    found = Checkpoint.load(path)
    found.meta["classes"] = found.meta["classes"][::-1]
    found.save(path)
    assert "other classes now" in answer(run_decomposition_job(run, path))


def test_data_that_are_not_on_this_computer_are_told_in_words(trained):
    _begun, path, run = trained
    assert "download" in answer(decomposition_job(NET, DataSpec("cifar10"))).lower()
    found = Checkpoint.load(path)
    run = replace(run, spec=replace(run.spec, data=DataSpec("cifar10")))
    found.meta["spec"] = run.spec.to_dict()
    found.save(path)
    assert "download" in answer(run_decomposition_job(run, path)).lower()


def test_plain_nets_and_runs_without_a_checkpoint_are_refused_before_anything_is_asked():
    plain = NetSpec("plain", 20)
    with pytest.raises(SpecError, match="plain-20 has no shortcuts"):
        decomposition_job(plain, DATA)
    run = RunInfo(1, "s", RunSpec(plain, DATA, TrainSpec()), "done", checkpoint_step=3)
    with pytest.raises(SpecError, match="plain-20 has no shortcuts"):
        run_decomposition_job(run, Path("3.safetensors"))
    run = RunInfo(1, "s", RunSpec(NET, DATA, TrainSpec()), "queued")
    with pytest.raises(SpecError, match="no checkpoint yet"):
        run_decomposition_job(run, Path("3.safetensors"))


def test_deeper_nets_get_fewer_images_but_never_less_than_two():
    images = [default_images(NetSpec("resnet", depth), 32) for depth in (20, 56, 110, 1202)]
    assert images == [16, 8, 4, 2]
    assert default_images(NetSpec("resnet", 20), 64) == 4
    for depth, count in zip((20, 56, 110), images, strict=False):
        work = count * count_costs(NetSpec("resnet", depth)).multiply_adds
        assert work <= BATCH_MULTIPLY_ADDS
    assert decomposition_job(NetSpec("resnet", 56), DataSpec("shapes")).arguments["images"] == 8
    assert decomposition_job(NetSpec("resnet", 20), DATA).arguments["images"] == 16


def test_a_folder_that_is_gone_is_told_before_anything_is_asked(tmp_path):
    data = DataSpec("folder", folder=str(tmp_path / "mine"))
    with pytest.raises(DataError, match="mine"):
        decomposition_job(NET, data)


def test_a_net_too_large_for_the_memory_says_what_to_choose(monkeypatch):
    class Small:
        available = 3 * 10**8

    monkeypatch.setattr(pace.psutil, "virtual_memory", Small)
    data, deep = DataSpec("shapes"), NetSpec("preact", 1202)
    refusal = "preact-1202 at 32×32 .* choose a smaller depth, width or image size"
    with pytest.raises(SpecError, match=refusal):
        decomposition_job(deep, data)
    run = RunInfo(1, "s", RunSpec(deep, data, TrainSpec()), "done", checkpoint_step=3)
    with pytest.raises(SpecError, match=refusal):
        run_decomposition_job(run, Path("3.safetensors"), images=2)
    job = decomposition_job(NetSpec("resnet", 20), data, images=4096)
    assert 2 <= job.arguments["images"] < 4096
