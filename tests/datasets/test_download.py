"""Downloads against a real HTTP server on this machine that serves small archives in the real
formats, whole, cut short, exchanged, or not at all."""

import gzip
import hashlib
import io
import pickle
import re
import socket
import tarfile

import numpy as np
import pytest
import torch
from torchvision.datasets import CIFAR10, CIFAR100, FashionMNIST

from resnet_viz.datasets import catalogue
from resnet_viz.datasets.catalogue import is_present
from resnet_viz.datasets.download import download
from resnet_viz.datasets.errors import DataError
from resnet_viz.datasets.load import load
from resnet_viz.specs import DataSpec


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def patch_sizes(monkeypatch, name, sizes):
    """Let the catalogue know the small files' sizes."""
    about = catalogue.info(name)
    files = tuple((path, size) for (path, _), size in zip(about.files, sizes, strict=True))
    small = catalogue.replace(about, files=files, train_images=100, test_images=20)
    monkeypatch.setitem(catalogue._INFOS, name, lambda: small)


def cifar_archive(monkeypatch, name, server):
    """A small archive in CIFAR's format that torchvision's class is told to be the real one."""
    kind, key, classes = (
        (CIFAR10, "labels", 10) if name == "cifar10" else (CIFAR100, "fine_labels", 100)
    )
    rng = np.random.default_rng(0)
    members, lists, kept = {}, {"train_list": [], "test_list": []}, {}
    for list_name, found in lists.items():
        parts = []
        for file, _md5 in getattr(kind, list_name):
            count = 2 * classes
            data = rng.integers(0, 256, (count, 3072), np.uint8)
            labels = [i % classes for i in range(count)]
            members[file] = pickle.dumps({"data": data, key: labels})
            found.append([file, md5(members[file])])
            parts.append((data.reshape(-1, 3, 32, 32), labels))
        kept[list_name] = (
            np.concatenate([p[0] for p in parts]),
            np.concatenate([p[1] for p in parts]),
        )
        monkeypatch.setattr(kind, list_name, found)
    names = catalogue.info(name).classes
    members[kind.meta["filename"]] = pickle.dumps({kind.meta["key"]: list(names)})
    meta = {**kind.meta, "md5": md5(members[kind.meta["filename"]])}
    monkeypatch.setattr(kind, "meta", meta)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for file, content in members.items():
            entry = tarfile.TarInfo(f"{kind.base_folder}/{file}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    content = buffer.getvalue()
    monkeypatch.setattr(kind, "tgz_md5", md5(content))
    monkeypatch.setattr(kind, "url", server.url + kind.filename)
    server.files[kind.filename] = content
    patch_sizes(monkeypatch, name, [len(content)])
    return content, kept


def fashion_archives(monkeypatch, server):
    rng = np.random.default_rng(0)
    images = {"train": rng.integers(0, 256, (40, 28, 28), np.uint8)}
    images["t10k"] = rng.integers(0, 256, (20, 28, 28), np.uint8)
    resources = []
    for file, _md5 in FashionMNIST.resources:
        half = images[file.split("-")[0]]
        if "images" in file:
            head, body = (0x803, *half.shape), half.tobytes()
        else:
            head, body = (0x801, len(half)), bytes(i % 10 for i in range(len(half)))
        content = gzip.compress(np.array(head, ">i4").tobytes() + body)
        resources.append((file, md5(content)))
        server.files[file] = content
    monkeypatch.setattr(FashionMNIST, "resources", resources)
    monkeypatch.setattr(FashionMNIST, "mirrors", [server.url])
    patch_sizes(monkeypatch, "fashion_mnist", [len(server.files[f]) for f, _ in resources])
    return images


def same_images(images, labels, expected_images, expected_labels):
    """Whether these are the same labelled images in any order."""
    ours = {(x.numpy().tobytes(), int(y)) for x, y in zip(images, labels, strict=True)}
    theirs = {(x.tobytes(), int(y)) for x, y in zip(expected_images, expected_labels, strict=True)}
    return ours == theirs


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_cifar_arrives_whole_with_progress(monkeypatch, server, home, name):
    content, kept = cifar_archive(monkeypatch, name, server)
    seen = []
    assert not is_present(DataSpec(name))
    assert download(name, lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert len(seen) > 2
    assert seen[-1] == (len(content), len(content))
    assert is_present(DataSpec(name))
    data = load(DataSpec(name))
    assert data.classes == catalogue.info(name).classes
    assert same_images(data.train_images, data.train_labels, *kept["train_list"])
    assert same_images(data.test_images, data.test_labels, *kept["test_list"])
    assert sorted(p.name for p in (home / name).iterdir()) == sorted(
        [catalogue.info(name).files[0][0], "decoded.safetensors"]
    )


def test_fashion_mnist_has_four_files(monkeypatch, server, home):
    images = fashion_archives(monkeypatch, server)
    seen = []
    assert download("fashion_mnist", lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] == sum(map(len, server.files.values()))
    data = load(DataSpec("fashion_mnist"))
    assert data.train_images.shape == (40, 1, 28, 28)
    assert same_images(data.train_images, data.train_labels, images["train"], np.arange(40) % 10)
    assert same_images(data.test_images, data.test_labels, images["t10k"], np.arange(20) % 10)
    assert load(DataSpec("fashion_mnist", image_size=16)).train_images.shape == (40, 1, 16, 16)


def test_torchvision_finds_the_archive_where_we_put_it(monkeypatch, server, home):
    _content, kept = cifar_archive(monkeypatch, "cifar10", server)
    download("cifar10", lambda done, total: None)
    server.requests.clear()
    theirs = CIFAR10(home / "cifar10", download=True)
    assert server.requests == []
    assert torch.equal(
        torch.tensor(theirs.data).permute(0, 3, 1, 2), torch.tensor(kept["train_list"][0])
    )


def test_what_is_there_is_not_downloaded_again(monkeypatch, server):
    cifar_archive(monkeypatch, "cifar10", server)
    for _ in range(2):
        assert download("cifar10", lambda done, total: None)
    assert len(server.requests) == 1


def test_an_archive_put_in_place_by_hand_is_used_without_a_network(monkeypatch, server, home):
    content, kept = cifar_archive(monkeypatch, "cifar10", server)
    (home / "cifar10").mkdir(parents=True)
    (home / "cifar10" / "cifar-10-python.tar.gz").write_bytes(content)
    assert is_present(DataSpec("cifar10"))
    data = load(DataSpec("cifar10"))
    assert same_images(data.train_images, data.train_labels, *kept["train_list"])
    assert server.requests == []


def refused(home, name="cifar10"):
    """The message of a failed download, after which nothing must be left that looks good."""
    with pytest.raises(DataError) as caught:
        download(name, lambda done, total: None)
    assert not is_present(DataSpec(name))
    assert [p for p in (home / name).rglob("*") if p.is_file()] == []
    with pytest.raises(DataError, match="not been downloaded"):
        load(DataSpec(name))
    text = str(caught.value)
    assert str(home / name / catalogue.info(name).files[0][0]) in text  # where to put it by hand
    assert "need no download" in text
    return text


def test_a_transfer_that_breaks_off(monkeypatch, server, home):
    content, _kept = cifar_archive(monkeypatch, "cifar10", server)
    server.cut = len(content) // 2
    assert f"broke off after {server.cut} of {len(content)} bytes" in refused(home)
    server.cut = None
    assert download("cifar10", lambda done, total: None)  # it can simply be started again


def test_an_address_that_is_gone(monkeypatch, server, home):
    cifar_archive(monkeypatch, "cifar10", server)
    server.files.clear()
    assert re.search("answered 404", refused(home))


def test_a_server_that_cannot_be_reached(monkeypatch, server, home):
    cifar_archive(monkeypatch, "cifar10", server)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr(CIFAR10, "url", f"http://127.0.0.1:{port}/cifar-10-python.tar.gz")
    assert "cannot be reached" in refused(home)


def test_an_exchanged_archive_is_never_opened(monkeypatch, server, home):
    content, _kept = cifar_archive(monkeypatch, "cifar10", server)
    exchanged = content[:-20] + bytes(20)
    server.files["cifar-10-python.tar.gz"] = exchanged
    monkeypatch.setattr("pickle.load", lambda *a, **k: pytest.fail("a bad pickle was opened"))
    assert "wrong checksum" in refused(home)
    archive = home / "cifar10" / "cifar-10-python.tar.gz"
    archive.write_bytes(exchanged)  # the same, by hand, with the right size
    with pytest.raises(DataError, match="damaged or is not the published file"):
        load(DataSpec("cifar10"))


def test_a_file_of_fashion_mnist_that_is_missing(monkeypatch, server, home):
    fashion_archives(monkeypatch, server)
    del server.files["t10k-images-idx3-ubyte.gz"]
    with pytest.raises(DataError, match=r"t10k-images.* answered 404"):
        download("fashion_mnist", lambda done, total: None)
    assert not is_present(DataSpec("fashion_mnist"))


def test_stopping_leaves_nothing_half_done(monkeypatch, server, home):
    cifar_archive(monkeypatch, "cifar10", server)
    assert not download("cifar10", lambda done, total: None, should_stop=lambda: True)
    assert [p for p in (home / "cifar10").rglob("*") if p.is_file()] == []


def test_what_a_killed_download_left_is_cleared_away(monkeypatch, server, home):
    _content, kept = cifar_archive(monkeypatch, "cifar10", server)
    (home / "cifar10").mkdir(parents=True)
    (home / "cifar10" / "cifar-10-python.tar.gz.part").write_bytes(b"x" * 10**6)
    (home / "cifar10" / "unpack-123").mkdir()
    (home / "cifar10" / "unpack-123" / "half").write_bytes(b"x")
    assert download("cifar10", lambda done, total: None)
    assert sorted(p.name for p in (home / "cifar10").iterdir()) == [
        "cifar-10-python.tar.gz",
        "decoded.safetensors",
    ]
    data = load(DataSpec("cifar10"))
    assert same_images(data.train_images, data.train_labels, *kept["train_list"])


def test_a_full_disk_is_named_before_anything_is_fetched(monkeypatch, server, home):
    cifar_archive(monkeypatch, "cifar10", server)
    usage = type("usage", (), {"free": 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    with pytest.raises(DataError, match=r"too full.*RESNET_VIZ_HOME"):
        download("cifar10", lambda done, total: None)
    assert server.requests == []


def test_a_disk_that_fills_up_on_the_way(monkeypatch, server, home):
    cifar_archive(monkeypatch, "cifar10", server)

    def no_space(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("resnet_viz.datasets.images.save_file", no_space)
    with pytest.raises(DataError, match=r"No space left on device.*make room"):
        download("cifar10", lambda done, total: None)
    assert sorted(p.name for p in (home / "cifar10").iterdir()) == ["cifar-10-python.tar.gz"]


def test_the_offline_sets_have_nothing_to_download():
    assert download("digits", lambda done, total: pytest.fail("nothing to do"))
