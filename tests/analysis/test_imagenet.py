"""An ImageNet net as a job sees it."""

import pytest
import torch

from benchmarks.random_weights import random_net, random_source
from resnet_viz.analysis.opened import measure_card, open_net
from resnet_viz.analysis.plain import check_plain
from resnet_viz.nets.imagenet_files import imagenet_source
from resnet_viz.nets.weights_file import WeightsError
from resnet_viz.sources import STATISTICS


def test_it_is_opened_by_its_source_and_normalises_as_it_was_trained(tmp_path):
    source = random_source("resnet18", tmp_path).to_dict()
    opened = open_net(source)
    assert open_net(source) is opened
    images = torch.randint(0, 256, (2, 3, 48, 48), dtype=torch.uint8)
    mean, std = (torch.tensor(x).view(1, 3, 1, 1) for x in STATISTICS["imagenet"])
    with torch.no_grad():
        expected = random_net("resnet18")((images / 255 - mean) / std)
    torch.testing.assert_close(opened.net(opened.normalise(images)), expected)
    card = measure_card(source)
    check_plain(card)
    assert (card.title, card.parameters, len(card.classes)) == ("ResNet-18", 11_689_512, 1000)


def test_without_its_file_it_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    source = imagenet_source("resnet152")
    assert source.path == ""
    with pytest.raises(WeightsError, match=r"ResNet-152 are not on this computer.*resnet152-f82"):
        open_net(source.to_dict())
