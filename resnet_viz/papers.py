"""Published numbers, each with its source and test protocol. Standard library only.

Errors are fractions, as everywhere in data.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from resnet_viz.architectures import NAMED, Architecture, cifar
from resnet_viz.i18n import _
from resnet_viz.specs import PLAIN_SHORTCUTS, NetSpec, RunSpec
from resnet_viz.sweeps import PRESETS, WARMUP_DEPTH, WARMUP_ERROR

HE_2015 = "He et al. 2015, arXiv:1512.03385"


_HE_2016 = "He et al. 2016, arXiv:1603.05027"


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
    net = run.net
    as_in_2015 = net.order == "standard" and net.survival == 1 and not net.aux_heads
    if net.shortcut not in PLAIN_SHORTCUTS or net.block != "basic" or not as_in_2015:
        return None
    if run.data.name != "cifar10":
        return None
    return CIFAR10_TEST_ERROR.get(net.name)


@dataclass(frozen=True)
class PublishedVariant:
    """CIFAR-10 test errors of nets with one shortcut, or order of norm, ReLU and addition.

    Attributes:
        family, shortcut, order: as in `NetSpec`.
        errors: depth and fraction; None where training failed.
        source: paper and table.
        note: settings of the paper that its number belongs to.
    """

    family: str
    shortcut: str
    order: str
    errors: tuple[tuple[int, float | None], ...]
    source: str
    note: str = ""


def _shortcut_2016(shortcut: str, error: float | None, note: str = "") -> PublishedVariant:
    source = f"{_HE_2016}, Table 1"
    return PublishedVariant("resnet", shortcut, "standard", ((110, error),), source, note)


def _order_2016(family: str, order: str, at_110: float, at_164: float) -> PublishedVariant:
    errors = ((110, at_110), (164, at_164))
    return PublishedVariant(family, "A", order, errors, f"{_HE_2016}, Table 2")


# Test protocol: CIFAR-10 test images, median of five runs of ResNet-110 (and of ResNet-164).
VARIANT_TEST_ERRORS = (
    _order_2016("resnet", "standard", 0.0661, 0.0593),
    _order_2016("resnet", "norm_after_sum", 0.0817, 0.0650),
    _order_2016("resnet", "relu_before_sum", 0.0784, 0.0614),
    _order_2016("preact", "relu_only", 0.0671, 0.0591),
    _order_2016("preact", "standard", 0.0637, 0.0546),
    _shortcut_2016("scaled", 0.1235, "x and F(x) by 0.5"),
    _shortcut_2016("exclusive_gate", 0.0870, "the best bias"),
    _shortcut_2016("shortcut_gate", 0.0691, "bias −6; 12.86 % with bias 0"),
    _shortcut_2016("C", 0.1222, "1×1 convolutions"),
    _shortcut_2016("dropout", None, "rate 0.5"),
)


def published_variant(net: NetSpec) -> PublishedVariant | None:
    """What He et al. 2016 published of nets with the shortcut and order of `net`."""
    asked = (net.family, net.shortcut, net.order)
    return next((v for v in VARIANT_TEST_ERRORS if (v.family, v.shortcut, v.order) == asked), None)


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


# --- errors of whole papers, for a chart against size ---

TEN_CROP, ONE_CROP, MULTI_SCALE, CIFAR_TEST = "10-crop", "1-crop", "multi-scale", "cifar10-test"


def protocol_title(protocol: str) -> str:
    """How an error was measured, in words."""
    titles = {
        TEN_CROP: _("validation images, 10 crops"),
        ONE_CROP: _("validation images, one crop"),
        MULTI_SCALE: _("validation images, several scales"),
        CIFAR_TEST: _("test images; trained with crops and flips"),
    }
    return titles[protocol]


@dataclass(frozen=True)
class PublishedError:
    """A net's error in a paper.

    Attributes:
        title: of the net, with what sets it apart.
        family: whose colours it has.
        measure: "top1", "top5" or "test".
        error: fraction.
        protocol: how it was measured; one of the codes above.
        source: paper and table.
        net: the same net as it can be built here, or None.
        parameters: the paper's figure, as it rounds it; None where it was not looked up.
        note: what else the paper says of the number.
    """

    title: str
    family: str
    measure: str
    error: float
    protocol: str
    source: str
    net: Architecture | None = None
    parameters: float | None = None
    note: str = ""


_DENSENET = "Huang et al. 2016, arXiv:1608.06993"


def _resnet(depth: int, shortcut: str) -> Architecture:
    """ResNet-18 or -34 with another shortcut option than torchvision's B."""
    base = NAMED[f"resnet{depth}"]
    assert base.spec is not None
    title = base.title if shortcut == "B" and depth == 18 else f"{base.title} {shortcut}"
    spec = replace(base.spec, shortcut=shortcut)
    return replace(base, name=f"{base.name}{shortcut}", title=title, spec=spec)


