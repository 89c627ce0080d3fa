"""Names of the nets whose architecture can be looked at."""

import pytest

from resnet_viz.architectures import cifar, file_stem
from resnet_viz.specs import NetSpec


@pytest.mark.parametrize(
    ("spec", "title"),
    [
        (NetSpec("resnet", 20), "resnet-20"),
        (NetSpec("resnet", 20, "basic", "B", width=8), "resnet-20 (shortcut B, width 8)"),
        (NetSpec("preact", 164, "bottleneck"), "preact-164 (bottleneck)"),
        (NetSpec("preact", 20, order="relu_only"), "preact-20 (relu_only)"),
        (NetSpec("densenet", 40), "densenet-40"),
        (
            NetSpec("densenet", 100, "bottleneck", width=48, growth_rate=24, compression=0.5),
            "densenet-100 (BC, k = 24)",
        ),
    ],
)
def test_a_title_tells_nets_of_one_depth_apart(spec, title):
    assert cifar(spec).title == title


def test_a_files_name_has_no_blanks_or_brackets():
    assert file_stem("densenet-100 (BC, k = 24)") == "densenet-100-BC-k-24"
    assert file_stem("LeNet-5") == "LeNet-5"
