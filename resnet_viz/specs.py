"""What to build, what to train it on, and how: frozen dataclasses with a JSON round trip.

A spec is data that a person, a link, a file or a notebook can bring, so every
field is checked when the object is made, and a refusal names the nearest good
value. Only the standard library is used here.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from resnet_viz.checks import (
    SpecError as SpecError,
    check_choice,
    check_flag,
    check_integer,
    check_number,
)
from resnet_viz.i18n import _

SCHEMA = 1

FAMILIES = ("plain", "resnet", "preact")
RESIDUAL_FAMILIES = ("resnet", "preact")
BLOCKS = ("basic", "bottleneck")
SHORTCUTS = ("A", "B", "C")
NORMS = ("batch", "none")
STEMS = ("cifar", "imagenet")
INITS = ("he", "xavier", "normal", "zero_gamma", "fixup")
DATASETS = ("digits", "shapes", "cifar10", "cifar100", "fashion_mnist", "folder")
OPTIMIZERS = ("sgd", "adam")
SCHEDULES = ("cosine", "step", "constant")

# Weighted layers a block adds to depth; projections are not counted (He et al. 2015, 4.2).
LAYERS_PER_BLOCK = {"basic": 2, "bottleneck": 3}
_START = re.compile(r"[0-9a-f]{64}")
MAX_DEPTH = 1202  # the deepest net of He et al. 2015
DEFAULT_STAGES = 3


def valid_depths(block: str = "basic", low: int = 8, high: int = 110) -> tuple[int, ...]:
    """Depths of a net of three equal stages: 6n+2 (basic) or 9n+2 (bottleneck), `low`..`high`."""
    per_n = DEFAULT_STAGES * LAYERS_PER_BLOCK[block]
    return tuple(d for d in range(per_n + 2, high + 1, per_n) if d >= low)


def _nearest_depths(depth: int, per_n: int) -> str:
    below = (depth - 2) // per_n * per_n + 2
    candidates = [d for d in (below, below + per_n) if per_n + 2 <= d <= MAX_DEPTH]
    return ", ".join(map(str, candidates or [per_n + 2 if depth < per_n else MAX_DEPTH]))


class _Json:
    """JSON round trip shared by the specs; `to_dict` leaves out fields at their default."""

    def to_dict(self, *, full: bool = False) -> dict[str, Any]:
        """Plain values by field name; with `full`, defaults too."""
        out: dict[str, Any] = {}
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if full or field.default is dataclasses.MISSING or value != field.default:
                out[field.name] = list(value) if isinstance(value, tuple) else value
        return out

    @classmethod
    def from_dict(cls, values: object) -> Self:
        """The spec for a mapping, which is not trusted.

        Raises:
            SpecError: not a mapping, an unknown or a missing field, or a bad value.
        """
        known = _fields_of(cls, values)
        assert isinstance(values, Mapping)
        unknown = [key for key in values if key not in known]
        if unknown:
            close = difflib.get_close_matches(str(unknown[0]), known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(known)}"
            raise SpecError(f"{cls.__name__} has no field {unknown[0]!r}{hint}")
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


def _fields_of(cls: type, values: object) -> list[str]:
    """Names of the fields of `cls`; refuses `values` that lacks one without a default."""
    if not isinstance(values, Mapping):
        raise SpecError(f"{cls.__name__} must be an object with named fields, not {values!r:.80}")
    fields = dataclasses.fields(cls)
    for field in fields:
        if field.default is dataclasses.MISSING and field.name not in values:
            raise SpecError(f"{cls.__name__} needs the field {field.name!r}")
    return [field.name for field in fields]


@dataclass(frozen=True)
class NetSpec(_Json):
    """A network of the CIFAR kind: stem, stages of blocks, global average pooling, head.

    Attributes:
        family: "plain", "resnet" (He et al. 2015) or "preact" (He et al. 2016, full
            pre-activation).
        depth: weighted layers as the papers count them: 6n+2 basic, 9n+2 bottleneck.
        block: "basic" (3x3, 3x3) or "bottleneck" (1x1, 3x3, 1x1; output four times as wide).
        shortcut: "A" zero-padding, "B" projection where dimensions change, "C" projection
            everywhere (He et al. 2015, 4.1). A plain net has none and keeps "A".
        width: channels of the first stage; each later stage doubles them.
        blocks: blocks per stage where they differ from the equal stages that depth implies.
        norm: "batch", or "none" (convolutions then have a bias).
        init: of the convolutions; the head keeps the framework's own except in "fixup".
            "he" (He et al. 2015b), "xavier" (Glorot & Bengio 2010), "normal" (N(0, init_std²)),
            "zero_gamma" ("he", and the last batch norm of every residual branch starts at
            zero; Goyal et al. 2017, 5.1) or "fixup" (Zhang et al. 2019: residual nets without
            norm).
        init_std: standard deviation of "normal", which alone uses it.
        stem: "cifar" (3x3 convolution, stride 1) or "imagenet" (7x7, stride 2, then 3x3 maximum
            pooling, stride 2; He et al. 2015, Table 1).
    """

    family: str
    depth: int
    block: str = "basic"
    shortcut: str = "A"
    width: int = 16
    blocks: tuple[int, ...] | None = None
    norm: str = "batch"
    init: str = "he"
    init_std: float = 0.01
    stem: str = "cifar"

    def __post_init__(self) -> None:
        check_choice("family", self.family, FAMILIES)
        check_choice("block", self.block, BLOCKS)
        check_choice("shortcut", self.shortcut, SHORTCUTS)
        check_choice("norm", self.norm, NORMS)
        check_choice("stem", self.stem, STEMS)
        check_integer("depth", self.depth, 1, MAX_DEPTH)
        check_integer("width", self.width, 1, 1024)
        self._check_depth()
        if self.family == "plain" and self.shortcut != "A":
            raise SpecError(_("a plain net has no shortcuts; leave shortcut at 'A'"))
        self._check_init()

    def _check_init(self) -> None:
        check_choice("init", self.init, INITS)
        check_number("init_std", self.init_std, 1e-6, 10.0)
        object.__setattr__(self, "init_std", float(self.init_std))  # 1 and 1.0 have one key
        if self.init != "normal" and self.init_std != type(self).init_std:
            text = _("init {init!r} does not use init_std; leave it at {std:g}, or use 'normal'")
            raise SpecError(text.format(init=self.init, std=type(self).init_std))
        if self.init == "zero_gamma" and (self.family == "plain" or self.norm == "none"):
            raise SpecError(
                _(
                    "zero_gamma needs a residual branch with batch norm; "
                    "use init 'he' for this net, or family 'resnet' with norm 'batch'"
                )
            )
        if self.stem == "imagenet" and (self.family == "preact" or self.init == "fixup"):
            raise SpecError(
                _("the imagenet stem belongs to plain and residual nets; use stem 'cifar' here")
            )
        if self.init == "fixup" and (self.family == "plain" or self.norm == "batch"):
            raise SpecError(
                _(
                    "fixup needs a residual branch without batch norm; "
                    "use init 'he' for this net, or family 'resnet' with norm 'none'"
                )
            )

    def _check_depth(self) -> None:
        layers = LAYERS_PER_BLOCK[self.block]
        if self.blocks is None:
            per_n = DEFAULT_STAGES * layers
            if self.depth < per_n + 2 or (self.depth - 2) % per_n:
                text = _("depth {depth} is not {per_n}n+2; nearest: {nearest}")
                nearest = _nearest_depths(self.depth, per_n)
                raise SpecError(text.format(depth=self.depth, per_n=per_n, nearest=nearest))
            return
        if not isinstance(self.blocks, tuple) or not 1 <= len(self.blocks) <= 5:
            raise SpecError("blocks must list the blocks of one to five stages, such as 3, 4, 3")
        for count in self.blocks:
            check_integer("blocks per stage", count, 1, MAX_DEPTH)
        depth = layers * sum(self.blocks) + 2
        if depth != self.depth:
            raise SpecError(f"blocks {self.blocks} make depth {depth}, not {self.depth}")

    @property
    def stage_blocks(self) -> tuple[int, ...]:
        """Blocks of each stage, given or implied by depth."""
        if self.blocks is not None:
            return self.blocks
        n = (self.depth - 2) // (DEFAULT_STAGES * LAYERS_PER_BLOCK[self.block])
        return (n,) * DEFAULT_STAGES

    @property
    def name(self) -> str:
        """Family and depth, as papers write it: "resnet-20"."""
        return f"{self.family}-{self.depth}"


@dataclass(frozen=True)
class DataSpec(_Json):
    """Which images, at what size, with what augmentation.

    Attributes:
        name: one of `DATASETS`; "folder" reads `folder`.
        folder: for name "folder": a folder of images, a name under the data folder or a path.
        image_size: side of the square images in pixels; None keeps the data's own size
            (an image folder's: 32).
        crop_padding: pixels of zero padding for random crops; 0 for none.
        flip: mirror half the training images.
        val_images: training images held out for validation (He et al. 2015 hold out 5,000).
    """

    name: str
    folder: str | None = None
    image_size: int | None = None
    crop_padding: int = 0
    flip: bool = False
    val_images: int = 0

    def __post_init__(self) -> None:
        check_choice("data", self.name, DATASETS)
        if self.image_size is not None:
            check_integer("image_size", self.image_size, 8, 256)
        check_integer("crop_padding", self.crop_padding, 0, 32)
        check_integer("val_images", self.val_images, 0, 1_000_000)
        check_flag("flip", self.flip)
        if self.flip and self.name == "digits":
            raise SpecError(_("digits cannot be flipped: a mirrored digit is another sign or none"))
        if (self.name == "folder") != (self.folder is not None):
            raise SpecError(_("name a folder of images with data 'folder', and only with it"))
        if self.folder is not None and (
            not isinstance(self.folder, str) or not self.folder.strip() or "\0" in self.folder
        ):
            raise SpecError(f"folder {self.folder!r} is not the name of a folder")


@dataclass(frozen=True)
class TrainSpec(_Json):
    """The recipe.

    Attributes:
        steps: gradient steps.
        batch_size: images a step.
        lr: learning rate after warm-up.
        optimizer: "sgd" (with momentum) or "adam".
        momentum: of SGD.
        weight_decay: L2 penalty on all parameters, as in He et al. 2015.
        schedule: "cosine" to zero, "step" (divided by ten at 1/2 and 3/4 of the steps, as
            32k and 48k of 64k in He et al. 2015, 4.2) or "constant".
        warmup_steps: steps over which lr rises linearly from zero.
        warmup_error: train at lr / 10 until the running error is under this fraction, judged
            every 100 steps (ResNet-110's rule, 0.8 in He et al. 2015, 4.2); None for never.
        seed: of initialisation, batches and augmentation.
    """

    steps: int = 300
    batch_size: int = 64
    lr: float = 0.1
    optimizer: str = "sgd"
    momentum: float = 0.9
    weight_decay: float = 1e-4
    schedule: str = "cosine"
    warmup_steps: int = 0
    warmup_error: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_integer("steps", self.steps, 1, 10_000_000)
        check_integer("batch_size", self.batch_size, 2, 65_536)
        check_number("lr", self.lr, 1e-8, 1e6)
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        check_number("momentum", self.momentum, 0.0, 0.9999)
        check_number("weight_decay", self.weight_decay, 0.0, 10.0)
        check_choice("schedule", self.schedule, SCHEDULES)
        check_integer("warmup_steps", self.warmup_steps, 0, 10_000_000)
        if self.warmup_error is not None:
            check_number("warmup_error", self.warmup_error, 0.0, 1.0)
        check_integer("seed", self.seed, 0, 2**31 - 1)


@dataclass(frozen=True)
class RunSpec:
    """One net, trained once: what `train` takes and a run of the store was made from.

    Attributes:
        net, data, train: what is trained, on what, and how.
        start: the weights to begin with, as the SHA-256 (64 hexadecimal digits) of their file,
            which `nets.starts` keeps; None for random ones, drawn by the recipe's seed.
    """

    net: NetSpec
    data: DataSpec
    train: TrainSpec
    start: str | None = None

    def __post_init__(self) -> None:
        if self.start is not None and (
            not isinstance(self.start, str) or not _START.fullmatch(self.start)
        ):
            text = _(
                "start {start!r:.100} does not name a file of weights; give the 64 hexadecimal "
                "digits of its SHA-256, or leave it out for random weights"
            )
            raise SpecError(text.format(start=self.start))

    def to_dict(self, *, full: bool = False) -> dict[str, Any]:
        """Nested plain values; without `full`, fields at their default are left out."""
        parts = {"net": self.net, "data": self.data, "train": self.train}
        values: dict[str, Any] = {name: part.to_dict(full=full) for name, part in parts.items()}
        if full or self.start is not None:
            values["start"] = self.start
        return values

    @classmethod
    def from_dict(cls, values: object) -> RunSpec:
        """The run for a mapping, which is not trusted.

        Raises:
            SpecError: another schema, a missing or unknown part, or a bad value.
        """
        if not isinstance(values, Mapping):
            raise SpecError("a run must be an object with the fields net, data and train")
        schema = values.get("schema", SCHEMA)
        if schema != SCHEMA:
            raise SpecError(f"schema {schema!r} is not known to this program, which reads {SCHEMA}")
        for name in values:
            check_choice("part of a run", name, ("schema", "net", "data", "train", "start"))
        return cls(
            NetSpec.from_dict(values.get("net")),
            DataSpec.from_dict(values.get("data")),
            TrainSpec.from_dict(values.get("train")),
            values.get("start"),
        )

    def to_json(self) -> str:
        """Canonical JSON: one text for one spec."""
        values = {"schema": SCHEMA, **self.to_dict()}
        return json.dumps(values, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> RunSpec:
        """Inverse of `to_json`; the text is not trusted.

        Raises:
            SpecError: not JSON, or not a run.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SpecError(f"not a run's JSON: {error}") from None
        return cls.from_dict(values)

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits, equal for equal specs in every version of the program."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]