def _imagenet(
    rows: Iterable[tuple[str | Architecture, float | None, float | None]],
    protocol: str,
    source: str,
) -> list[PublishedError]:
    """Top-1 and top-5 errors in per cent; None where the paper has none."""
    found = []
    for name, top1, top5 in rows:
        net = name if isinstance(name, Architecture) else NAMED[name]
        for measure, error in (("top1", top1), ("top5", top5)):
            if error is not None:
                values = (net.title, net.family, measure, error / 100, protocol, source, net)
                found.append(PublishedError(*values))
    return found


def _cifar(rows: Iterable[tuple[NetSpec, float, str]], source: str) -> list[PublishedError]:
    return [
        PublishedError(
            spec.name, spec.family, "test", error / 100, CIFAR_TEST, source, cifar(spec), note=note
        )
        for spec, error, note in rows
    ]


def _known(published: Published) -> list[PublishedError]:
    family, depth = published.name.split("-")
    row = NetSpec(family, int(depth)), 100 * published.test_error, published.note
    return _cifar([row], published.source)


def _densenet(rows: Iterable[tuple[int, int, bool, float, float]]) -> list[PublishedError]:
    """Depth, growth rate, whether it is a BC, the paper's millions of parameters, per cent."""
    found = []
    for depth, k, compressed, millions, error in rows:
        options: dict[str, Any] = {"growth_rate": k}
        if compressed:
            options |= {"block": "bottleneck", "compression": 0.5, "width": 2 * k}
        found.append(
            PublishedError(
                f"DenseNet{'-BC' if compressed else ''} L={depth} k={k}",
                "densenet",
                "test",
                error / 100,
                CIFAR_TEST,
                f"{_DENSENET}, Table 2 (C10+)",
                cifar(NetSpec("densenet", depth, **options)),
                1e6 * millions,
            )
        )
    return found


_MEDIAN = "median of five runs"
PUBLISHED_ERRORS = (
    *_imagenet(
        [
            ("vgg16", 28.07, 9.33),
            ("googlenet", None, 9.15),
            ("plain34", 28.54, 10.02),
            (_resnet(34, "A"), 25.03, 7.76),
            (_resnet(34, "B"), 24.52, 7.46),
            (_resnet(34, "C"), 24.19, 7.40),
            ("resnet50", 22.85, 6.71),
            ("resnet101", 21.75, 6.05),
            ("resnet152", 21.43, 5.71),
        ],
        TEN_CROP,
        f"{HE_2015}, Table 3",
    ),
    *_imagenet(
        [("plain18", 27.94, None), (_resnet(18, "A"), 27.88, None)],
        TEN_CROP,
        f"{HE_2015}, Table 2",
    ),
    *_imagenet(
        [
            (_resnet(34, "B"), 21.84, 5.71),
            (_resnet(34, "C"), 21.53, 5.60),
            ("resnet50", 20.74, 5.25),
            ("resnet101", 19.87, 4.60),
            ("resnet152", 19.38, 4.49),
        ],
        MULTI_SCALE,
        f"{HE_2015}, Table 4",
    ),
    *_imagenet(
        [
            ("densenet121", 25.02, 7.71),
            ("densenet169", 23.80, 6.85),
            ("densenet201", 22.58, 6.34),
        ],
        ONE_CROP,
        f"{_DENSENET}, Table 3",
    ),
    *_imagenet(
        [
            ("densenet121", 23.61, 6.66),
            ("densenet169", 22.08, 5.92),
            ("densenet201", 21.46, 5.54),
        ],
        TEN_CROP,
        f"{_DENSENET}, Table 3",
    ),
    *(error for published in CIFAR10_TEST_ERROR.values() for error in _known(published)),
    *_cifar(
        [
            (NetSpec("preact", 110), 6.37, _MEDIAN),
            (NetSpec("resnet", 164, block="bottleneck", shortcut="B"), 5.93, _MEDIAN),
            (NetSpec("preact", 164, block="bottleneck", shortcut="B"), 5.46, _MEDIAN),
        ],
        f"{_HE_2016}, Table 2",
    ),
    *_cifar(
        [(NetSpec("preact", 1001, block="bottleneck", shortcut="B"), 4.92, _MEDIAN)],
        f"{_HE_2016}, Table 4",
    ),
    *_densenet(
        [
            (40, 12, False, 1.0, 5.24),
            (100, 12, False, 7.0, 4.10),
            (100, 24, False, 27.2, 3.74),
            (100, 12, True, 0.8, 4.51),
            (250, 24, True, 15.3, 3.62),
            (190, 40, True, 25.6, 3.46),
        ]
    ),
)
