"""Every method gives what captum gives that is called directly, whole and in shares."""

import math
import warnings
from dataclasses import replace

import captum.attr as ca
import numpy as np
import pytest
import torch
from torch import nn

from resnet_viz.methods import NAMES, method
from resnet_viz.probes.attributions.run import attribute
from resnet_viz.probes.attributions.shares import Share, add, finish
from tests.probes.attributions.making import MEAN, NETS, SIDE, STD, blurred, subject_of

CASES = [
    *((name, {}) for name in NAMES),
    ("integrated-gradients", {"steps": 17, "baseline": "blurred"}),
    ("smoothgrad", {"samples": 11, "noise": 0.3, "seed": 5}),
    ("vargrad", {"samples": 8, "noise": 0.05, "seed": 1}),
    ("gradient-shap", {"samples": 9, "noise": 0.0, "seed": 3, "baseline": "white"}),
    ("deeplift", {"baseline": "black"}),
    ("occlusion", {"window": 5, "stride": 4, "baseline": "black"}),  # the last window is clipped
    ("occlusion", {"window": 16, "stride": 16}),
    ("occlusion", {"window": 3, "stride": 3, "baseline": "blurred"}),
    ("feature-ablation", {"segments": "grid", "count": 9, "baseline": "white"}),
    ("feature-ablation", {"count": 20}),
    ("grad-cam", {"point": "stage2.block1"}),
    ("hirescam", {"point": "stage1.block1"}),
    ("guided-grad-cam", {"point": "stage2.block1"}),
]


def filled(name, given, spec):
    return method(name, spec, SIDE).fill(given)


def in_shares(name, subject, parameters, of):
    parts = [attribute(name, subject, parameters, Share(i, of)) for i in range(of)]
    return finish(add(parts))


def baseline_of(x, kind):
    """The baselines again, in words of their own."""
    pixels = x * torch.tensor(STD).reshape(1, 3, 1, 1) + torch.tensor(MEAN).reshape(1, 3, 1, 1)
    if kind == "blurred":
        pixels = blurred(pixels)
    else:
        flat = {"mean": torch.tensor(MEAN).reshape(1, 3, 1, 1), "black": 0.0, "white": 1.0}[kind]
        pixels = pixels * 0 + flat
    return (pixels - torch.tensor(MEAN).reshape(1, 3, 1, 1)) / torch.tensor(STD).reshape(1, 3, 1, 1)


def layer_of(net, point):
    stage, block = (int(part[-1]) for part in point.split("."))
    return net.stages[stage - 1][block - 1]


def same_baseline(subject, p):
    """The subject's baseline, which is held against the same in other words.

    captum gets it to the last digit: where a ReLU's input on the way is all but zero, rounding
    decides whether its gradient is 0 or 1.
    """
    found = subject.baseline(p)
    torch.testing.assert_close(found, baseline_of(subject.x, p["baseline"]), rtol=0, atol=1e-5)
    return found


def by_captum(name, subject, p, batch=None):
    """captum, called as its documentation says, without shares.

    Args:
        batch: images in one pass of Integrated Gradients, since others round otherwise; None for
            all.
    """
    net, target = subject.net, subject.target
    x = subject.x.clone().requires_grad_()
    baseline = same_baseline(subject, p) if "baseline" in p else None
    layer = layer_of(net, p["point"]) if "point" in p else None
    noise = (x.max() - x.min()).item() * p.get("noise", 0)
    torch.manual_seed(p.get("seed", 0))
    np.random.seed(p.get("seed", 0))
    window = (3, p.get("window"), p.get("window"))
    stride = (3, p.get("stride"), p.get("stride"))
    tunnel = {"nt_samples": p.get("samples"), "stdevs": noise, "target": target, "abs": False}
    calls = {
        "saliency": lambda: ca.Saliency(net).attribute(x, target),
        "input-x-gradient": lambda: ca.InputXGradient(net).attribute(x, target),
        "integrated-gradients": lambda: ca.IntegratedGradients(net).attribute(
            x, baseline, target, n_steps=p["steps"], internal_batch_size=batch
        ),
        "smoothgrad": lambda: ca.NoiseTunnel(ca.Saliency(net)).attribute(x, "smoothgrad", **tunnel),
        "vargrad": lambda: ca.NoiseTunnel(ca.Saliency(net)).attribute(x, "vargrad", **tunnel),
        "guided-backprop": lambda: ca.GuidedBackprop(net).attribute(x, target),
        "deconvolution": lambda: ca.Deconvolution(net).attribute(x, target),
        "deeplift": lambda: ca.DeepLift(net).attribute(x, baseline, target),
        "gradient-shap": lambda: ca.GradientShap(net).attribute(
            x, baseline, n_samples=p["samples"], stdevs=noise, target=target
        ),
        "occlusion": lambda: ca.Occlusion(net).attribute(x, window, stride, baseline, target)[
            :, :1
        ],
        "feature-ablation": lambda: ca.FeatureAblation(net).attribute(
            x, baseline, target, feature_mask=regions_of(x.detach(), p)
        )[:, :1],
        "grad-cam": lambda: enlarged(
            ca.LayerGradCam(net, layer).attribute(x, target, relu_attributions=True)
        ),
        "hirescam": lambda: enlarged(
            ca.LayerGradientXActivation(net, layer).attribute(x, target).sum(1, keepdim=True)
        ),
        "guided-grad-cam": lambda: ca.GuidedGradCam(net, layer).attribute(
            x, target, interpolate_mode="bilinear"
        ),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return calls[name]()[0].detach().numpy()


def enlarged(coarse):
    return nn.functional.interpolate(coarse, (SIDE, SIDE), mode="bilinear")


def regions_of(x, p):
    if p["segments"] == "grid":
        rows = math.isqrt(p["count"])
        edges = [-(-SIDE * i // rows) for i in range(rows + 1)]
        mask = torch.zeros(SIDE, SIDE, dtype=torch.long)
        for i in range(rows):
            for j in range(rows):
                mask[edges[i] : edges[i + 1], edges[j] : edges[j + 1]] = i * rows + j
        return mask[None, None]
    from skimage.segmentation import slic

    pixels = x * torch.tensor(STD).reshape(1, 3, 1, 1) + torch.tensor(MEAN).reshape(1, 3, 1, 1)
    found = slic(pixels[0].permute(1, 2, 0).numpy(), n_segments=p["count"], start_label=0)
    return torch.from_numpy(found)[None, None]


def assert_close(found, expected, at_least=0.0):
    """Within 1e-5 of the map's largest value, or of `at_least` if that is more."""
    assert found.shape == expected.shape
    assert found.dtype == np.float32
    largest = np.abs(expected).max()
    assert largest > 0, "a map of zeros shows nothing"
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * max(largest, at_least))


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize(("name", "given"), CASES, ids=lambda v: str(v))
def test_every_method_equals_captum_whole_and_in_shares(net, name, given):
    subject = subject_of(net)
    parameters = filled(name, given, NETS[net])
    expected = by_captum(name, subject, parameters)
    # Where values are differences of logits, these are rounded before they are subtracted.
    logits = subject.net(subject.x).detach()
    rounded = logits.abs().max().item() if name in ("occlusion", "feature-ablation") else 0.0
    assert_close(finish(attribute(name, subject, parameters))["values"], expected, rounded)
    if set(parameters) & {"steps", "samples", "window", "count"}:
        known = replace(subject, logits=logits)
        for of in (2, 4):
            if name == "integrated-gradients":
                expected = by_captum(name, subject, parameters, -(-parameters["steps"] // of))
            assert_close(in_shares(name, known, parameters, of)["values"], expected, rounded)
