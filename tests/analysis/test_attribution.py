"""Attributions as a page asks for them: of a run's checkpoint, for a picture, in jobs."""

import copy
import itertools
import warnings
from dataclasses import replace

import captum.attr as ca
import numpy as np
import pytest
import torch

from resnet_viz.analysis import attribution_answers, attribution_jobs, pace
from resnet_viz.analysis.attribution_answers import LEG
from resnet_viz.analysis.attribution_jobs import (
    MOST_SHARES,
    attribution_question,
    estimate_seconds,
)
from resnet_viz.analysis.opened import measure_card
from resnet_viz.analysis.pace import JOB_SECONDS
from resnet_viz.datasets.picture import picture_text
from resnet_viz.methods import NAMES, method
from resnet_viz.sources import NetCard, Source
from resnet_viz.specs import DataSpec, NetSpec, SpecError
from resnet_viz.training.checkpoint import Checkpoint
from tests.analysis.answers import answer, answers_to
from tests.analysis.sources import trained_source

PIXELS = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
IMAGE = picture_text(PIXELS)
RESNET_50 = NetSpec("resnet", 50, "bottleneck", "B", width=64, blocks=(3, 4, 6, 3), stem="imagenet")
IMAGENET = NetCard(
    "ResNet-50", RESNET_50, tuple(map(str, range(1000))), 224, 3, (0.5,) * 3, (0.25,) * 3, 25557032
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Source, card and net in evaluation mode, for colour and for grey images."""
    found = {}
    for name, net in (("shapes", NetSpec("resnet", 8, width=4)), ("digits", NetSpec("plain", 8))):
        data = DataSpec(name, image_size=16)
        source, training = trained_source(tmp_path_factory.mktemp("runs"), net, data)
        twin = copy.deepcopy(training.net).float().eval()
        found[name] = (source, measure_card(source.to_dict()), twin)
    return found


@pytest.fixture
def many_shares(monkeypatch):
    """As if the net were so large that a share is one step."""
    monkeypatch.setattr(attribution_jobs, "JOB_SECONDS", 0.0)


def normalised(card, pixels=PIXELS):
    """From the definition: scaled to 0..1, less the mean, by the deviation."""
    x = (pixels.astype(np.float64) / 255 - np.array(card.mean)) / np.array(card.std)
    return torch.tensor(x.transpose(2, 0, 1)[None], dtype=torch.float32)


def test_an_answer_is_captums_for_the_class_that_the_net_names(trained):
    source, card, net = trained["shapes"]
    x = normalised(card).requires_grad_()
    logits = net(x)[0]
    found = answer(attribution_question(source, card, IMAGE, "integrated-gradients"))
    target = logits.argmax().item()
    expected, delta = ca.IntegratedGradients(net).attribute(
        x, 0.0, target, return_convergence_delta=True
    )
    largest = expected.abs().max().item()
    np.testing.assert_allclose(found.values, expected[0].detach(), rtol=0, atol=1e-5 * largest)
    assert found.values.dtype == np.float32
    assert (found.method, found.target) == ("integrated-gradients", target)
    assert found.target_logit == pytest.approx(logits[target].item(), rel=1e-5)
    assert found.target_probability == pytest.approx(logits.softmax(0)[target].item(), rel=1e-5)
    assert found.expected == pytest.approx(
        (logits[target] - net(torch.zeros_like(x))[0, target]).item(), abs=1e-5
    )
    assert found.delta == pytest.approx(delta.item(), abs=1e-5)
    assert found.seconds > 0


@pytest.mark.parametrize("name", NAMES)
def test_every_method_is_answered_at_the_size_of_the_image(trained, name):
    source, card, _net = trained["shapes"]
    about = method(name, card.net, card.image_size)
    found = answer(attribution_question(source, card, IMAGE, name, target=1))
    assert found.target == 1
    assert found.values.shape[1:] == (16, 16)
    assert found.values.shape[0] in (1, 3)
    assert (found.coarse is not None) == about.coarse
    assert (found.delta is not None) == about.completeness == (found.expected is not None)
    assert about.signed or found.values.min() >= -1e-9


def test_grey_images_are_explained_too(trained):
    source, card, _net = trained["digits"]
    for name in ("smoothgrad", "deeplift", "feature-ablation"):
        assert answer(attribution_question(source, card, IMAGE, name)).values.shape == (1, 16, 16)


@pytest.mark.parametrize(
    ("name", "given", "shares"),
    [
        ("integrated-gradients", {"steps": 19}, 19),
        ("vargrad", {"samples": 9}, 9),
        ("gradient-shap", {"samples": 8}, 8),
        ("occlusion", {"window": 6, "stride": 5}, 9),
        ("feature-ablation", {"count": 16, "segments": "grid"}, 16),
    ],
)
def test_many_jobs_give_what_one_gives(trained, request, name, given, shares):
    source, card, _net = trained["shapes"]
    asked = (source, card, IMAGE, name, given)
    one = attribution_question(*asked)
    assert len(one.jobs) == 1
    whole = answer(one)
    request.getfixturevalue("many_shares")
    many = attribution_question(*asked)
    assert len(many.jobs) == shares
    found = answers_to(many.jobs)
    kept = [number for number, each in enumerate(found) if each["sums"] is not None]
    assert kept == sorted({*range(LEG - 1, shares, LEG), shares - 1})  # one answer a leg
    result = many.combine(found)
    largest = max(np.abs(whole.values).max(), abs(whole.target_logit))
    np.testing.assert_allclose(result.values, whole.values, rtol=0, atol=1e-5 * largest)
    assert result.target == whole.target
    assert result.seconds == pytest.approx(sum(each["seconds"] for each in found))
    if whole.delta is not None:
        assert result.expected == pytest.approx(whole.expected)
        assert result.delta == pytest.approx(whole.delta, abs=1e-4)


def test_a_new_process_goes_on_in_the_middle(trained, many_shares):
    """The sums so far are gone, and are found again; the last digit is the same."""
    source, card, _net = trained["shapes"]
    question = attribution_question(source, card, IMAGE, "smoothgrad", {"samples": 12})
    undisturbed = answer(question)
    done = itertools.count(1)

    def forget():
        if next(done) in (5, 9):
            attribution_answers._sums.cache_clear()
            attribution_answers._logits.cache_clear()

    assert np.array_equal(answer(question, between=forget).values, undisturbed.values)


def test_the_same_question_has_the_same_jobs_and_another_one_others(trained, tmp_path):
    source, card, _net = trained["shapes"]

    def keys(source=source, image=IMAGE, name="occlusion", given=None, target=0):
        question = attribution_question(source, card, image, name, given, target)
        return {job.key for job in question.jobs}

    default = method("occlusion", card.net, 16).fill()
    assert keys() == keys(given=default)
    others = [
        keys(source=replace(source, step=2)),
        keys(image=picture_text(PIXELS[::-1])),
        keys(name="saliency"),
        keys(given={"stride": 2}),
        keys(target=1),
        keys(target=None),
    ]
    assert not any(keys() & other for other in others)


@pytest.mark.parametrize(
    ("name", "given", "target", "said"),
    [
        ("salience", None, 0, "nearest: saliency"),
        ("integrated-gradients", {"step": 5}, 0, "has no parameter 'step'"),
        ("integrated-gradients", {"steps": 5000}, 0, "use 8 to 300"),
        ("grad-cam", {"point": "stage9.block1"}, 0, "point 'stage9.block1' is not known"),
        ("saliency", None, 99, "target 99 is out of range"),
        ("saliency", None, "dog", "target 'dog' is not a whole number"),
        ("occlusion", {"window": 2, "stride": 3}, 0, "leaves gaps"),
    ],
)
def test_bad_questions_are_refused_before_anything_is_asked(trained, name, given, target, said):
    source, card, _net = trained["shapes"]
    with pytest.raises(SpecError, match=said):
        attribution_question(source, card, IMAGE, name, given, target)


def test_what_would_take_an_hour_is_refused_with_a_way_out():
    source = Source("imagenet", "imagenet:resnet50")
    with pytest.raises(SpecError, match=r"Occlusion would send 44100 images .* a larger stride"):
        attribution_question(source, IMAGENET, IMAGE, "occlusion", {"window": 15, "stride": 1})


@pytest.mark.parametrize("name", NAMES)
def test_jobs_of_large_nets_are_short_and_few(name):
    """As far as arithmetic tells; a single pass cannot be divided."""
    source = Source("imagenet", "imagenet:resnet50")
    question = attribution_question(source, IMAGENET, IMAGE, name)
    seconds = estimate_seconds(IMAGENET, name) / len(question.jobs)
    indivisible = 2.0  # DeepLift's two images
    assert seconds <= (1.01 * JOB_SECONDS if len(question.jobs) > 1 else indivisible)
    assert len(question.jobs) <= MOST_SHARES


def test_more_steps_take_longer_and_small_nets_take_one_job(trained):
    source, card, _net = trained["shapes"]
    few, many = (estimate_seconds(IMAGENET, "smoothgrad", {"samples": n}) for n in (10, 100))
    assert many == pytest.approx(10 * few, rel=0.05)
    assert estimate_seconds(card, "smoothgrad") < few / 50
    for name in NAMES:
        assert len(attribution_question(source, card, IMAGE, name).jobs) == 1


def test_little_memory_means_smaller_batches_and_none_a_refusal(monkeypatch):
    source = Source("imagenet", "imagenet:resnet50")

    class Memory:
        available = 10**12

    def shares(available):
        Memory.available = available
        return len(attribution_question(source, IMAGENET, IMAGE, "integrated-gradients").jobs)

    monkeypatch.setattr(pace.psutil, "virtual_memory", Memory)
    assert shares(10**12) == shares(10**9) == 25  # two steps a job, whatever else is free
    assert shares(5 * 10**8) == 50
    with pytest.raises(SpecError, match=r"needs 0.2 GB of memory for ResNet-50 .* smaller net"):
        shares(10**8)


def test_a_net_that_is_not_finite_says_so(trained, tmp_path):
    source, card, _net = trained["shapes"]
    found = Checkpoint.load(source.path)
    found.tensors["net.head.linear.bias"][:] = torch.inf
    path = tmp_path / "broken.safetensors"
    found.save(path)
    broken = replace(source, path=str(path), fingerprint="broken")
    assert "not finite" in answer(attribution_question(broken, card, IMAGE, "saliency"))


def test_captum_is_quiet_and_the_opened_net_stays_frozen(trained):
    source, card, _net = trained["shapes"]
    from resnet_viz.analysis.opened import open_net

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in NAMES:
            answer(attribution_question(source, card, IMAGE, name, target=2))
    net = open_net(source.to_dict()).net
    assert not net.training
    assert not any(p.requires_grad or p.grad is not None for p in net.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())
