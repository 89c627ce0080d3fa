"""Pickles that torch's restricted reader would carry out, at a price that does not show."""

import _codecs
import pickle
import resource
import zipfile
from collections import OrderedDict

import pytest
import torch
from torch import nn

from resnet_viz.nets.weights_file import WeightsError, read_weights

SHARED = (0.9, 0.999)  # one object in all parameter groups, as optimisers have it


class Call:
    """Unpickled, it calls a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def hexadecimal(doublings):
    """Text of which every call makes one of twice its length."""
    text = Call(_codecs.encode, "ab", "ascii")
    for _turn in range(doublings):
        text = Call(_codecs.encode, text, "hex")
    return text


def nested(depth, width=2):
    """A tuple of one tuple `width` times, and so on: short as a file, endless to go through."""
    made = ()
    for _turn in range(depth):
        made = (made,) * width
    return made


def pickled_key(key):
    """Of a dictionary with that key, without hashing it here."""
    return pickle.dumps({"k": 1}, 2).replace(pickle.dumps("k", 2)[2:-3], pickle.dumps(key, 2)[2:-1])


HOSTILE = {
    "a gigabyte of zeros": lambda: pickle.dumps({"a": Call(bytearray, 10**9)}, 2),
    "text that doubles": lambda: pickle.dumps({"a": hexadecimal(30)}, 2),
    "a tensor out of a number": lambda: pickle.dumps({"a": Call(torch.Tensor, 10**8)}, 2),
    "a key that takes for ever": lambda: pickled_key(nested(60)),
    "a wide key that takes for ever": lambda: pickled_key(nested(6, 1000)),
    "a list of such": lambda: pickle.dumps({"a": [nested(60)]}, 2),
}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_small_file_cannot_ask_for_much_work_or_memory(tmp_path, kind, zipped):
    path, content = tmp_path / "net.pt", HOSTILE[kind]()
    torch.save({"a": torch.ones(1)}, path, _use_new_zipfile_serialization=zipped)
    if zipped:
        replace_pickle(path, content)
    else:
        data = path.read_bytes()
        usual = pickle.dumps({"a": 0}, 2)[:6]  # the fourth pickle, after number, protocol, system
        at = data.index(usual, 20)
        path.write_bytes(data[:at] + content)
    assert path.stat().st_size < 20_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(WeightsError, match=r"its pickle (calls|holds)"):
        read_weights(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def replace_pickle(path, content):
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, content if name.endswith("data.pkl") else data)


@pytest.mark.parametrize("zipped", [True, False])
def test_what_trainings_save_beside_the_weights_is_read(tmp_path, zipped):
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
    groups = [{"params": [p], "betas": SHARED} for p in net.parameters()]
    optimizer = torch.optim.AdamW(groups)
    net(torch.ones(2, 3, 8, 8)).sum().backward()
    optimizer.step()
    content = {
        "net": OrderedDict(net.state_dict()),
        "optimizer": optimizer.state_dict(),
        "history": [(epoch, 0.1, SHARED) for epoch in range(300)],
        "size": torch.Size([3, 8]),
        "seen": {1, 2},
        "dtype": torch.bfloat16,
        "device": torch.device("cpu"),
    }
    torch.save(content, tmp_path / "net.pt", _use_new_zipfile_serialization=zipped)
    found = read_weights(tmp_path / "net.pt")
    assert found.keys() == net.state_dict().keys()
    assert all(torch.equal(found[key], value) for key, value in net.state_dict().items())


def test_a_key_that_is_no_text_names_no_tensor(tmp_path):
    torch.save({("a",): torch.ones(1), "b": torch.ones(1)}, tmp_path / "net.pt")
    assert read_weights(tmp_path / "net.pt").keys() == {"b"}
