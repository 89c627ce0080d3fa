"""A person's own files with weights: where they go, and what stays out."""

import os
from pathlib import Path

import pytest

from resnet_viz.runs import own_nets
from resnet_viz.runs.own_nets import (
    delete_own_net,
    keep_own_net,
    list_own_nets,
    own_net_title,
    own_nets_folder,
)
from resnet_viz.runs.schema import StoreError


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("peer.pt", "peer.pt"),
        ("../../../etc/passwd", "passwd"),
        (r"..\..\Windows\system.ini", "system.ini"),
        ("/absolute/net.pth", "net.pth"),
        ("..", "net"),
        ("", "net"),
        (".hidden", "hidden"),
        ("zero\0byte.pt", "zero_byte.pt"),
        ("my net: 'best' ☃.safetensors", "my_net_best_.safetensors"),
        ("upload.part", "upload.part"),
        ("n" * 300 + ".pt", "n" * 77 + ".pt"),
    ],
)
def test_a_file_lies_in_the_folder_whatever_it_is_called(tmp_path, name, title):
    path = keep_own_net(tmp_path, name, b"weights")
    assert path.parent == own_nets_folder(tmp_path)
    assert path.resolve().parent == own_nets_folder(tmp_path).resolve()
    assert path.read_bytes() == b"weights"
    assert own_net_title(path) == title
    assert list_own_nets(tmp_path) == [path]
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [path]


def test_the_same_bytes_are_kept_once_and_count_as_the_newest(tmp_path):
    first = keep_own_net(tmp_path, "a.pt", b"one")
    os.utime(first, (1, 1))
    other = keep_own_net(tmp_path, "b.pt", b"two")
    os.utime(other, (2, 2))
    assert list_own_nets(tmp_path) == [other, first]
    assert keep_own_net(tmp_path, "a.pt", b"one") == first
    assert list_own_nets(tmp_path) == [first, other]


def test_other_bytes_of_the_same_name_are_another_file(tmp_path):
    first, other = (keep_own_net(tmp_path, "a.pt", data) for data in (b"one", b"two"))
    assert first != other
    assert own_net_title(first) == own_net_title(other) == "a.pt"
    assert (first.read_bytes(), other.read_bytes()) == (b"one", b"two")


def test_a_file_that_is_too_large_is_refused_with_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(own_nets, "MAX_BYTES", 10)
    with pytest.raises(StoreError, match=r"large\.pt has"):
        keep_own_net(tmp_path, "large.pt", b"12345678901")
    assert list_own_nets(tmp_path) == []
    keep_own_net(tmp_path, "small.pt", b"1234567890")


def test_one_file_too_many_is_refused_until_another_is_deleted(tmp_path, monkeypatch):
    monkeypatch.setattr(own_nets, "MAX_FILES", 2)
    kept = [keep_own_net(tmp_path, "a.pt", data) for data in (b"one", b"two")]
    with pytest.raises(StoreError, match="delete one of them first"):
        keep_own_net(tmp_path, "a.pt", b"three")
    assert keep_own_net(tmp_path, "a.pt", b"two") == kept[1]  # is there already
    delete_own_net(tmp_path, kept[0].name)
    assert keep_own_net(tmp_path, "a.pt", b"three").is_file()


def test_files_that_are_too_large_together_are_refused_until_one_is_deleted(tmp_path, monkeypatch):
    monkeypatch.setattr(own_nets, "MAX_TOTAL_BYTES", 10)
    kept = [keep_own_net(tmp_path, name, data) for name, data in (("a", b"12345"), ("b", b"6789"))]
    with pytest.raises(StoreError, match=r"c has 0\.0 GB.*Delete one of those first"):
        keep_own_net(tmp_path, "c", b"xx")
    assert keep_own_net(tmp_path, "d", b"x").is_file()
    delete_own_net(tmp_path, kept[0].name)
    assert keep_own_net(tmp_path, "c", b"xx").is_file()


def test_a_file_that_vanishes_while_it_is_listed_is_left_out(tmp_path, monkeypatch):
    kept = keep_own_net(tmp_path, "a.pt", b"one")
    gone = kept.with_name("gone.pt")
    monkeypatch.setattr(Path, "iterdir", lambda _folder: iter([gone, kept]))
    assert list_own_nets(tmp_path) == [kept]


def test_a_folder_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "nets").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="cannot be kept in"):
        keep_own_net(tmp_path, "a.pt", b"one")


def test_only_kept_files_can_be_deleted(tmp_path):
    path = keep_own_net(tmp_path, "a.pt", b"one")
    outside = tmp_path / "nets" / "weights.pth"
    outside.write_bytes(b"of ImageNet")
    delete_own_net(tmp_path, "../weights.pth")
    delete_own_net(tmp_path, str(outside))
    delete_own_net(tmp_path, "a.pt")  # its title is not its name
    assert outside.is_file()
    assert list_own_nets(tmp_path) == [path]
    delete_own_net(tmp_path, path.name)
    delete_own_net(tmp_path, path.name)  # gone already
    assert list_own_nets(tmp_path) == []


def test_without_a_folder_there_are_none(tmp_path):
    assert list_own_nets(tmp_path / "nowhere") == []
