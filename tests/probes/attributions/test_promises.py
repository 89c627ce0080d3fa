"""What can be worked out by hand, completeness, and that nothing stays behind."""

import copy
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from captum.attr import DeepLift, GuidedBackprop
from torch import nn

from resnet_viz.methods import NAMES, method
from resnet_viz.probes.attributions.gradients import hold_apart
from resnet_viz.probes.attributions.run import attribute
from resnet_viz.probes.attributions.shares import Share, add, finish
from resnet_viz.probes.attributions.subject import Subject, make_baseline
from resnet_viz.specs import NetSpec, SpecError
from tests.probes.attributions.making import MEAN, NETS, SIDE, STD, blurred, image, made, subject_of

SPEC = NETS["resnet"]


def values(name, subject, side=SIDE, **given):
    parameters = method(name, SPEC, side).fill(given)
    return finish(attribute(name, subject, parameters))["values"]


def logit(subject, x):
    with torch.no_grad():
        return subject.net(x)[0, subject.target].item()


@pytest.fixture
def linear():
    """logit[t] = w[t]·x + b[t], on grey images of 4×4 pixels."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 3)).eval()
    x = torch.randn(1, 1, 4, 4)
    return Subject(net, x, 1, (0.5,), (0.25,)), net[1].weight[1].detach().reshape(1, 4, 4).numpy()


def test_of_a_linear_net_every_method_tells_the_weights(linear):
    """Gradients are w; what adds up to the logit's difference is w·(x - baseline) at each pixel."""
    subject, w = linear
    x = subject.x[0].numpy()
    black = x - (0 - 0.5) / 0.25
    expected = {
        "saliency": (np.abs(w), {}),
        "input-x-gradient": (w * x, {}),
        "guided-backprop": (w, {}),  # there is no ReLU
        "deconvolution": (w, {}),
        "smoothgrad": (w, {"samples": 3}),
        "integrated-gradients": (w * black, {"steps": 8, "baseline": "black"}),
        "deeplift": (w * black, {"baseline": "black"}),
        "gradient-shap": (w * black, {"samples": 4, "noise": 0.0, "baseline": "black"}),
        "occlusion": (w * black, {"window": 1, "stride": 1, "baseline": "black"}),
        "feature-ablation": (
            w * black,
            {"segments": "grid", "count": 16, "baseline": "black"},
        ),
    }
    for name, (by_hand, given) in expected.items():
        found = values(name, subject, side=4, **given)
        np.testing.assert_allclose(found, by_hand, atol=2e-6, err_msg=name)
    np.testing.assert_allclose(values("vargrad", subject, side=4), 0, atol=1e-6)


def test_windows_that_overlap_are_averaged(linear):
    """Two windows of 3 in 4 pixels, the second clipped to 2: worked out pixel by pixel."""
    subject, w = linear
    part = w[0] * (subject.x[0, 0].numpy() - 0.0)
    windows = [(0, 3), (2, 4)]
    total, counts = np.zeros((4, 4)), np.zeros((4, 4))
    for top, bottom in windows:
        for left, right in windows:
            total[top:bottom, left:right] += part[top:bottom, left:right].sum()
            counts[top:bottom, left:right] += 1
    found = values("occlusion", subject, side=4, window=3, stride=2)
    np.testing.assert_allclose(found[0], total / counts, atol=2e-6)


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("integrated-gradients", {"steps": 100}),
        ("integrated-gradients", {"steps": 100, "baseline": "white"}),
        ("deeplift", {"baseline": "blurred"}),
        ("deeplift", {"baseline": "black"}),
        ("gradient-shap", {"samples": 200, "noise": 0.0}),
    ],
    ids=str,
)
def test_values_add_up_to_the_difference_of_the_logits(net, name, given):
    subject = subject_of(net)
    kind = given.get("baseline", "mean")
    baseline = make_baseline(kind, subject.x, MEAN, STD)
    expected = logit(subject, subject.x) - logit(subject, baseline)
    found = values(name, subject, **given)
    share = {"deeplift": 1e-5, "integrated-gradients": 0.01, "gradient-shap": 0.05}[name]
    assert found.sum() == pytest.approx(expected, abs=share * float(np.abs(found).sum()))


class Doubled(nn.Module):
    """An identity that gives a tensor of its own."""

    def forward(self, x):
        return x.clone()


NO_NORM = NetSpec("preact", 8, width=4, norm="none")
POOLED = NetSpec("resnet", 8, width=4, stem="imagenet")


def with_doubles(net):
    """The same net with nothing that two modules share."""
    net = copy.deepcopy(net)
    for module in list(net.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Identity):
                setattr(module, name, Doubled())
    return net


def test_relus_whose_input_goes_elsewhere_too_are_held_apart():
    """captum called directly takes a gradient that is not the ReLU's alone; see `hold_apart`."""
    subject = subject_of(NO_NORM)
    x, apart = subject.leaf(), with_doubles(subject.net)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        guided = GuidedBackprop(apart).attribute(x, subject.target)[0]
        lift = DeepLift(apart).attribute(x, 0.0, subject.target)[0].detach()
        naive = DeepLift(copy.deepcopy(subject.net)).attribute(x, 0.0, subject.target)[0]
    for name, expected in (("deeplift", lift), ("guided-backprop", guided)):
        largest = expected.abs().max().item()
        np.testing.assert_allclose(values(name, subject), expected, atol=1e-5 * largest)
    assert (naive - lift).abs().max() > 0.01 * lift.abs().max()
    expected = logit(subject, subject.x) - logit(subject, torch.zeros_like(subject.x))
    assert values("deeplift", subject).sum() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("kind", ["mean", "white", "blurred"])
