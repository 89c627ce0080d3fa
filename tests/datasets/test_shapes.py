"""Drawn shapes: seeded, balanced, and every mask lies on its object."""

import numpy as np
import pytest
import torch

from resnet_viz.datasets.catalogue import SHAPES_CLASSES
from resnet_viz.datasets.load import load
from resnet_viz.datasets.shapes import draw
from resnet_viz.specs import DataSpec

LABELS = np.arange(200) % 10


@pytest.mark.parametrize("size", [16, 33])
def test_masks_cover_what_changes_when_the_object_is_drawn(size):
    scenes, empty = draw(LABELS, size, seed=7), draw(LABELS, size, seed=7, objects=False)
    changed = (scenes.images != empty.images).any(1)
    assert not empty.masks.any()
    assert changed[scenes.masks].mean() > 0.999  # by chance one has the ground's colour
    # Only the fine tips of a shape reach further than a pixel beyond its mask.
    assert (changed & ~widened(scenes.masks, 1)).sum() < 0.01 * changed.sum()
    assert not (changed & ~widened(scenes.masks, 3)).any()


def widened(masks, pixels):
    side = 2 * pixels + 1
    padded = np.pad(masks, ((0, 0), (pixels, pixels), (pixels, pixels)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2))
    return windows.any((-1, -2))


def test_every_object_can_be_seen_and_lies_inside():
    masks = draw(LABELS, 32, seed=8).masks
    pixels = masks.sum((1, 2))
    assert pixels.min() > 20
    assert pixels.max() < 32 * 32 / 2


def test_an_object_has_one_colour_that_stands_out():
    scenes = draw(LABELS, 32, seed=9)
    for image, mask in zip(scenes.images, scenes.masks, strict=True):
        inside, outside = image[:, mask].max(0), image[:, ~mask].max(0)
        assert np.median(inside) > np.median(outside) + 50


def test_areas_tell_the_shapes_apart_as_geometry_says():
    """Mean mask areas at equal sizes: a ring is a disc less its hole, and so on."""
    areas = {}
    for label, name in enumerate(SHAPES_CLASSES):
        masks = draw(np.full(150, label), 48, seed=3).masks  # one seed: the same sizes and places
        areas[name] = masks.sum((1, 2)).mean()
    disc = areas["circle"] / 0.85**2
    assert areas["ring"] / disc == pytest.approx(0.95**2 - 0.52**2, rel=0.03)
    assert areas["square"] / disc == pytest.approx(2 / np.pi, rel=0.03)
    assert areas["triangle"] / disc == pytest.approx(3 * np.sqrt(3) / 4 / np.pi, rel=0.03)
    assert areas["hourglass"] / disc == pytest.approx(2 * 0.65 * 0.75 / np.pi, rel=0.06)


def test_the_same_seed_draws_the_same_and_another_does_not():
    first, again, other = (draw(LABELS, 16, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.images, again.images)
    assert not (first.images == other.images).all((1, 2, 3)).any()


def test_another_size_shows_the_same_scenes():
    small, large = draw(LABELS, 16, seed=1), draw(LABELS, 64, seed=1)
    halves = large.masks.reshape(200, 16, 4, 16, 4).mean((2, 4)) >= 0.5
    assert (halves == small.masks).mean() > 0.98


def test_the_data_set_is_balanced_and_its_halves_are_not_the_same_pictures():
    data = load(DataSpec("shapes", image_size=16))
    assert torch.bincount(data.train_labels).tolist() == [500] * 10
    assert torch.bincount(data.test_labels).tolist() == [100] * 10
    assert data.train_images.shape == (5000, 3, 16, 16)
    train = {x.numpy().tobytes() for x in data.train_images}
    assert len(train) == 5000
    assert not train & {x.numpy().tobytes() for x in data.test_images}


def test_masks_stay_with_their_images():
    data = load(DataSpec("shapes", image_size=16, val_images=1000))
    assert data.train_masks is not None
    assert data.train_masks.shape == (4000, 16, 16)
    bright = data.train_images.amax(1).float()
    inside = (bright * data.train_masks).sum((1, 2)) / data.train_masks.sum((1, 2))
    outside = (bright * ~data.train_masks).sum((1, 2)) / (~data.train_masks).sum((1, 2))
    assert (inside > outside + 20).float().mean() > 0.999
