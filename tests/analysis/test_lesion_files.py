"""The lesions that come with the program are whole, and of the nets that they name."""

from dataclasses import replace

import pytest

from resnet_viz.analysis.lesion_files import SHIPPED, shipped_lesions, shipped_text
from resnet_viz.lesions import random_counts, removable
from resnet_viz.nets.bundled import bundled_nets
from resnet_viz.sources import Source

NAMES = sorted(path.stem for path in SHIPPED.glob("*.json"))


def test_every_included_net_whose_data_must_be_downloaded_has_some():
    assert set(NAMES) == {n.name for n in bundled_nets() if n.run.data.name == "cifar10"}
    assert shipped_lesions(Source("bundled", "shapes-resnet-20")) is None
    assert shipped_lesions(replace(Source("bundled", NAMES[0]), randomised="head")) is None


@pytest.mark.parametrize("name", NAMES)
def test_they_fit_their_net(name):
    found = shipped_lesions(Source("bundled", name))
    about = next(net for net in bundled_nets() if net.name == name)
    net = found.singles.net
    assert [error is not None for error in found.singles.without] == list(removable(net))
    assert found.randoms.counts == random_counts(net)
    assert found.singles.error == found.randoms.error
    # Measured on some of the test images that the card's error was measured on.
    assert found.singles.error == pytest.approx(about.test_error, abs=0.06)
    assert shipped_text(found.singles, found.randoms) == (SHIPPED / f"{name}.json").read_text()