def test_through_the_pooling_of_an_imagenet_stem_deeplift_is_captums(kind):
    subject = subject_of(POOLED, side=32)
    baseline = make_baseline(kind, subject.x, MEAN, STD)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        direct = DeepLift(subject.net).attribute(subject.leaf(), baseline, subject.target)[0]
    found = values("deeplift", subject, side=32, baseline=kind)
    largest = direct.abs().max().item()
    np.testing.assert_allclose(found, direct.detach(), atol=1e-5 * largest)
    if kind == "mean":  # the same everywhere before the pooling, so that no largest one moves
        expected = logit(subject, subject.x) - logit(subject, baseline)
        assert found.sum() == pytest.approx(expected, rel=1e-4)


def test_holding_apart_changes_no_logit():
    net = copy.deepcopy(made(POOLED))
    before = net(image())
    hold_apart(net)
    assert torch.equal(net(image()), before)


def state(net):
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return (
        [(m.training, *(dict(getattr(m, name)) for name in hooks)) for m in net.modules()],
        [set(vars(m)) for m in net.modules()],
        [(p.requires_grad, p.grad) for p in net.parameters()],
    )


@pytest.mark.parametrize("name", NAMES)
def test_nothing_stays_behind_and_nothing_is_warned_of(name):
    net = copy.deepcopy(made(SPEC)).train()
    net.stages[0].eval()
    net.stem.conv.weight.requires_grad_(False)
    before, tensors = state(net), copy.deepcopy(net.state_dict())
    x = image()
    subject = Subject(net, x, 1, MEAN, STD)
    kept = x.clone()
    states = torch.get_rng_state(), np.random.get_state()[1].copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values(name, subject)
    assert state(net) == before
    assert all(torch.equal(net.state_dict()[k], v) for k, v in tensors.items())
    assert torch.equal(x, kept)
    assert not x.requires_grad
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])


def test_baselines_are_what_they_are_called():
    x = image()
    for kind, pixel in {"black": 0.0, "white": 1.0}.items():
        found = make_baseline(kind, x, MEAN, STD)[0]
        seen = found * torch.tensor(STD).reshape(3, 1, 1) + torch.tensor(MEAN).reshape(3, 1, 1)
        torch.testing.assert_close(seen, torch.full_like(seen, pixel))
    assert not make_baseline("mean", x, MEAN, STD).any()
    for side in (SIDE, 5, 1):
        x = image()[..., :side, :side]
        torch.testing.assert_close(make_baseline("blurred", x, MEAN, STD), blurred(x))


@pytest.mark.parametrize("of", [1, 2, 3, 7, 10])
def test_shares_are_a_partition_of_nearly_equal_parts(of):
    parts = [Share(i, of).part(10) for i in range(of)]
    assert [unit for part in parts for unit in part] == list(range(10))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_share_without_a_region_of_its_own_adds_nothing():
    """SLIC may find fewer regions than were asked for."""
    flat = Subject(made(SPEC), torch.zeros(1, 3, SIDE, SIDE), 1, MEAN, STD)
    parameters = method("feature-ablation", SPEC, SIDE).fill({"count": 16, "baseline": "black"})
    parts = [attribute("feature-ablation", flat, parameters, Share(i, 40)) for i in range(40)]
    whole = finish(attribute("feature-ablation", flat, parameters))
    np.testing.assert_allclose(add(parts)["values"], whole["values"], atol=1e-5)


def test_another_seed_draws_other_noise_and_the_same_seed_the_same():
    subject = subject_of("plain")
    first, again, other = (values("smoothgrad", subject, samples=2, seed=s) for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize("name", ["smoothgrad", "vargrad", "gradient-shap"])
def test_noise_does_not_depend_on_how_the_image_lies_in_memory(name):
    subject = subject_of("plain")
    channels_last = subject.x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    other = replace(subject, x=channels_last)
    parameters = method(name, SPEC, SIDE).fill({"samples": 3})
    whole = finish(attribute(name, subject, parameters))["values"]
    shares = finish(add([attribute(name, other, parameters, Share(i, 3)) for i in range(3)]))
    np.testing.assert_allclose(shares["values"], whole, atol=1e-5 * np.abs(whole).max())


def test_grey_pictures_have_superpixels():
    spec = NetSpec("resnet", 8, width=4)
    torch.manual_seed(0)
    from resnet_viz.nets.build import build_net

    subject = Subject(build_net(spec, 3, 1), torch.randn(1, 1, 12, 12), 0, (0.5,), (0.5,))
    assert values("feature-ablation", subject, side=12).shape == (1, 12, 12)


def test_a_stride_that_leaves_gaps_is_refused():
    with pytest.raises(SpecError, match="stride of 5 leaves gaps between patches of 4"):
        method("occlusion", SPEC, SIDE).fill({"window": 4, "stride": 5})


def test_a_block_that_the_net_has_not_is_refused():
    with pytest.raises(SpecError, match="nearest"):
        attribute("grad-cam", subject_of("plain"), {"point": "stage3.block9"})
