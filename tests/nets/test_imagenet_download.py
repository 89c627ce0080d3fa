"""Weights on their way: from a real HTTP server on this machine into the data folder, as a job of
the queue and as a command; whole, exchanged, cut short, stopped, or not at all."""

import hashlib
import re
import socket
from dataclasses import replace

import pytest

from resnet_viz.cli import main
from resnet_viz.nets import imagenet_files
from resnet_viz.nets.imagenet_download import download_weights
from resnet_viz.nets.imagenet_files import NETS, find_weights, hub_home, is_intact, weights_home
from resnet_viz.runs.downloads import (
    claim_download,
    download,
    list_downloads,
    request_download,
    stop_download,
)
from resnet_viz.runs.store import RunStore
from resnet_viz.transfer import TransferError

CONTENT = bytes(range(256)) * 8192  # two megabytes, eight blocks


def nothing(_done, _total):
    """Progress that nobody looks at."""


@pytest.fixture(autouse=True)
def published(monkeypatch, server, tmp_path):
    """The name of a file that stands for ResNet-18's, which the server has."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(imagenet_files, "ADDRESS", server.url)
    name = f"resnet18-{hashlib.sha256(CONTENT).hexdigest()[:8]}.pth"
    net = NETS["resnet18"]
    files = (replace(net.files[0], name=name, mebibytes=len(CONTENT) / 2**20),)
    monkeypatch.setitem(NETS, "resnet18", replace(net, files=files))
    server.files[name] = CONTENT
    return name


def test_weights_arrive_whole_with_progress(published, server):
    seen = []
    assert download_weights("imagenet:resnet18", lambda done, total: seen.append((done, total)))
    assert len(seen) > 4
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert {total for _, total in seen} == {len(CONTENT)}
    assert seen[-1][0] == len(CONTENT)
    path = weights_home() / published
    assert path.read_bytes() == CONTENT
    assert is_intact(path)
    assert find_weights("resnet18") == path
    assert [p.name for p in weights_home().iterdir()] == [published]
    assert download_weights("imagenet:resnet18", nothing)
    assert server.requests == [f"/{published}"]


def test_what_torch_has_already_is_not_downloaded(published, server):
    hub_home().mkdir(parents=True)
    (hub_home() / published).write_bytes(CONTENT)
    assert download_weights("resnet18", nothing)
    assert server.requests == []


@pytest.mark.parametrize("folder", [weights_home, hub_home])
def test_a_damaged_file_is_replaced(published, folder):
    folder().mkdir(parents=True)
    (folder() / published).write_bytes(CONTENT[:-1])
    assert download_weights("resnet18", nothing)
    assert is_intact(find_weights("resnet18"))


def refused(published):
    """The message of a failed download, after which nothing must be left."""
    with pytest.raises(TransferError) as caught:
        download_weights("resnet18", nothing)
    assert list(weights_home().iterdir()) == []
    text = str(caught.value)
    assert str(weights_home() / published) in text  # where to put it by hand
    assert imagenet_files.ADDRESS + published in text
    assert "included nets need no download" in text
    return text


def test_a_transfer_that_breaks_off(published, server):
    server.cut = 10**6
    assert f"broke off after 1000000 of {len(CONTENT)} bytes" in refused(published)
    server.cut = None
    assert download_weights("resnet18", nothing)  # it can simply be started again


def test_an_exchanged_file(published, server):
    server.files[published] = CONTENT[:-1] + b"x"
    assert "wrong checksum" in refused(published)


def test_an_address_that_is_gone(published, server):
    server.files.clear()
    assert re.search("answered 404", refused(published))


def test_no_network(published, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr(imagenet_files, "ADDRESS", f"http://127.0.0.1:{port}/")
    assert "cannot be reached" in refused(published)


def test_a_full_disk_is_named_before_anything_is_fetched(published, monkeypatch, server):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("usage", (), {"free": 1000}))
    assert "too full" in refused(published)
    assert server.requests == []


def test_stopping_leaves_nothing_half_done(published):
    assert not download_weights("resnet18", nothing, should_stop=lambda: True)
    assert list(weights_home().iterdir()) == []


# --- as a job, and as a command ---


def test_the_queue_carries_it_out(published, home):
    store = RunStore(home)
    request_download(store, "imagenet:resnet18")
    claim_download(store, "w1", download).run(lambda: False)
    job = list_downloads(store)["imagenet:resnet18"]
    assert (job.status, job.bytes_done, job.bytes_total) == ("done", len(CONTENT), len(CONTENT))
    assert is_intact(find_weights("resnet18"))


def test_the_queue_says_what_to_do_offline(published, home, server):
    server.files.clear()
    store = RunStore(home)
    request_download(store, "imagenet:resnet18")
    claim_download(store, "w1", download).run(lambda: False)
    job = list_downloads(store)["imagenet:resnet18"]
    assert job.status == "failed"
    assert job.message.startswith("The weights of ResNet-18 could not be downloaded")
    assert str(weights_home() / published) in job.message


def test_a_person_can_cancel_it(published, home):
    store = RunStore(home)
    request_download(store, "imagenet:resnet18")

    def cancelled(name, on_progress, should_stop):
        def progress(done, total):
            stop_download(store, name)
            on_progress(total, total)  # reports are rare, except the last

        return download(name, progress, should_stop)

    claim_download(store, "w1", cancelled).run(lambda: False)
    assert list_downloads(store)["imagenet:resnet18"].status == "stopped"
    assert list(weights_home().iterdir()) == []


def test_the_command_downloads_or_says_why_not(published, server, capsys):
    content = server.files.pop(published)
    assert main(["download", "imagenet:resnet18"]) == 2
    assert "answered 404" in capsys.readouterr().err
    server.files[published] = content
    assert main(["download", "imagenet:resnet18"]) == 0
    assert is_intact(weights_home() / published)
    with pytest.raises(SystemExit):
        main(["download", "imagenet:resnet51"])
    assert "imagenet:resnet50" in capsys.readouterr().err
