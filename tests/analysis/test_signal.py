"""Questions about fresh nets: what is asked, in which order, and what the answers are."""

import json
import math

import pytest
import torch
from torch.nn import functional as F

from resnet_viz.analysis import pace, signal_jobs as jobs_module
from resnet_viz.analysis.batches import probe_batch
from resnet_viz.analysis.child import carry_out
from resnet_viz.analysis.plain import check_plain
from resnet_viz.analysis.signal_answers import measure_signal
from resnet_viz.analysis.signal_jobs import (
    affordable_images,
    in_float64,
    quick_images,
    ratio_nets,
    signal_jobs,
)
from resnet_viz.cli import main
from resnet_viz.datasets.load import load
from resnet_viz.layers import weighted_layers
from resnet_viz.nets.build import build_net
from resnet_viz.nets.costs import count_costs, training_bytes
from resnet_viz.signals import Signal
from resnet_viz.specs import DataSpec, NetSpec, SpecError, TrainSpec

DIGITS = DataSpec("digits", image_size=8)
PLAIN, RESNET = NetSpec("plain", 8, width=4), NetSpec("resnet", 8, width=4)


# --- the batch ---


def test_a_batch_is_training_images_normalised_and_not_augmented():
    data = DataSpec("shapes", image_size=16, crop_padding=4, flip=True)
    images, labels, classes = probe_batch(data, 12, seed=7)
    assert (images.shape, images.dtype, labels.shape, classes) == (
        (12, 3, 16, 16),
        torch.float32,
        (12,),
        10,
    )
    dataset = load(data)
    mean, std = dataset.mean[:, None, None], dataset.std[:, None, None]
    raw = (images * std + mean) * 255
    assert torch.allclose(raw, raw.round(), atol=1e-3)
    for image, label in zip(raw.round().to(torch.uint8), labels, strict=True):
        found = (dataset.train_images == image).flatten(1).all(1)
        assert label in dataset.train_labels[found]


def test_a_batch_is_the_seeds():
    first, labels, _ = probe_batch(DIGITS, 16, seed=1)
    again, same_labels, _ = probe_batch(DIGITS, 16, seed=1)
    other, _, _ = probe_batch(DIGITS, 16, seed=2)
    assert torch.equal(first, again)
    assert torch.equal(labels, same_labels)
    assert not torch.equal(first, other)
    assert len(first.flatten(1).unique(dim=0)) == 16


# --- the questions ---


def test_every_net_is_asked_once_before_any_is_asked_twice():
    jobs = signal_jobs([PLAIN, RESNET, PLAIN], DIGITS, batches=3, seed=5)
    asked = [(job.arguments["net"]["family"], job.arguments["seed"]) for job in jobs]
    assert asked == [(family, seed) for seed in (5, 6, 7) for family in ("plain", "resnet")]
    assert len({job.key for job in jobs}) == 6
    assert signal_jobs([PLAIN], DIGITS, 3, seed=5) == [jobs[0], jobs[2], jobs[4]]
    for job in jobs:
        assert json.loads(json.dumps(job.arguments)) == job.arguments
        assert NetSpec.from_dict(job.arguments["net"]) in (PLAIN, RESNET)
        assert DataSpec.from_dict(job.arguments["data"]) == DIGITS


@pytest.mark.parametrize(
    "values", [{"batches": 0}, {"images": 1}, {"images": 5000}, {"seed": -1}, {"seed": 2**31 - 1}]
)
def test_numbers_out_of_range_are_refused(values):
    with pytest.raises(SpecError):
        signal_jobs([PLAIN], DIGITS, **values)


def test_nets_of_one_depth_get_one_number_of_images():
    nets = [NetSpec("plain", 110), NetSpec("resnet", 110, shortcut="C", width=16)]
    size = 40
    alone = {quick_images(net, size) for net in nets}
    jobs = signal_jobs(nets, DataSpec("shapes", image_size=size), batches=1)
    assert {job.arguments["images"] for job in jobs} == {min(alone)}


