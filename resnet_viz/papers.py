"""Published numbers, each with its source and test protocol. Standard library only.

Errors are fractions, as everywhere in data.
"""

from __future__ import annotations

from dataclasses import dataclass

from resnet_viz.specs import RunSpec
from resnet_viz.sweeps import PRESETS, WARMUP_DEPTH, WARMUP_ERROR

HE_2015 = "He et al. 2015, arXiv:1512.03385"


@dataclass(frozen=True)
class Published:
    """A published CIFAR-10 test error.

    Attributes:
        name: net, as `NetSpec.name`.
        test_error: fraction.
        source: paper and table or figure.
        note: how the number was obtained, in the paper's words or ours.
    """

    name: str
    test_error: float
    source: str
    note: str = ""


_TABLE_6 = f"{HE_2015}, Table 6"
_FIGURE_6 = f"{HE_2015}, read from Fig. 6 (left)"

# Table 6 has residual nets only. Plain nets are read off the curves of Fig. 6 at their end,
# to the nearest half per cent.
CIFAR10_TEST_ERROR = {
    p.name: p
    for p in (
        Published("resnet-20", 0.0875, _TABLE_6),
        Published("resnet-32", 0.0751, _TABLE_6),
        Published("resnet-44", 0.0717, _TABLE_6),
        Published("resnet-56", 0.0697, _TABLE_6),
        Published("resnet-110", 0.0643, _TABLE_6, "best of five; mean 6.61 ± 0.16 %"),
        Published("resnet-1202", 0.0793, _TABLE_6),
        Published("plain-20", 0.09, _FIGURE_6, "approximate"),
        Published("plain-32", 0.10, _FIGURE_6, "approximate"),
        Published("plain-44", 0.115, _FIGURE_6, "approximate"),
        Published("plain-56", 0.135, _FIGURE_6, "approximate"),
    )
}


def published_test_error(run: RunSpec) -> Published | None:
    """The paper's CIFAR-10 test error for the net of `run`, if it has one."""
    if run.data.name != "cifar10" or run.net.block != "basic":
        return None
    return CIFAR10_TEST_ERROR.get(run.net.name)


def protocol_differences(run: RunSpec) -> list[str]:
    """Names of the fields in which a run differs from the protocol of He et al. 2015, 4.2.

    An empty list means "same protocol". A seed is not a difference.
    """
    paper = PRESETS["paper"]
    warmup = WARMUP_ERROR if run.net.depth >= WARMUP_DEPTH else None
    if run.net.block == "basic" and run.net.blocks is None:
        net = paper.net(run.net.family, run.net.depth)
        differences = _differing(run.net, net, ("shortcut", "width", "norm", "init"))
    else:
        differences = ["blocks"]
    differences += _differing(
        run.data, paper.data, ("name", "image_size", "crop_padding", "flip", "val_images")
    )
    fields = ("steps", "batch_size", "lr", "optimizer", "momentum", "weight_decay", "schedule")
    differences += _differing(run.train, paper.train, (*fields, "warmup_steps"))
    if run.train.warmup_error != warmup:
        differences.append("warmup_error")
    return ["data" if name == "name" else name for name in differences]


def _differing(ours: object, theirs: object, fields: tuple[str, ...]) -> list[str]:
    """Names of `fields` whose values differ; a CIFAR image size of 32 equals its default."""
    values = [(name, getattr(ours, name), getattr(theirs, name)) for name in fields]
    return [n for n, a, b in values if a != b and not (n == "image_size" and a == 32)]
