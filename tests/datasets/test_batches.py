"""Batches and augmentation are functions of (seed, step) and do what the papers say."""

import pytest
import torch

from resnet_viz.datasets.batches import augment, batch_indices, crop, mix_seed, normalize
from resnet_viz.specs import DataSpec

CROP_AND_FLIP = DataSpec("cifar10", crop_padding=4, flip=True)


@pytest.mark.parametrize(("n", "batch_size"), [(100, 20), (103, 20), (7, 20), (1437, 64), (1, 3)])
def test_every_epoch_covers_the_set_once(n, batch_size):
    steps = -(-5 * n // batch_size)
    batches = [batch_indices(n, batch_size, step, seed=3) for step in range(steps)]
    assert {len(batch) for batch in batches} == {batch_size}
    stream = torch.cat(batches)
    for epoch in range(5):
        assert sorted(stream[epoch * n : (epoch + 1) * n].tolist()) == list(range(n))


def test_epochs_and_seeds_have_orders_of_their_own():
    orders = {
        tuple(batch_indices(50, 50, step, seed).tolist()) for step in range(3) for seed in range(3)
    }
    assert len(orders) == 9


def test_a_resumed_run_draws_what_it_would_have_drawn():
    straight = [batch_indices(103, 20, step, 5) for step in range(12)]
    resumed = [batch_indices(103, 20, step, 5) for step in range(8, 12)]
    assert all(map(torch.equal, straight[8:], resumed))
    images = torch.randint(0, 256, (8, 3, 16, 16), dtype=torch.uint8)
    straight = [augment(images, CROP_AND_FLIP, 5, step) for step in range(6)]
    torch.manual_seed(99)  # the global generator has no say
    torch.rand(7)
    assert torch.equal(augment(images, CROP_AND_FLIP, 5, 4), straight[4])
    assert not torch.equal(straight[3], straight[4])
    assert not torch.equal(augment(images, CROP_AND_FLIP, 6, 4), straight[4])


def test_changing_a_batch_in_place_does_not_change_the_next_call():
    batch = batch_indices(10, 4, 0, 0)
    expected = batch.clone()
    batch.zero_()
    assert torch.equal(batch_indices(10, 4, 0, 0), expected)


def test_mixed_seeds_are_stable_and_all_different():
    assert mix_seed(0, 0, 0) == mix_seed(0, 0, 0)
    numbers = {mix_seed(a, b, c) for a in range(20) for b in range(3) for c in range(50)}
    assert len(numbers) == 3000
    assert all(0 <= number < 2**64 for number in numbers)


def test_crops_of_a_picture_that_was_cut_by_hand():
    image = torch.arange(1, 10, dtype=torch.uint8).reshape(1, 1, 3, 3).repeat(3, 1, 1, 1)
    top, left = torch.tensor([0, 1, 2]), torch.tensor([0, 1, 0])
    expected = [
        [[0, 0, 0], [0, 1, 2], [0, 4, 5]],  # up and left: zeros come in
        [[1, 2, 3], [4, 5, 6], [7, 8, 9]],  # the middle: as it was
        [[0, 4, 5], [0, 7, 8], [0, 0, 0]],  # down and left
    ]
    assert crop(image, 1, top, left)[:, 0].tolist() == expected


def test_augmented_images_are_crops_mirrored_or_not():
    padding, size = 2, 8
    images = torch.randint(1, 256, (200, 3, size, size), dtype=torch.uint8)
    data = DataSpec("cifar10", crop_padding=padding, flip=True)
    padded = torch.nn.functional.pad(images, [padding] * 4)
    seen = set()
    for i, image in enumerate(augment(images, data, seed=1, step=2)):
        for mirrored in (False, True):
            upright = image.flip(-1) if mirrored else image
            for top in range(2 * padding + 1):
                for left in range(2 * padding + 1):
                    window = padded[i, :, top : top + size, left : left + size]
                    if torch.equal(upright, window):
                        seen.add((i, mirrored, top, left))
    assert sorted(i for i, *_ in seen) == list(range(200))  # each is one of them, once
    assert 70 < sum(mirrored for _, mirrored, *_ in seen) < 130
    assert {top for *_, top, _ in seen} == {left for *_, left in seen} == set(range(5))


def test_only_what_the_spec_asks_for_is_done():
    images = torch.randint(0, 256, (64, 1, 8, 8), dtype=torch.uint8)
    assert torch.equal(augment(images, DataSpec("digits"), 0, 0), images)
    flipped = augment(images, DataSpec("shapes", flip=True), 0, 0)
    kept = (flipped == images).flatten(1).all(1)
    assert torch.equal(flipped[~kept], images[~kept].flip(-1))
    assert 0 < kept.sum() < 64


def test_the_images_that_came_in_stay_as_they_are():
    images = torch.randint(0, 256, (16, 3, 8, 8), dtype=torch.uint8)
    before = images.clone()
    augment(images, CROP_AND_FLIP, 0, 0)
    assert torch.equal(images, before)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_normalised_values_and_layout(dtype, channels_last):
    images = torch.randint(0, 256, (5, 3, 8, 8), dtype=torch.uint8)
    mean, std = torch.tensor([0.1, 0.5, 0.9]), torch.tensor([0.2, 0.3, 0.4])
    ours = normalize(images, mean, std, dtype, channels_last)
    expected = (images.double() / 255 - mean[:, None, None]) / std[:, None, None]
    assert ours.dtype == dtype
    assert ours.is_contiguous(
        memory_format=torch.channels_last if channels_last else torch.contiguous_format
    )
    tolerance = 1e-5 if dtype == torch.float32 else 0.02
    torch.testing.assert_close(ours.double(), expected, atol=tolerance, rtol=tolerance)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_device_does_not_change_what_is_drawn():
    images = torch.randint(0, 256, (32, 3, 16, 16), dtype=torch.uint8)
    there = augment(images.cuda(), CROP_AND_FLIP, 4, 7)
    assert there.is_cuda
    assert torch.equal(there.cpu(), augment(images, CROP_AND_FLIP, 4, 7))
