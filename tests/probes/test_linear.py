"""Linear probes against scikit-learn called directly, plain hooks, and data with a known answer."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from resnet_viz.layers import blocks_of
from resnet_viz.nets.build import build_net
from resnet_viz.probes import linear
from resnet_viz.probes.activations import ActivationError
from resnet_viz.probes.linear import ConvergenceError, fit_probe, placed, pool, probe_points
from resnet_viz.specs import NetSpec

NETS = [
    NetSpec("plain", 8, width=4),
    NetSpec("resnet", 14, width=4),
    NetSpec("preact", 8, width=4),
    NetSpec("resnet", 18, width=4, blocks=(2, 2, 2, 2), stem="imagenet"),
]


def blobs(classes=3, images=60, channels=5, distance=1.0, seed=0):
    """Gaussian clouds of very different scale a channel: features and labels."""
    labels = np.arange(images) % classes
    centres = distance * np.random.default_rng(99).normal(size=(classes, channels))
    random = np.random.default_rng(seed)
    features = centres[labels] + random.normal(size=(images, channels))
    return (features * 10.0 ** np.arange(channels) + 7).astype(np.float32), labels


@pytest.mark.parametrize("spec", NETS, ids=lambda spec: f"{spec.family}-{spec.depth}")
def test_pooled_outputs_are_the_means_that_a_plain_hook_sees(spec):
    torch.manual_seed(0)
    net, x = build_net(spec, 5, 3).train(), torch.randn(3, 3, 32, 32)
    points = probe_points(spec)
    blocks = blocks_of(spec)
    names = [f"stage{b.stage}.block{b.block}" for b in blocks]
    assert [point.name for point in points[1:]] == names
    pooled, logits = pool(net, x, points)
    assert net.training
    net.eval()
    seen = []
    for module in [net.stem, *(net.get_submodule(block.module) for block in blocks)]:
        module.register_forward_hook(lambda _m, _i, out: seen.append(out))
    with torch.no_grad():
        torch.testing.assert_close(logits, net(x))
    for found, maps in zip(pooled, seen, strict=True):
        torch.testing.assert_close(found, maps.flatten(2).sum(2) / maps[0, 0].numel())


@pytest.mark.parametrize("classes", [2, 3])
def test_a_probe_is_scikit_learns_logistic_regression_on_standardised_features(classes):
    train, labels = blobs(classes)
    test, test_labels = blobs(classes, seed=1)
    probe = fit_probe(train, labels, test, test_labels, classes)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=linear.C, max_iter=5000))
    model.fit(train.astype(np.float64), labels)
    assert probe.train_error == pytest.approx(1 - model.score(train, labels))
    assert probe.test_error == pytest.approx(1 - model.score(test, test_labels))
    assert 0 < probe.test_error < 1 - 1 / classes
    logits = torch.from_numpy(test @ probe.weights.T + probe.bias)
    expected = model.predict_proba(test.astype(np.float64))
    np.testing.assert_allclose(logits.softmax(1).numpy(), expected, atol=1e-4)


def test_classes_far_apart_are_told_apart_without_an_error():
    train, labels = blobs(distance=50)
    probe = fit_probe(train, labels, train, labels, 3)
    assert (probe.train_error, probe.test_error) == (0, 0)


def test_labels_that_have_nothing_to_do_with_the_features_are_not_read_from_them():
    train, labels = blobs(images=3000)
    random = np.random.default_rng(0)
    probe = fit_probe(train, random.permutation(labels), train, random.permutation(labels), 3)
    assert probe.test_error == pytest.approx(2 / 3, abs=0.05)


def test_a_class_without_a_training_image_is_never_named():
    train, labels = blobs(3)
    probe = fit_probe(train, labels + 1, train, np.zeros_like(labels), 5)
    assert probe.weights.shape == (5, 5)
    assert probe.test_error == 1
    rows = placed([probe.weights], [probe.bias], [torch.from_numpy(train[:1])])
    assert rows[0, 0] == rows[0, 4] == 0
    assert rows.sum() == pytest.approx(1)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e4 / 3])
def test_a_channel_that_never_changes_does_no_harm(value):
    train, labels = blobs(distance=50)
    train[:, 2] = value
    probe = fit_probe(train, labels, train, labels, 3)
    assert probe.train_error == 0
    np.testing.assert_array_equal(probe.weights[:, 2], 0)


def test_what_cannot_be_fitted_is_said(monkeypatch):
    train, labels = blobs()
    monkeypatch.setattr(linear, "MOST_ITERATIONS", 2)
    with (
        pytest.warns(match="failed to converge"),
        pytest.raises(ConvergenceError, match="2 iterations"),
    ):
        fit_probe(train, labels, train, labels, 3)
    train[0, 0] = np.inf
    with pytest.raises(ActivationError, match="not finite"):
        fit_probe(train, labels, train, labels, 3)


def test_the_nets_own_head_as_a_probe_says_what_the_net_says():
    torch.manual_seed(0)
    net, x = build_net(NETS[1], 5, 3).eval(), torch.randn(1, 3, 32, 32)
    pooled, logits = pool(net, x, probe_points(NETS[1]))
    head = net.head.linear
    rows = placed([head.weight.detach().numpy()], [head.bias.detach().numpy()], pooled[-1:])
    np.testing.assert_allclose(rows, logits.softmax(1).numpy(), atol=1e-6)
