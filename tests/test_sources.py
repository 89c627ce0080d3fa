"""Sources of nets, which links and jobs carry as plain values."""

import pytest

from resnet_viz.checks import SpecError
from resnet_viz.sources import Source


def test_plain_values_give_the_same_source():
    full = Source("run", "run:1@3", "a.safetensors", "f", 3, "{}", "half").with_fresh("stage2", 9)
    for source in (full, Source("bundled", "resnet-20")):
        assert Source.from_dict(source.to_dict()) == source
        assert hash(Source.from_dict(source.to_dict())) == hash(source)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": ["file"]},
        {"kind": "flie"},
        {"name": 3},
        {"path": ["a.pt"]},
        {"path": None},
        {"fingerprint": {}},
        {"step": "3"},
        {"step": True},
        {"step": -1},
        {"spec": {"net": {}}},
        {"statistics": ["half"]},
        {"statistics": 0},
        {"randomised": ["stem"]},
        {"seed": 1.5},
        {"seed": 2**64},
        {"seed": None},
        {"colour": "red"},
    ],
    ids=str,
)
def test_a_value_that_cannot_be_used_is_refused(change):
    with pytest.raises(SpecError):
        Source.from_dict({"kind": "file", "name": "a.pt", **change})


def test_a_source_needs_a_kind_and_a_name():
    with pytest.raises(SpecError, match="not a source of a net"):
        Source.from_dict({"kind": "file"})
