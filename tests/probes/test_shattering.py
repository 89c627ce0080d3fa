"""Input gradients along a line, and how soon they forget."""

import numpy as np
import pytest
import torch
from torch import nn

from resnet_viz.nets.build import build_net
from resnet_viz.probes.shattering import (
    autocorrelation,
    fixed_statistics,
    input_gradients,
    line,
    noise_sequence,
    slope,
    walk,
)
from resnet_viz.specs import NetSpec


def net_and_images(family="resnet", norm="batch", images=6):
    torch.manual_seed(0)
    net = build_net(NetSpec(family, 8, width=4, norm=norm), 10, 1).double()
    return net, torch.randn(images, 1, 8, 8, dtype=torch.float64)


def by_numpy(values):
    """The biased estimator of a sequence of numbers, as textbooks write it."""
    values = values - np.mean(values)
    full = np.correlate(values, values, "full")[len(values) - 1 :]
    return full / full[0]


@pytest.mark.parametrize("kind", ["ramp", "wave", "white", "brown"])
def test_the_autocorrelation_is_numpys(kind):
    n = 100
    sequences = {
        "ramp": torch.arange(n, dtype=torch.float64),
        "wave": torch.sin(torch.arange(n, dtype=torch.float64) / 5),
        "white": noise_sequence("white", n, torch.Generator().manual_seed(3)),
        "brown": noise_sequence("brown", n, torch.Generator().manual_seed(3)),
    }
    found = autocorrelation(sequences[kind], 50)
    np.testing.assert_allclose(found, by_numpy(sequences[kind].numpy())[:50], atol=1e-12)


def test_of_vectors_it_weighs_components_by_their_variance():
    generator = torch.Generator().manual_seed(1)
    scale = torch.arange(1, 7).reshape(2, 3)
    vectors = torch.randn(60, 2, 3, generator=generator, dtype=torch.float64).cumsum(0) * scale
    columns = vectors.flatten(1).numpy()
    weights = columns.var(0) / columns.var(0).sum()
    expected = sum(w * by_numpy(c) for w, c in zip(weights, columns.T, strict=True))
    np.testing.assert_allclose(autocorrelation(vectors, 30), expected[:30], atol=1e-12)


def test_white_noise_forgets_at_once_and_brown_noise_slowly():
    def mean(noise):
        generator = torch.Generator().manual_seed(0)
        found = [autocorrelation(noise_sequence(noise, 256, generator), 128) for _ in range(50)]
        return torch.stack(found).mean(0)

    white, brown = mean("white"), mean("brown")
    assert white[0] == pytest.approx(1)
    assert white[1:].abs().max() < 5 / np.sqrt(256 * 50)  # five standard errors
    assert brown[1] > 0.9
    assert brown[10] > 0.5
    assert (brown[:40].diff() < 0).all()


def test_brown_noise_is_a_running_sum_of_white_noise():
    white, brown = (
        noise_sequence(noise, 64, torch.Generator().manual_seed(7)) for noise in ("white", "brown")
    )
    assert white.std() == pytest.approx(1)
    assert brown.std() == pytest.approx(1)
    steps = brown.diff()
    np.testing.assert_allclose(steps / steps[0], white[1:] / white[1], rtol=1e-9)


def test_the_autocorrelation_of_huge_numbers_is_finite_and_that_of_infinity_is_none():
    values = noise_sequence("brown", 64, torch.Generator().manual_seed(7))
    np.testing.assert_allclose(autocorrelation(1e200 * values, 20), autocorrelation(values, 20))
    values[3] = torch.inf
    assert autocorrelation(values, 20).isnan().all()


def test_the_gradient_of_a_linear_net_has_a_flat_slope_and_no_autocorrelation():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(144, 10)).double()
    images = torch.randn(2, 1, 8, 8, dtype=torch.float64)
    ends = images[0], images[1]
    gradients = torch.cat(list(walk(net, images, ends, 3, [5, 16])))
    assert gradients.abs().min() > 0
    assert autocorrelation(gradients, 8).isnan().all()
    direction = ends[1] - ends[0]
    expected = (net(images[1:]) - net(images[:1]))[0, 3] / direction.norm()
    np.testing.assert_allclose(slope(gradients, ends), expected.expand(16).detach(), rtol=1e-9)


@pytest.mark.parametrize("norm", ["batch", "none"])
@pytest.mark.parametrize("family", ["plain", "resnet", "preact"])
def test_the_input_gradients_are_those_of_each_point_alone(family, norm):
    net, images = net_and_images(family, norm)
    found = torch.cat(list(walk(net, images, (images[0], images[1]), 2, [3, 6, 7])))
    points = line(images[0], images[1], 7)
    torch.testing.assert_close(points[0], images[0])
    torch.testing.assert_close(points[-1], images[1])
    torch.testing.assert_close(points[3], (images[0] + images[1]) / 2)
    with fixed_statistics(net, images):
        for point, gradient in zip(points, found, strict=True):
            alone = point.clone().requires_grad_()
            (expected,) = torch.autograd.grad(net(alone[None])[0, 2], alone)
            torch.testing.assert_close(gradient, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_the_slope_is_the_logits_change_along_the_line(norm):
    net, images = net_and_images(norm=norm)
    ends = images[0], images[1]
    direction = (ends[1] - ends[0]) / (ends[1] - ends[0]).norm()
    points, h = line(*ends, 9), 1e-7
    gradients = torch.cat(list(walk(net, images, ends, 2, [9])))
    torch.testing.assert_close(slope(1e200 * gradients, ends), slope(gradients, ends))
    with fixed_statistics(net, images), torch.no_grad():
        change = net(points + h * direction)[:, 2] - net(points - h * direction)[:, 2]
    found = slope(gradients, ends)
    assert found.std() == pytest.approx(1)
    along = change / (2 * h)
    np.testing.assert_allclose(found, along / along.std(), rtol=1e-5)


def test_batch_norms_keep_the_statistics_of_the_images():
    net, images = net_and_images()
    with fixed_statistics(net, images):
        stem = net.stem.conv(images)
        torch.testing.assert_close(net.stem.norm.running_mean, stem.mean((0, 2, 3)))
        torch.testing.assert_close(net.stem.norm.running_var, stem.var((0, 2, 3)))
        assert not any(module.training for module in net.modules())


@pytest.mark.parametrize("end", ["finished", "closed", "failed"])
def test_the_net_comes_back_as_it_was(end):
    net, images = net_and_images()
    net.train()
    net.stages[1].eval()
    net(images).sum().backward()
    modes = [module.training for module in net.modules()]
    state = {name: value.clone() for name, value in net.state_dict().items()}
    grads = [p.grad.clone() for p in net.parameters()]
    momenta = [m.momentum for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    label = 10 if end == "failed" else 0  # there is no logit 10
    steps = walk(net, images, (images[0], images[1]), label, [2, 4])
    if end == "failed":
        with pytest.raises(IndexError):
            next(steps)
    elif end == "closed":
        next(steps)
        assert not net.training
        steps.close()
    else:
        assert [len(piece) for piece in steps] == [2, 2]
    assert [module.training for module in net.modules()] == modes
    assert [m.momentum for m in net.modules() if isinstance(m, nn.BatchNorm2d)] == momenta
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert all(torch.equal(p.grad, g) for p, g in zip(net.parameters(), grads, strict=True))


def test_asking_for_gradients_leaves_none_behind():
    net, images = net_and_images()
    net.eval()
    found = input_gradients(net, images, 0)
    assert found.shape == images.shape
    assert not found.requires_grad
    assert not images.requires_grad
    assert all(p.grad is None for p in net.parameters())
