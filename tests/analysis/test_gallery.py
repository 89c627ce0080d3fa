"""Images of a data set as a page offers them."""

import numpy as np
import pytest
from torch.nn import functional as F

from resnet_viz.analysis.evaluation_answers import _data_images
from resnet_viz.analysis.gallery_answers import find_images
from resnet_viz.analysis.gallery_jobs import gallery_question
from resnet_viz.datasets import catalogue
from resnet_viz.datasets.load import load
from resnet_viz.specs import DataSpec


def ask(data, size, count=30):
    question = gallery_question(data, size, count)
    return question.combine([find_images(**job.arguments) for job in question.jobs])


def test_shapes_of_every_class_in_turn_with_their_masks():
    found = ask(DataSpec("shapes"), 32)
    data = load(DataSpec("shapes", image_size=32))
    assert found.labels.tolist() == list(range(10)) * 3
    for n in (0, 13, 29):
        place = int(found.places[n])
        assert int(data.test_labels[place]) == found.labels[n]
        assert (found.images[n] == data.test_images[place].permute(1, 2, 0).numpy()).all()
        assert (found.masks[n] == data.test_masks[place].numpy()).all()
        earlier = data.test_labels[:place].tolist().count(int(found.labels[n]))
        assert earlier == n // 10
    assert found.title(3) == f"{found.classes[found.labels[3]]}, test image {found.places[3]}"


def test_grey_images_come_in_three_equal_channels_at_the_size_of_the_net():
    found = ask(DataSpec("digits"), 24, 12)
    assert found.images.shape == (12, 24, 24, 3)
    assert found.masks is None
    original = load(DataSpec("digits")).test_images[int(found.places[5])][None]
    larger = F.interpolate(original, (24, 24), mode="bilinear", antialias=True)[0, 0].numpy()
    for channel in range(3):
        assert (found.images[5, :, :, channel] == larger).all()


def test_large_shapes_are_drawn_smaller_and_enlarged_with_their_masks(monkeypatch):
    monkeypatch.setattr(catalogue, "DRAWN_PIXELS", 16)
    found = ask(DataSpec("shapes"), 64, 3)
    drawn = load(DataSpec("shapes", image_size=16))
    assert found.images.shape == (3, 64, 64, 3)
    for n in range(3):
        mask = drawn.test_masks[int(found.places[n])].numpy()
        assert (found.masks[n] == mask.repeat(4, 0).repeat(4, 1)).all()
        image = drawn.test_images[int(found.places[n])].permute(1, 2, 0).float().numpy()
        assert np.abs(found.images[n].mean((0, 1)) - image.mean((0, 1))).max() < 3


@pytest.mark.parametrize("size", [12, 64])
def test_a_net_is_shown_the_shapes_on_which_it_is_evaluated(monkeypatch, size):
    monkeypatch.setattr(catalogue, "DRAWN_PIXELS", 16)
    shown = ask(DataSpec("shapes"), size, 10)
    last = int(shown.places.max())
    images, labels = _data_images(DataSpec("shapes"), size, "test", 0, last + 1)
    assert (images[shown.places].permute(0, 2, 3, 1).numpy() == shown.images).all()
    assert (labels[shown.places].numpy() == shown.labels).all()


def test_a_changed_folder_is_another_question(tmp_path):
    from PIL import Image

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for n in range(4):
            Image.new("RGB", (16, 16), (40 * n, 9, 9)).save(tmp_path / name / f"{n}.png")
    data = DataSpec("folder", folder=str(tmp_path))
    before = gallery_question(data, 16).jobs[0].key
    assert gallery_question(data, 16).jobs[0].key == before
    Image.new("RGB", (16, 16), (1, 2, 3)).save(tmp_path / "a" / "9.png")
    assert gallery_question(data, 16).jobs[0].key != before
