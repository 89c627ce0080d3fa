"""Which net is looked into, as a job carries it to the analysis process. Standard library only.

What a person chooses or types ("resnet-56", "run:12@300", "imagenet:resnet50", a path) becomes
a `Source` in `runs.sources`; `analysis.opened` makes the net of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from resnet_viz.checks import SpecError, check_choice, check_integer
from resnet_viz.i18n import _
from resnet_viz.specs import DataSpec, NetSpec

KINDS = ("bundled", "run", "imagenet", "file")
_MOST = 2**63 - 1  # the largest step of the store, and seed of PyTorch
MAX_BYTES = 1 << 30  # of a file with a person's own net

# With which mean and standard deviation the images of a net were normalised, where its file does
# not say: of ImageNet's training images, of CIFAR-10's, or 0.5 and 0.5.
STATISTICS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    "half": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}


@dataclass(frozen=True)
class Source:
    """Where a net comes from, and all that its answers depend on.

    Attributes:
        kind: one of `KINDS`.
        name: what a person calls it: "resnet-56", "run:12@300", "imagenet:resnet50", a file name.
        path: of the file with the weights; "" for a bundled net, whose name says which it is.
        fingerprint: changes when the file does (size and time, or a hash of its bytes).
        step: of a run's checkpoint.
        spec: canonical JSON of a run's `RunSpec`; "" for other kinds.
        statistics: one of `STATISTICS`, for a file that does not say; "" leaves it to the file,
            and to "imagenet" where that says nothing.
        randomised: "" for the net as trained; else every layer from the head down to this one
            ("head", "stage3", "stage2", "stage1", "stem") has fresh weights (Adebayo et al. 2018,
            arXiv:1810.03292, 3.1: cascading randomisation).
        seed: of those weights.

    Raises:
        SpecError: a value that cannot be used.
    """

    kind: str
    name: str
    path: str = ""
    fingerprint: str = ""
    step: int | None = None
    spec: str = ""
    statistics: str = ""
    randomised: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("name", "path", "fingerprint", "spec", "statistics", "randomised"):
            value = getattr(self, name)
            if not isinstance(value, str):
                raise SpecError(_("{name} {value!r} is not text").format(name=name, value=value))
        if self.step is not None:
            check_integer("step", self.step, 0, _MOST)
        check_integer("seed", self.seed, 0, _MOST)
        check_choice("kind of net", self.kind, KINDS)
        if self.statistics:
            check_choice("statistics", self.statistics, tuple(STATISTICS))

    def to_dict(self) -> dict[str, Any]:
        """Plain values by field name, without those at their default."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {f.name: values[f.name] for f in fields(self) if values[f.name] != f.default}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Source:
        """Inverse of `to_dict`.

        Raises:
            SpecError: an unknown or a missing field, or a value that cannot be used.
        """
        try:
            return cls(**values)
        except TypeError as error:
            raise SpecError(f"not a source of a net: {error}") from None

    def with_fresh(self, lowest: str, seed: int = 0) -> Source:
        """The same net with fresh weights from the head down to `lowest`."""
        return replace(self, randomised=lowest, seed=seed)


@dataclass(frozen=True)
class NetCard:
    """What is known of a net once it is open.

    Attributes:
        title: "resnet-56", "ResNet-50".
        net: its spec.
        classes: names in order of the logits.
        image_size: side in pixels of the square images that it takes.
        channels: 1 (grey) or 3 (colour).
        mean, std: a channel; of images scaled to 0..1, by which they are normalised.
        parameters: trainable ones.
        step: gradient steps behind it; None where not known.
        data: what it was trained on, where this program can load that; else None.
        trained_on: the same in words; "" where not known.
        test_error: fraction measured on the test images of `trained_on`; None where not known.
        notes: what a person should know: what was assumed, who trained it, under which licence.
    """

    title: str
    net: NetSpec
    classes: tuple[str, ...]
    image_size: int
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    parameters: int
    step: int | None = None
    data: DataSpec | None = None
    trained_on: str = ""
    test_error: float | None = None
    notes: tuple[str, ...] = ()
