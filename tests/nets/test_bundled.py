"""The nets that come with the program: what their files and their model card say is so."""

import pytest
import torch

from resnet_viz.datasets.catalogue import info
from resnet_viz.datasets.load import load
from resnet_viz.nets import bundled
from resnet_viz.nets.build import build_net
from resnet_viz.specs import DataSpec
from resnet_viz.training.checkpoint import Checkpoint

NETS = bundled.bundled_nets()
CARD = bundled.FOLDER / "README.md"


def test_both_families_are_there_for_both_data_sets():
    cifar = ("plain-20", "resnet-20", "plain-56", "resnet-56")
    assert bundled.bundled_names() == (*cifar, "shapes-plain-20", "shapes-resnet-20")


def test_together_they_are_small():
    assert sum(bundled.bundled_path(net.name).stat().st_size for net in NETS) < 6_000_000


@pytest.mark.parametrize("net", NETS, ids=lambda net: net.name)
def test_a_file_holds_the_net_that_it_names_and_nobodys_folder(net):
    path = bundled.bundled_path(net.name)
    assert net.name.endswith(net.run.net.name)
    assert net.run.data.name in ("cifar10", "shapes")
    assert net.classes == info(net.run.data.name).classes
    assert net.step == net.run.train.steps
    found = Checkpoint.load(path)
    weights = {k.removeprefix("net."): v.float() for k, v in found.tensors.items()}
    build_net(net.run.net).load_state_dict(weights)
    assert all(bool(torch.isfinite(tensor).all()) for tensor in weights.values())
    metadata = bundled.read_metadata(path)["resnet_viz"]
    assert not any(word in metadata for word in ('"folder"', "/home", "/root", "/tmp"))


@pytest.mark.parametrize("net", NETS, ids=lambda net: net.name)
def test_the_model_card_has_its_line(net):
    parts = [f"| {net.name} |", f"| {100 * net.train_error:.2f} % | {100 * net.test_error:.2f} % |"]
    assert any(all(part in line for part in parts) for line in CARD.read_text("utf-8").splitlines())


@pytest.mark.parametrize(
    "net", [n for n in NETS if n.run.data.name == "shapes"], ids=lambda n: n.name
)
def test_shapes_nets_make_the_errors_that_they_state(net):
    found = Checkpoint.load(bundled.bundled_path(net.name))
    built = build_net(net.run.net).eval()
    built.load_state_dict({k.removeprefix("net."): v.float() for k, v in found.tensors.items()})
    mean, std = (torch.tensor(found.meta[key]).reshape(1, 3, 1, 1) for key in ("mean", "std"))
    data = load(DataSpec("shapes"))
    with torch.no_grad():
        guess = built((data.test_images / 255 - mean) / std).argmax(1)
    assert (guess != data.test_labels).float().mean().item() == pytest.approx(
        net.test_error, abs=2e-3
    )
