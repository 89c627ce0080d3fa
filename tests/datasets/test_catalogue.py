"""The catalogue tells the truth about every data set, without torch."""

import subprocess
import sys

import pytest
import torchvision
from PIL import Image

from resnet_viz.datasets.catalogue import (
    NAMES,
    DataError,
    describe,
    info,
    is_present,
    list_folders,
)
from resnet_viz.datasets.load import load
from resnet_viz.specs import DATASETS, DataSpec


def test_no_torch_is_imported():
    code = (
        "import sys; from resnet_viz.datasets import catalogue; from resnet_viz.specs import "
        "DataSpec; catalogue.describe(DataSpec('digits')); catalogue.is_present(DataSpec("
        "'cifar10')); sys.exit(any(m in sys.modules for m in ('torch', 'torchvision', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_name_of_a_spec_is_known():
    assert {*NAMES, "folder"} == set(DATASETS)


def test_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(DataError, match="digits, shapes"):
        info("imagenet")


@pytest.mark.parametrize("name", ["digits", "shapes"])
def test_what_is_said_of_the_offline_sets_is_so(name):
    about, data = info(name), load(DataSpec(name))
    assert (len(data.train_labels), len(data.test_labels)) == (
        about.train_images,
        about.test_images,
    )
    assert data.train_images.shape[1:] == (about.channels, about.image_size, about.image_size)
    assert data.classes == about.classes
    assert about.download_bytes == 0
    assert is_present(DataSpec(name))


def test_file_names_are_those_that_torchvision_looks_for():
    cifar10, cifar100 = torchvision.datasets.CIFAR10, torchvision.datasets.CIFAR100
    assert [path for path, _size in info("cifar10").files] == [cifar10.filename]
    assert [path for path, _size in info("cifar100").files] == [cifar100.filename]
    fashion = torchvision.datasets.FashionMNIST
    assert info("fashion_mnist").classes == tuple(fashion.classes)
    assert [path for path, _size in info("fashion_mnist").files] == [
        f"FashionMNIST/raw/{name}" for name, _md5 in fashion.resources
    ]


def test_cifar100_has_a_hundred_classes_in_alphabetical_order():
    classes = info("cifar100").classes
    assert len(set(classes)) == 100
    assert list(classes) == sorted(classes)


def test_description_has_the_size_that_is_asked_for():
    assert describe(DataSpec("digits")).image_size == 8
    assert describe(DataSpec("digits", image_size=16)).image_size == 16


def test_a_file_put_in_place_by_hand_counts_by_its_size(home):
    spec, (path, size) = DataSpec("cifar10"), info("cifar10").files[0]
    assert not is_present(spec)
    archive = home / "cifar10" / path
    archive.parent.mkdir(parents=True)
    archive.write_bytes(b"half")
    assert not is_present(spec)
    with archive.open("r+b") as file:
        file.truncate(size)  # sparse: no bytes are written
    assert is_present(spec)


def test_folders_of_the_data_folder_are_listed_and_described(home):
    assert list_folders() == []
    for name, count in (("cats", 5), ("dogs", 10)):
        for i in range(count):
            path = home / "folders" / "pets" / name / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (9, 9)).save(path)
    (home / "folders" / ".hidden").mkdir()
    assert list_folders() == ["pets"]
    spec = DataSpec("folder", folder="pets")
    about = describe(spec)
    assert about.classes == ("cats", "dogs")
    assert (about.train_images, about.test_images) == (12, 3)  # a fifth of each class
    assert about.image_size == 32
    assert is_present(spec)
    assert not is_present(DataSpec("folder", folder="birds"))