def test_quick_images_shrink_with_the_work_alone():
    """The work of a job never grows beyond that of plain-110 at 32 pixels, but for two images."""
    assert quick_images(NetSpec("plain", 56), 32) == jobs_module.IMAGES
    assert quick_images(NetSpec("plain", 110), 32) == jobs_module.IMAGES
    most = jobs_module.IMAGES * count_costs(NetSpec("plain", 110)).multiply_adds
    for net in (
        NetSpec("plain", 110, width=64),
        NetSpec("resnet", 1202),
        NetSpec("plain", 56, norm="none", init="normal"),
    ):
        images = quick_images(net, 32)
        work = count_costs(net).multiply_adds * images * (4 if in_float64(net) else 1)
        assert 2 <= images < jobs_module.IMAGES
        assert images == 2 or work <= 1.25 * most


def test_images_fit_into_the_memory():
    net = NetSpec("resnet", 1202)
    for memory in (8e9, 20e9, 100e9):
        images = affordable_images(net, 32, int(memory))
        costs = count_costs(net)
        assert 2 * training_bytes(costs, TrainSpec(batch_size=images)) <= memory  # float64
        assert 2 * training_bytes(costs, TrainSpec(batch_size=2 * images)) > memory
    small = affordable_images(PLAIN, 8, 8 * 10**9)
    assert small > 1000


def test_a_net_too_large_for_the_memory_says_what_to_choose(monkeypatch):
    with pytest.raises(SpecError, match="smaller depth, width or image size"):
        affordable_images(NetSpec("resnet", 1202, width=64), 256, 4 * 10**9)

    class Small:
        available = 6 * 10**8

    monkeypatch.setattr(pace.psutil, "virtual_memory", Small)
    with pytest.raises(SpecError, match="resnet-1202 at 32×32"):
        signal_jobs([NetSpec("resnet", 1202)], DataSpec("shapes"))
    jobs = signal_jobs([NetSpec("plain", 20)], DataSpec("shapes"), images=4096)
    assert 2 <= jobs[0].arguments["images"] < 4096


def test_ratio_nets_are_the_same_nets_at_other_depths():
    uneven = NetSpec("resnet", 32, width=8, shortcut="B", blocks=(4, 5, 6))
    found = ratio_nets([NetSpec("plain", 32, width=8), uneven], (8, 20))
    assert found == [
        NetSpec("plain", 8, width=8),
        NetSpec("resnet", 8, width=8, shortcut="B"),
        NetSpec("plain", 20, width=8),
        NetSpec("resnet", 20, width=8, shortcut="B"),
    ]


# --- the answers ---


def test_an_answer_is_the_first_step_of_a_training_with_this_seed():
    """Same weights as `build_net` after the seed, same gradients as one plain backward pass."""
    (job,) = signal_jobs([RESNET], DIGITS, batches=1, images=16, seed=9)
    reply = carry_out(job.function, job.arguments, torch.get_num_threads())
    assert reply.error == ""
    found = measure_signal(**job.arguments)
    check_plain(found)
    assert isinstance(found, Signal)
    images, labels, classes = probe_batch(DIGITS, 16, 9)
    torch.manual_seed(9)
    net = build_net(RESNET, classes, 1)
    F.cross_entropy(net(images), labels).backward()
    norms = [
        float(net.get_submodule(layer.module).weight.grad.norm())
        for layer in weighted_layers(RESNET)
    ]
    assert found.gradient_norm == pytest.approx(norms, rel=1e-4)


