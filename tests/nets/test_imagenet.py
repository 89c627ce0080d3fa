"""torchvision's ImageNet nets of our own blocks: its logits, its files, its figures; and messages
for files that cannot be used."""

import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torchvision

from benchmarks.random_weights import random_net, write_weights
from resnet_viz.nets.costs import count_costs
from resnet_viz.nets.foreign import make_net
from resnet_viz.nets.imagenet import class_names, open_imagenet
from resnet_viz.nets.imagenet_files import (
    NETS,
    find_weights,
    hub_home,
    imagenet_net,
    imagenet_source,
    is_intact,
    weights_home,
)
from resnet_viz.nets.weights_file import WeightsError
from resnet_viz.sources import STATISTICS
from resnet_viz.specs import SpecError


@pytest.fixture(autouse=True)
def torch_home(tmp_path, monkeypatch):
    """An empty cache of torch's."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "resnet101"])  # the others: see below
def test_logits_are_torchvisions(name, tmp_path):
    theirs = random_net(name)
    net, card = open_imagenet(
        f"imagenet:{name}", str(write_weights(tmp_path, name, theirs.state_dict()))
    )
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected = theirs(images)
        found = net.eval()(images)
    assert expected[0].sub(expected[1]).abs().max() > 0.1  # the image decides
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    assert (card.title, card.net) == (NETS[name].title, NETS[name].spec)
    assert (len(card.classes), card.image_size, card.channels) == (1000, 224, 3)
    assert card.test_error is None  # these weights are nobody's
    assert "not one that torchvision publishes" in card.notes[0]


@pytest.mark.parametrize("name", NETS)
def test_every_net_has_torchvisions_tensors_and_no_others(name):
    with torch.device("meta"):  # nothing but shapes
        theirs = getattr(torchvision.models, name)()
    found = make_net(theirs.state_dict(), name)
    assert (found.net.spec, found.classes, found.channels) == (NETS[name].spec, 1000, 3)
    expected = sorted(tuple(p.shape) for p in theirs.parameters())
    assert sorted(tuple(p.shape) for p in found.net.parameters()) == expected


@pytest.mark.parametrize("net", NETS.values(), ids=lambda net: net.name)
def test_files_and_figures_are_torchvisions(net):
    published = torchvision.models.get_model_weights(net.name)
    assert net.files[0].version == published.DEFAULT.name
    assert {file.version for file in net.files} == {weights.name for weights in published}
    for file in net.files:
        weights = published[file.version]
        meta, preset = weights.meta, weights.transforms()
        assert file.url == weights.url
        assert file.mebibytes == meta["_file_size"]
        assert 100 * (1 - file.top1_error) == pytest.approx(
            meta["_metrics"]["ImageNet-1K"]["acc@1"]
        )
        assert (preset.crop_size, preset.resize_size) == ([224], [file.resize])
        assert (tuple(preset.mean), tuple(preset.std)) == STATISTICS["imagenet"]
        assert tuple(meta["categories"]) == class_names()
        costs = count_costs(net.spec, image_size=224, num_classes=1000)
        assert costs.parameters == meta["num_params"]
        assert costs.multiply_adds / 1e9 == pytest.approx(meta["_ops"], abs=6e-4)


def test_class_names_are_all_different():
    assert len(set(class_names())) == 1000


def test_a_published_file_says_what_is_known_of_it(tmp_path, monkeypatch):
    path = write_weights(tmp_path, "resnet18", random_net("resnet18").state_dict())
    net = NETS["resnet18"]
    files = (replace(net.files[0], name=path.name),)
    monkeypatch.setitem(NETS, "resnet18", replace(net, files=files))
    _net, card = open_imagenet("imagenet:resnet18", str(path))
    assert card.test_error == pytest.approx(0.30242)
    assert card.trained_on == "ImageNet (ILSVRC 2012)"
    notes = " ".join(card.notes)
    assert "30.24 %, not measured here: one central crop of 224 pixels" in notes
    assert "brought to 256" in notes


# --- where files lie ---


def put(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(b"weights")
    return path


def test_the_data_folder_comes_before_torchs_cache_and_new_weights_before_old():
    new, old = (file.name for file in NETS["resnet50"].files)
    assert find_weights("imagenet:resnet50") is None
    expected = [put(hub_home(), old), put(weights_home(), old)]
    expected += [put(hub_home(), new), put(weights_home(), new)]
    while expected:
        path = expected.pop()
        assert find_weights("imagenet:resnet50") == path
        assert imagenet_source("resnet50").path == str(path)
        path.unlink()
    assert find_weights("resnet50") is None


@pytest.mark.parametrize(
    "variables",
    [{}, {"TORCH_HOME": "~/elsewhere"}, {"XDG_CACHE_HOME": "/cache"}, {"TORCH_HOME": "rel"}],
    ids=str,
)
def test_the_cache_is_where_torch_has_it(variables, monkeypatch):
    monkeypatch.delenv("TORCH_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert hub_home() == Path(torch.hub.get_dir()) / "checkpoints"


def test_a_source_changes_with_its_file():
    path = put(weights_home(), NETS["resnet18"].files[0].name)
    first = imagenet_source("resnet18")
    assert imagenet_source("imagenet:resnet18") == first
    assert (first.kind, first.name) == ("imagenet", "imagenet:resnet18")
    os.utime(path, ns=(1, 1))
    assert imagenet_source("resnet18").fingerprint != first.fingerprint


def test_a_file_that_goes_while_it_is_looked_at_is_a_missing_one(monkeypatch):
    path = put(weights_home(), NETS["resnet18"].files[0].name)
    assert imagenet_source("resnet18").path == str(path)
    path.unlink()
    monkeypatch.setattr("resnet_viz.nets.imagenet_files.find_weights", lambda _name: path)
    gone = imagenet_source("resnet18")
    assert (gone.name, gone.path, gone.fingerprint) == ("imagenet:resnet18", "", "")


def test_an_unknown_net_is_refused_with_the_nearest():
    for ask in (imagenet_net, find_weights, imagenet_source):
        with pytest.raises(SpecError, match="did you mean 'resnet50'"):
            ask("imagenet:resnet51")


# --- files that cannot be used ---


def refused(path, name="imagenet:resnet18"):
    with pytest.raises(WeightsError) as caught:
        open_imagenet(name, str(path))
    return str(caught.value)


@pytest.mark.parametrize("path", ["", "/nowhere/resnet18-f37072fd.pth"])
def test_a_missing_file_says_which_to_put_where(path):
    text = refused(path)
    assert "https://download.pytorch.org/models/resnet18-f37072fd.pth" in text
    assert str(weights_home() / "resnet18-f37072fd.pth") in text
    assert str(hub_home() / "resnet18-f37072fd.pth") in text
    assert "python -m resnet_viz download imagenet:resnet18" in text
    assert "46 MB" in text
    assert "included nets need no download" in text


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A file that opens."""
    folder = tmp_path_factory.mktemp("weights")
    return write_weights(folder, "resnet18", random_net("resnet18").state_dict())


