"""Questions of trust, answered for a net of a run: on one image, and on the drawn shapes."""

import base64
import io
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from captum.attr import LayerAttribution, LayerGradientXActivation, Saliency
from captum.metrics import infidelity, sensitivity_max
from PIL import Image

from resnet_viz.analysis import pace
from resnet_viz.analysis.attribution_jobs import attribution_question, estimate_seconds
from resnet_viz.analysis.localisation_jobs import localisation_question
from resnet_viz.analysis.opened import open_net
from resnet_viz.analysis.pace import forward_bytes, images_in_job
from resnet_viz.analysis.pictures import as_input
from resnet_viz.analysis.trust_jobs import (
    chance_question,
    curve,
    curves_question,
    default_copies,
    infidelity_question,
    noisy_copies,
    sensitivity_question,
)
from resnet_viz.datasets.load import load
from resnet_viz.datasets.picture import picture_text
from resnet_viz.figures.attributions.measures import share_inside, strongest_inside
from resnet_viz.inside import Attribution
from resnet_viz.nets.costs import Machine
from resnet_viz.probes.trust import random_squares
from resnet_viz.sources import NetCard, Source
from resnet_viz.specs import DataSpec, NetSpec, RunSpec, SpecError, TrainSpec
from resnet_viz.training.training import Training
from tests.analysis.answers import answer

FLOAT32 = Machine("cpu", "float32", False, 0, 0, 0, 0)
SHAPES = DataSpec("shapes", image_size=16)
TARGET = 4


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Source:
    spec = RunSpec(NetSpec("resnet", 8, width=4), SHAPES, TrainSpec(steps=20, batch_size=32))
    begun = Training(spec, device="cpu", threads=1, machine=FLOAT32)
    for _ in range(20):
        begun.advance()
    path = tmp_path_factory.mktemp("run") / "20.safetensors"
    begun.checkpoint().save(path)
    return Source("run", "run:1", path=str(path), step=20, spec=spec.to_json())


@pytest.fixture(scope="module")
def card(source) -> NetCard:
    return open_net(source.to_dict()).card


@pytest.fixture(scope="module")
def image() -> str:
    rng = np.random.default_rng(5)
    return picture_text(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))


def explained(source, card, image, method="saliency", **parameters) -> Attribution:
    return answer(attribution_question(source, card, image, method, parameters, TARGET))


def case(source, image):
    opened = open_net(source.to_dict())
    return opened.net, as_input(image, opened)


def test_deletion_starts_at_the_image_and_ends_at_the_mean_colour(source, card, image):
    found = explained(source, card, image)
    deletion, insertion = answer(curves_question(source, card, image, found, steps=8))
    net, x = case(source, image)
    with torch.no_grad():
        own, mean = net(torch.cat([x, torch.zeros_like(x)])).softmax(1)[:, TARGET].tolist()
    assert (deletion.kind, insertion.kind) == ("deletion", "insertion")
    assert deletion.share == insertion.share == tuple(i / 8 for i in range(9))
    assert deletion.probability[0] == pytest.approx(own, rel=1e-5)
    assert deletion.probability[-1] == pytest.approx(mean, rel=1e-5)
    assert insertion.probability[-1] == pytest.approx(own, rel=1e-5)