def test_an_answer_leaves_the_random_state_alone_and_differs_by_seed():
    before = torch.get_rng_state()
    first, second = (measure_signal(**j.arguments) for j in signal_jobs([PLAIN], DIGITS, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert first.gradient_norm != second.gradient_norm
    again = measure_signal(**signal_jobs([PLAIN], DIGITS, 1)[0].arguments)
    assert again == first


def test_what_would_underflow_in_float32_is_measured_in_float64():
    net = NetSpec("plain", 38, width=4, norm="none", init="normal", init_std=1e-3)
    (job,) = signal_jobs([net], DIGITS, batches=1, images=4)
    found = measure_signal(**job.arguments)
    assert 0 < min(found.gradient_norm) < 1e-60
    assert all(map(math.isfinite, found.gradient_norm))


def test_depth_multiplies_the_ratio_of_plain_nets_and_not_of_residual_ones():
    """DESIGN's measurement, at a small size: batch norm, He, the median of three seeds."""
    ratios = {}
    for family in ("plain", "resnet"):
        for depth in (8, 32):
            jobs = signal_jobs([NetSpec(family, depth, width=4)], DIGITS, 3, images=32)
            ratios[family, depth] = sorted(measure_signal(**j.arguments).ratio for j in jobs)[1]
    assert ratios["plain", 32] > 5 * ratios["plain", 8]
    assert ratios["plain", 32] > 3 * ratios["resnet", 32]


# --- the command ---


def command(*arguments):
    small = ("--data", "digits", "--image-size", "8", "--width", "4", "--images", "8")
    return main(["gradients", *small, *arguments])


def test_the_command_prints_a_table_and_writes_every_layer(tmp_path, capsys):
    file = tmp_path / "out.json"
    assert command("--depths", "8,14", "--batches", "2", "--seed", "3", "--json", str(file)) == 0
    out = capsys.readouterr().out
    report = json.loads(file.read_text("utf-8"))
    names = ["plain-8", "resnet-8", "plain-14", "resnet-14"]
    assert [net["name"] for net in report["nets"]] == names
    for net in report["nets"]:
        spec = NetSpec.from_dict(net["net"])
        (line,) = (line for line in out.splitlines() if net["name"] in line.split())
        assert f"{net['ratio']['median']:.3g}" in line.split()
        layers = weighted_layers(spec, in_channels=1, image_size=8)
        assert [layer["name"] for layer in net["layers"]] == [layer.module for layer in layers]
        assert [layer["stage"] for layer in net["layers"]] == [layer.stage for layer in layers]
        assert [layer["shape"] for layer in net["layers"]] == [layer.shape for layer in layers]
        assert (net["seeds"], net["images"]) == ([3, 4], 8)
        signals = [
            measure_signal(spec.to_dict(), DIGITS.to_dict(), images=8, seed=seed) for seed in (3, 4)
        ]
        for i, layer in enumerate(net["layers"]):
            assert layer["gradient_norms"] == [s.gradient_norm[i] for s in signals]
            assert layer["response_stds"] == [s.response_std[i] for s in signals]
            assert layer["gradient_norm"] == pytest.approx(sum(layer["gradient_norms"]) / 2)
            assert layer["response_std"] == pytest.approx(sum(layer["response_stds"]) / 2)
        assert net["ratio"]["batches"] == [s.ratio for s in signals]


def test_what_is_not_finite_is_null_in_the_json_and_a_dash_in_the_table(tmp_path, capsys):
    file = tmp_path / "out.json"
    options = ("--families", "resnet", "--depths", "8", "--norm", "none", "--init", "fixup")
    assert command(*options, "--json", str(file)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:4] == ["resnet-8", "-", "-", "-"]
    assert lines[-1].startswith("-:")
    (net,) = json.loads(file.read_text("utf-8"))["nets"]
    assert net["ratio"]["median"] is None
    assert net["layers"][0]["gradient_norm"] == 0
    assert net["net"]["init"] == "fixup"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--depths", "21"), "nearest: 20, 26"),
        (("--depths", "x"), "whole numbers"),
        (("--families", "plane"), "plain"),
        (("--init", "fixup"), "fixup"),
        (("--init-std", "0.1"), "init_std"),
        (("--init", "normal", "--init-std", "0"), "init_std"),
        (("--images", "1"), "images"),
        (("--batches", "0"), "batches"),
        (("--seed", "-1"), "seed"),
        (("--image-size", "7"), "image_size"),
        (("--data", "cifar10"), "download cifar10"),
        (("--folder", "no-such-folder", "--data", "folder"), "no-such-folder"),
        (("--json", "no/such/folder/out.json"), "no/such/folder"),
    ],
)
def test_bad_options_say_what_is_wrong(arguments, word, capsys):
    assert command(*arguments) == 2
    assert word in capsys.readouterr().err
