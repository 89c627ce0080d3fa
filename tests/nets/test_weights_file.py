"""Files of weights that nobody vouches for."""

import os
import pickle
import random
import tracemalloc
import zipfile

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from resnet_viz.nets import weights_file
from resnet_viz.nets.weights_file import WeightsError, read_weights

WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2)}


class Evil:
    """Unpickled, it makes a folder."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def same(found):
    assert found.keys() == WEIGHTS.keys()
    assert all(torch.equal(found[key], WEIGHTS[key]) for key in WEIGHTS)


def test_safetensors(tmp_path):
    save_file(WEIGHTS, tmp_path / "net.safetensors")
    same(read_weights(tmp_path / "net.safetensors"))


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda w: w,
        lambda w: {"state_dict": w, "best_prec1": 91.7},
        lambda w: {"model_state_dict": w, "optimizer_state_dict": {"state": {}, "lr": 0.1}},
        lambda w: {"epoch": 3, "model": w},
        lambda w: {"net": w, "acc": 95.1, "epoch": 7},
        lambda w: {"model": {"state_dict": w}},
        lambda w: {k: nn.Parameter(v) for k, v in w.items()},
    ],
)
def test_pytorch_files_with_their_wrappers(tmp_path, wrap, zipped):
    torch.save(wrap(WEIGHTS), tmp_path / "net.pt", _use_new_zipfile_serialization=zipped)
    same(read_weights(tmp_path / "net.pt"))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_would_run_code_is_refused_with_that_reason(tmp_path, zipped):
    owned = tmp_path / "owned"
    content = {"state_dict": WEIGHTS, "x": Evil(owned)}
    torch.save(content, tmp_path / "net.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match=r"would run code on being opened: it calls \w+\.mkdir"):
        read_weights(tmp_path / "net.pt")
    assert not owned.exists()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_plain_pickle_is_refused_and_not_run(tmp_path, protocol):
    owned, path = tmp_path / "owned", tmp_path / "net.png"
    path.write_bytes(pickle.dumps(Evil(owned), protocol))
    with pytest.raises(WeightsError, match=r"(c|w)ould run code|neither a safe"):
        read_weights(path)
    assert not owned.exists()


def test_a_whole_net_is_refused_with_what_to_do(tmp_path):
    torch.save(nn.Linear(2, 2), tmp_path / "net.pt")
    with pytest.raises(WeightsError, match=r"Linear.*torch\.save\(net\.state_dict\(\)"):
        read_weights(tmp_path / "net.pt")


BAD = {
    "nothing": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("<html>not found</html>"),
    "a zip": lambda path: zipfile.ZipFile(path, "w").close(),
    "a zip of text": lambda path: zipped(path, {"x/data.pkl": b"hello"}),
    "a list": lambda path: torch.save([torch.ones(2)], path),
    "a number": lambda path: torch.save(3, path),
    "no tensors": lambda path: torch.save({"state_dict": {"lr": 0.1}}, path),
    "a folder": lambda path: path.mkdir(),
    "missing": lambda path: None,
    "not finite": lambda path: torch.save({"w": torch.tensor([1.0, float("nan")])}, path),
    "infinite half": lambda path: torch.save({"w": torch.tensor([float("inf")]).half()}, path),
    "sparse": lambda path: torch.save({"w": torch.eye(2).to_sparse()}, path),
    "without data": lambda path: torch.save({"w": torch.ones(2, device="meta")}, path),
    "complex": lambda path: torch.save({"w": torch.ones(2, dtype=torch.complex64)}, path),
    "a view of a terabyte": lambda path: torch.save(
        {"w": torch.ones(1).expand(1_000_000, 1_000_000)}, path
    ),
    "deep wrappers": lambda path: torch.save(nested(50), path),
}


def zipped(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def nested(depth):
    return {"model": nested(depth - 1)} if depth else dict(WEIGHTS)


@pytest.mark.parametrize("kind", BAD)
def test_what_cannot_be_used_ends_in_a_short_message(tmp_path, kind):
    path = tmp_path / "net.pt"
    BAD[kind](path)
    with pytest.raises(WeightsError) as caught:
        read_weights(path)
    assert "net.pt" in str(caught.value)
    assert len(str(caught.value)) < 500


def test_an_archive_that_unpacks_to_more_than_fits_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(weights_file, "MAX_BYTES", 1 << 24)
    path = tmp_path / "net.pt"
    torch.save(WEIGHTS, path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data/9", bytes(1 << 24))
    assert path.stat().st_size < 40_000
    tracemalloc.start()
    with pytest.raises(WeightsError, match="unpack to more than"):
        read_weights(path)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("content", ["archive", "view"])
def test_what_memory_does_not_hold_is_refused_though_its_file_is_small(
    tmp_path, monkeypatch, content
):
    class Memory:
        available = 1 << 26

    monkeypatch.setattr(weights_file.psutil, "virtual_memory", Memory)
    path = tmp_path / "net.pt"
    view = torch.zeros(1).expand(1 << 22)
    torch.save(WEIGHTS if content == "archive" else {"a.weight": view}, path)
    if content == "archive":
        same(read_weights(path))
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("net/data/9", bytes(1 << 24))
    assert path.stat().st_size < 40_000
    with pytest.raises(WeightsError, match=r"net\.pt needs about 0\.1 GB .* 0\.0 GB can be used"):
        read_weights(path)


def test_a_file_that_is_too_large_is_refused_unread(tmp_path):
    path = tmp_path / "net.safetensors"
    with path.open("wb") as file:
        file.truncate(weights_file.MAX_BYTES + 1)  # takes no room on the disk
    with pytest.raises(WeightsError, match="more than"):
        read_weights(path)


@pytest.mark.parametrize("kind", ["safetensors", "zip", "old"])
def test_cut_off_and_changed_files_never_end_in_another_error(tmp_path, kind):
    """Every kind of file, cut off anywhere or with bytes of chance in it."""
    whole, path = tmp_path / "whole", tmp_path / "net.pt"
    if kind == "safetensors":
        save_file(WEIGHTS, whole)
    else:
        torch.save(WEIGHTS, whole, _use_new_zipfile_serialization=kind == "zip")
    data, chance, messages = whole.read_bytes(), random.Random(0), []
    for turn in range(150):
        if turn % 2:
            spoilt = data[: chance.randrange(len(data))]
        else:
            at = chance.randrange(len(data))
            spoilt = data[:at] + chance.randbytes(4) + data[at + 4 :]
        path.write_bytes(spoilt)
        try:
            found = read_weights(path)
        except WeightsError as error:
            messages.append(str(error))
        else:  # a change in a value, or in padding
            assert all(bool(torch.isfinite(v).all()) for v in found.values())
    assert len(messages) > 75
    assert max(map(len, messages)) < 600