def test_each_point_takes_the_next_pixels_of_the_map(source, card, image):
    found = explained(source, card, image)
    deletion, _insertion = answer(curves_question(source, card, image, found, steps=4))
    net, x = case(source, image)
    order = sorted(range(256), key=lambda i: -found.values.sum(0).flat[i])
    for step in range(5):
        changed = x.clone()
        for pixel in order[: 64 * step]:
            changed[:, :, pixel // 16, pixel % 16] = 0
        expected = net(changed).softmax(1)[0, TARGET].item()
        assert deletion.probability[step] == pytest.approx(expected, rel=1e-5)


def test_the_area_by_hand():
    found = curve("insertion", [0, 1, 2, 4], np.array([0, 1, 1, 0.5], np.float32))
    assert found.share == (0, 0.25, 0.5, 1)
    assert found.area == pytest.approx(0.125 + 0.25 + 0.375)


def test_chance_is_one_for_all_maps_and_changes_with_the_seed(source, card, image):
    ask = chance_question(source, card, image, TARGET, steps=4)
    assert answer(ask) == answer(chance_question(source, card, image, TARGET, steps=4))
    other = chance_question(source, card, image, TARGET, steps=4, seed=1)
    assert answer(ask)[0].probability[1] != answer(other)[0].probability[1]


def test_more_steps_than_pixels_are_refused(source, card, image):
    with pytest.raises(SpecError, match="nearest: 256"):
        chance_question(source, card, image, TARGET, steps=257)


def test_curves_of_a_large_net_come_in_small_jobs(source):
    net = NetSpec("resnet", 110)
    big = NetCard(net.name, net, ("a",), 96, 3, (0.5,) * 3, (0.5,) * 3, 1)
    assert 1 <= images_in_job(big) < 8
    question = chance_question(source, big, "", 0, steps=32)
    assert len(question.jobs) == 2 * math.ceil(33 / images_in_job(big))
    assert images_in_job(big) >= max(len(job.arguments["counts"]) for job in question.jobs)
    in_order = [n for job in question.jobs for n in job.arguments["counts"]]
    assert in_order == 2 * [round(i * 96**2 / 32) for i in range(33)]
    small = replace(big, net=NetSpec("plain", 8, width=1), image_size=224)
    assert images_in_job(small) == 13  # what fits into memory, not what is fast enough


def test_a_batch_that_memory_does_not_hold_is_refused_before_it_is_asked(source, card, monkeypatch):
    class Small:
        available = 2 * forward_bytes(card, 33) - 2

    monkeypatch.setattr(pace.psutil, "virtual_memory", Small)
    found = Attribution("saliency", np.zeros((3, 16, 16), np.float32), TARGET, 0.0, 0.0)
    refusal = "resnet-8 .* needs .* GB of memory for 33 images at once.* choose a smaller net"
    with pytest.raises(SpecError, match=refusal):
        curves_question(source, card, "", found, steps=32)
    assert curves_question(source, card, "", found, steps=31).jobs
    with pytest.raises(SpecError, match="for 40 images"):
        infidelity_question(source, card, "", found, samples=40)
    with pytest.raises(SpecError, match="for 64 images"):
        localisation_question(source, card, "saliency", {}, images=100)


def captums_infidelity(net, x, values, squares, normalize, local):
    def cover(images):
        covered = squares.expand(-1, 3, -1, -1)
        left = torch.where(covered, torch.zeros_like(images), images)
        return images - left if local else covered.float(), left

    found = infidelity(
        net, cover, x, values, target=TARGET, n_perturb_samples=len(squares), normalize=normalize
    )
    return found.item()


@pytest.mark.parametrize(
    ("method", "local"),
    [("input-x-gradient", False), ("occlusion", False), ("guided-backprop", True)],
)
def test_infidelity_in_parts_is_captums_in_one(source, card, image, method, local, monkeypatch):
    found = explained(source, card, image, method)
    monkeypatch.setattr("resnet_viz.analysis.trust_jobs.images_in_job", lambda _card: 7)
    question = infidelity_question(source, card, image, found, samples=20, seed=3)
    assert len(question.jobs) == 3
    measured = answer(question)
    net, x = case(source, image)
    values = torch.tensor(found.values).expand(3, -1, -1)[None] / (3 / len(found.values))
    squares = random_squares(16, 20, 3)
    plain, best = (captums_infidelity(net, x, values, squares, n, local) for n in (False, True))
    assert measured.value == pytest.approx(plain, rel=1e-5)
    assert measured.best == pytest.approx(best, rel=1e-4)
    assert 0 <= measured.unexplained <= 1
    assert measured.samples == 20


def test_parts_change_no_infidelity_and_the_maps_unit_not_the_one_at_its_best_scale(
    source, card, image, monkeypatch
):
    found = explained(source, card, image)
    at_once = answer(infidelity_question(source, card, image, found, samples=20))
    monkeypatch.setattr("resnet_viz.analysis.trust_jobs.images_in_job", lambda _card: 3)
    in_parts = answer(infidelity_question(source, card, image, found, samples=20))
    assert in_parts.value == pytest.approx(at_once.value, rel=1e-5)
    larger = Attribution(found.method, 1000 * found.values, TARGET, 0.0, 0.0)
    scaled = answer(infidelity_question(source, card, image, larger, samples=20))
    assert scaled.best == pytest.approx(at_once.best, rel=1e-4)
    assert scaled.value != pytest.approx(at_once.value)


@pytest.mark.parametrize("method", ["saliency", "hirescam"])
def test_sensitivity_is_captums(source, card, image, method):
    found = explained(source, card, image, method)
    question = sensitivity_question(source, card, image, found, {}, copies=3, levels=9)
    measured = answer(question)
    net, x = case(source, image)
    opened = open_net(source.to_dict())
    noisy = torch.cat([as_input(i, opened) for i in noisy_copies(image, card, 3, 9, 0)])

    def explain(inputs, target):
        images = inputs[0] if isinstance(inputs, tuple) else inputs
        if method == "saliency":
            maps = Saliency(net).attribute(images.requires_grad_(), target=target)
        else:
            maps = LayerGradientXActivation(net, net.stages[-1][-1]).attribute(images, target)
            maps = LayerAttribution.interpolate(maps.sum(1, keepdim=True), (16, 16), "bilinear")
        return (maps.detach(),)

    captums = sensitivity_max(
        explain, x.clone(), lambda _images: noisy.clone(), n_perturb_samples=3, target=TARGET
    )
    assert measured.largest == pytest.approx(captums.item(), rel=1e-4)
    assert measured.largest > 0
    assert len(measured.changes) == 3


def test_a_long_method_has_fewer_noisy_copies(card):
    assert default_copies(card, "saliency", {}) == 8
    net = NetSpec("resnet", 50, "bottleneck", "B", 64, (3, 4, 6, 3), stem="imagenet")
    large = replace(card, net=net, image_size=224)
    each = estimate_seconds(large, "integrated-gradients", {"steps": 100})
    copies = default_copies(large, "integrated-gradients", {"steps": 100})
    assert 2 < copies < 8
    assert copies * each <= 120 < (copies + 1) * each
    assert default_copies(large, "integrated-gradients", {"steps": 300}) == 2


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_noise_is_at_most_so_many_grey_levels(card, mode):
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    card = replace(card, channels=len(mode))
    before = np.array(Image.fromarray(pixels).convert(mode)).astype(int)
    texts = noisy_copies(picture_text(pixels), card, 2, 5, 0)
    for text in texts:
        after = np.array(Image.open(io.BytesIO(base64.b64decode(text))))
        assert after.shape == before.shape
        assert np.abs(after - before).max() == 5
    assert texts[0] != texts[1]
    assert texts == noisy_copies(picture_text(pixels), card, 2, 5, 0)


@pytest.mark.parametrize("method", ["saliency", "integrated-gradients"])
def test_localisation_explains_the_own_class_of_shapes_under_their_masks(source, card, method):
    parameters = {"steps": 8} if method == "integrated-gradients" else {}
    found = answer(localisation_question(source, card, method, parameters, images=4, seed=2))
    data, opened = load(SHAPES), open_net(source.to_dict())
    chosen = np.random.default_rng(2).permutation(1000)[:4]
    for place, number in enumerate(chosen):
        pixels, label = data.test_images[number], data.test_labels[number].item()
        text = picture_text(pixels.permute(1, 2, 0).numpy())
        ask = attribution_question(source, card, text, method, parameters, label)
        values, mask = answer(ask).values, data.test_masks[number].numpy()
        assert found.inside[place] == pytest.approx(share_inside(values, mask))
        assert found.hits[place] == strongest_inside(values, mask)
        assert found.mask_share[place] == pytest.approx(mask.mean())
        predicted = opened.net(opened.normalise(pixels[None])).argmax().item()
        assert found.correct[place] == (predicted == label)
    assert (found.net, found.method) == (card.title, method)


def test_localisation_needs_a_net_of_the_shapes(source, card):
    for data in (None, DataSpec("digits")):
        with pytest.raises(SpecError, match="drawn shapes only"):
            localisation_question(source, replace(card, data=data), "saliency", {})
    with pytest.raises(SpecError, match="nearest: 1000"):
        localisation_question(source, card, "saliency", {}, images=1001)
