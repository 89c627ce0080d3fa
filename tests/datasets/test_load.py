"""`load` gives real images, split and scaled as it says."""

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from resnet_viz.datasets.errors import DataError
from resnet_viz.datasets.images import Images, keep, read_cache, resize, write_cache
from resnet_viz.datasets.load import channel_statistics, load
from resnet_viz.specs import DataSpec


def rows(images, labels):
    """Images with their labels as a sorted list, to compare sets of them."""
    return sorted(zip((x.numpy().tobytes() for x in images), labels.tolist(), strict=True))


def test_digits_are_scikit_learns():
    data, theirs = load(DataSpec("digits")), load_digits()
    images = torch.cat([data.train_images, data.test_images])
    labels = torch.cat([data.train_labels, data.test_labels])
    expected = torch.tensor(np.round(theirs.images / 16 * 255).astype(np.uint8))[:, None]
    assert rows(images, labels) == rows(expected, torch.tensor(theirs.target))


def test_digits_split_has_every_class_alike():
    data = load(DataSpec("digits"))
    assert (len(data.train_labels), len(data.val_labels), len(data.test_labels)) == (1437, 0, 360)
    counts = torch.bincount(data.test_labels)
    assert counts.max() - counts.min() <= 2  # classes have 174 to 183 images in all


def test_types_and_shapes():
    data = load(DataSpec("digits", image_size=16, val_images=37))
    assert data.train_images.shape == (1400, 1, 16, 16)
    assert data.val_images.shape == (37, 1, 16, 16)
    assert data.train_images.dtype == data.test_images.dtype == torch.uint8
    assert data.train_labels.dtype == data.val_labels.dtype == torch.int64
    assert data.train_masks is None


def test_validation_images_are_taken_from_the_training_images():
    whole, held = load(DataSpec("digits")), load(DataSpec("digits", val_images=400))
    assert rows(whole.train_images, whole.train_labels) == sorted(
        rows(held.train_images, held.train_labels) + rows(held.val_images, held.val_labels)
    )
    assert torch.bincount(held.val_labels, minlength=10).min() >= 20  # a sample, not a tail
    torch.testing.assert_close(whole.test_images, held.test_images)


def test_mean_and_deviation_are_of_the_training_images_alone():
    data = load(DataSpec("digits", val_images=400))
    pixels = data.train_images.double() / 255
    torch.testing.assert_close(data.mean.double(), pixels.mean((0, 2, 3)))
    torch.testing.assert_close(data.std.double(), pixels.std((0, 2, 3), correction=0))


def test_statistics_by_channel_and_of_a_constant_channel():
    images = torch.randint(0, 256, (50, 3, 9, 9), dtype=torch.uint8)
    images[:, 2] = 200
    mean, std = channel_statistics(images)
    torch.testing.assert_close(mean[:2].double(), (images / 255).double().mean((0, 2, 3))[:2])
    assert mean[2] == pytest.approx(200 / 255)
    assert std[2] == pytest.approx(1 / 255)  # can be divided by


def test_too_many_validation_images_are_refused_and_the_most_is_named():
    with pytest.raises(DataError, match=r"Use at most (\d+)") as caught:
        load(DataSpec("digits", val_images=1437))
    most = int(str(caught.value).split()[-1].rstrip("."))
    data = load(DataSpec("digits", val_images=most))
    assert torch.bincount(data.train_labels, minlength=10).min() == 2
    with pytest.raises(DataError):
        load(DataSpec("digits", val_images=most + 1))


def test_second_load_is_the_same_object_whatever_the_augmentation():
    first = load(DataSpec("shapes", image_size=8))
    assert load(DataSpec("shapes", image_size=8, crop_padding=4, flip=True)) is first


def test_resizing_agrees_with_pil():
    images = torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8)
    for size in (16, 20, 48):
        theirs = [
            np.asarray(
                Image.fromarray(x.permute(1, 2, 0).numpy()).resize(
                    (size, size), Image.Resampling.BILINEAR
                )
            )
            for x in images
        ]
        ours = resize(images, size).permute(0, 2, 3, 1).numpy()
        assert np.abs(ours.astype(int) - np.stack(theirs)).max() <= 1


def test_a_set_that_does_not_fit_into_memory_is_refused(monkeypatch):
    class Memory:
        total = 10**6

    monkeypatch.setattr("psutil.virtual_memory", Memory)
    with pytest.raises(DataError, match="smaller image size"):
        load(DataSpec("shapes", image_size=128))


@pytest.fixture
def images():
    pixels = torch.randint(0, 256, (6, 1, 8, 8), dtype=torch.uint8)
    labels = torch.arange(6) % 2
    return Images(
        *(pixels, labels, pixels[:2].clone(), labels[:2].clone(), ("no", "yes")),
        train_masks=pixels[:, 0] > 99,
        notes=("one",),
    )


def test_cache_gives_back_what_it_was_given(tmp_path, images):
    path = tmp_path / "cache" / "x.safetensors"
    assert read_cache(path, "1") is None
    write_cache(path, images, "1")
    again = read_cache(path, "1")
    assert again is not None
    for name, value in vars(images).items():
        if torch.is_tensor(value):
            assert torch.equal(getattr(again, name), value)
        else:
            assert getattr(again, name) == value
    assert read_cache(path, "2") is None
    assert [p.name for p in path.parent.iterdir()] == ["x.safetensors"]


@pytest.mark.parametrize("keep_bytes", [0, 7, 100, 400])
def test_a_damaged_cache_is_made_again(home, keep_bytes):
    first = load(DataSpec("digits", image_size=9))
    path = home / "cache" / "digits.safetensors"
    path.write_bytes(path.read_bytes()[:keep_bytes])
    again = load(DataSpec("digits", image_size=10 + keep_bytes % 50))
    assert torch.equal(again.train_labels, first.train_labels)
    assert path.stat().st_size > 100_000


def test_a_data_folder_that_cannot_be_written_does_not_stop_a_load(home, caplog):
    home.parent.mkdir(parents=True)
    home.write_text("a file where the folder should be")
    assert len(load(DataSpec("digits", image_size=11)).train_labels) == 1437
    assert "could not be kept" in caplog.text


def test_a_failed_write_leaves_nothing_behind(tmp_path, images, monkeypatch):
    def full_disk(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("resnet_viz.datasets.images.save_file", full_disk)
    keep(tmp_path / "x", images, "1")
    assert list(tmp_path.iterdir()) == []