@pytest.mark.parametrize("kept", [0, 1, 1000, 10**6, -1])
def test_a_truncated_file_is_never_opened(whole, kept, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.load", lambda *a, **k: pytest.fail("a damaged file was opened"))
    path = tmp_path / whole.name
    path.write_bytes(whole.read_bytes()[:kept])
    text = refused(path)
    assert "damaged, cut off or not the published file" in text
    assert str(weights_home() / "resnet18-f37072fd.pth") in text


def test_a_file_with_another_hash_or_none_in_its_name_is_never_opened(whole, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.load", lambda *a, **k: pytest.fail("it was opened"))
    for name in ("resnet18-f37072fd.pth", "resnet18.pth", "resnet18-.pth"):
        path = tmp_path / name
        path.write_bytes(whole.read_bytes())
        assert "not the published file" in refused(path)


def test_a_file_that_is_mended_is_looked_at_again(whole, tmp_path):
    path = tmp_path / whole.name
    path.write_bytes(b"half")
    assert not is_intact(path)
    path.write_bytes(whole.read_bytes())
    assert is_intact(path)


class Evil:
    def __reduce__(self):
        return os.mkdir, ("ran",)


def test_a_pickle_that_would_run_code_is_refused_with_that_reason(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write_weights(tmp_path, "resnet18", {"conv1.weight": Evil()})
    assert "would run code" in refused(path)
    assert not (tmp_path / "ran").exists()
    pickle.loads(pickle.dumps(Evil()))  # the pickle is a real one
    assert (tmp_path / "ran").exists()


def test_weights_of_another_net_are_refused(whole, tmp_path):
    assert "weights of another net (resnet-18, 1000 classes) than ResNet-50" in refused(
        whole, "imagenet:resnet50"
    )
    few = torchvision.models.resnet18(num_classes=7).state_dict()
    assert "7 classes" in refused(write_weights(tmp_path, "resnet18", few))
    lacking = {k: v for k, v in random_net("resnet18").state_dict().items() if k != "fc.bias"}
    assert "head.linear.bias" in refused(write_weights(tmp_path, "resnet18", lacking))
    other = write_weights(tmp_path, "resnet18", {"x": torch.zeros(2)})
    assert "tensors that are not known here: x" in refused(other)


def test_old_files_without_batch_counters_open(tmp_path):
    state = random_net("resnet18").state_dict()
    old = {k: v for k, v in state.items() if "num_batches" not in k}
    net, _card = open_imagenet("resnet18", str(write_weights(tmp_path, "resnet18", old)))
    assert net.eval()(torch.zeros(1, 3, 32, 32)).shape == (1, 1000)
