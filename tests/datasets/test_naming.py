"""What images are called for people who do not have the folder."""

from dataclasses import replace

import pytest

from resnet_viz.datasets import catalogue, naming
from resnet_viz.datasets.catalogue import CIFAR10_CLASSES
from resnet_viz.datasets.naming import named_data
from resnet_viz.specs import DataSpec


def make_folder(root, classes, train, test, ending=".jpg"):
    for split, count in (("train", train), ("test", test)):
        for name in classes:
            folder = root / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                (folder / f"{number}{ending}").touch()
    return str(root)


@pytest.fixture
def ten_each(monkeypatch):
    """CIFAR-10 as if it had two training images and one test image of each class."""
    known = replace(catalogue.info("cifar10"), train_images=20, test_images=10)
    monkeypatch.setattr(
        naming, "info", lambda name: known if name == "cifar10" else catalogue.info(name)
    )


def test_named_data_keep_their_name():
    data = DataSpec("shapes", flip=True)
    assert named_data(data) == (data, "Drawn shapes on clutter")


@pytest.mark.parametrize(
    ("ending", "words"), [(".jpg", "CIFAR-10, JPEG copy"), (".png", "CIFAR-10, a copy in files")]
)
def test_a_folder_with_a_data_sets_classes_and_counts_is_a_copy_of_it(
    tmp_path, ten_each, ending, words
):
    folder = make_folder(tmp_path, CIFAR10_CLASSES, 2, 1, ending)
    data = DataSpec("folder", folder=folder, crop_padding=4, flip=True, val_images=5)
    expected = DataSpec("cifar10", crop_padding=4, flip=True, val_images=5)
    assert named_data(data) == (expected, words)


@pytest.mark.parametrize(
    ("classes", "train"), [(CIFAR10_CLASSES, 3), (("cats", "dogs"), 2), (CIFAR10_CLASSES[1:], 2)]
)
def test_of_any_other_folder_its_own_name_is_left(tmp_path, ten_each, classes, train):
    folder = make_folder(tmp_path / "mine", classes, train, 1)
    data, words = named_data(DataSpec("folder", folder=folder))
    assert data == DataSpec("folder", folder="mine")
    assert words == "images of the folder mine"
