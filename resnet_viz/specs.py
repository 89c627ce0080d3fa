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

FAMILIES = ("plain", "resnet", "preact", "highway", "densenet")
RESIDUAL_FAMILIES = ("resnet", "preact")
SHORTCUT_FAMILIES = (*RESIDUAL_FAMILIES, "highway")  # a block's output is a sum of two ways
BLOCKS = ("basic", "bottleneck")
PLAIN_SHORTCUTS = ("A", "B", "C")
GATED_SHORTCUTS = ("exclusive_gate", "shortcut_gate")
SHORTCUTS = (*PLAIN_SHORTCUTS, "scaled", *GATED_SHORTCUTS, "dropout")
ORDERS = {
    "resnet": ("standard", "norm_after_sum", "relu_before_sum"),
    "preact": ("standard", "relu_only"),
}
NORMS = ("batch", "none")
STEMS = ("cifar", "imagenet")
INITS = ("he", "xavier", "normal", "zero_gamma", "fixup")
DATASETS = ("digits", "shapes", "cifar10", "cifar100", "fashion_mnist", "folder")
OPTIMIZERS = ("sgd", "adam")
SCHEDULES = ("cosine", "step", "constant")

# Weighted layers a block adds to depth; projections are not counted (He et al. 2015, 4.2).
LAYERS_PER_BLOCK = {"basic": 2, "bottleneck": 3}
AUXILIARY_WEIGHT = 0.3  # of an auxiliary classifier's loss (Szegedy et al. 2015, section 5)
_START = re.compile(r"[0-9a-f]{64}")
MAX_DEPTH = 1202  # the deepest net of He et al. 2015
DEFAULT_STAGES = 3


def layers_per_block(family: str, block: str) -> int:
    """Weighted layers of one block of a family: one in a highway layer and a dense layer."""
    if family == "highway":
        return 1
    return LAYERS_PER_BLOCK[block] - (family == "densenet")


def other_layers(family: str, stages: int = DEFAULT_STAGES) -> int:
    """Weighted layers outside the blocks: stem, head, and the transitions of a DenseNet."""
    return 2 + (stages - 1 if family == "densenet" else 0)


def valid_depths(
    block: str = "basic", low: int = 8, high: int = 110, family: str = "resnet"
) -> tuple[int, ...]:
    """Depths of a net of three equal stages, `low`..`high`.

    6n+2 with basic blocks, 9n+2 with bottlenecks, 3n+2 of a highway net, 3n+4 of a DenseNet and
    6n+4 of one with bottlenecks.
    """
    per_n = DEFAULT_STAGES * layers_per_block(family, block)
    first = per_n + other_layers(family)
    return tuple(d for d in range(first, high + 1, per_n) if d >= low)


def nearest_depths(depth: int, family: str = "resnet", block: str = "basic") -> tuple[int, ...]:
    """The valid depths next to `depth`, the one below first; one where the other is out of reach.

    A net with a block fewer in every stage is nearer than one that no stage can be made of.
    """
    every = valid_depths(block, 0, MAX_DEPTH, family)
    below = [d for d in every if d <= depth][-1:]
    above = [d for d in every if d > depth][:1]
    return (*below, *above)


def depth_beside(depth: int, family: str, block: str = "basic") -> int:
    """The depth of a family's net to stand beside the others of `depth` layers.

    A DenseNet's depths are never those of a residual net, so the nearest is taken.
    """
    nearest = nearest_depths(depth, family, block)
    residual = any(depth in nearest_depths(depth, "resnet", each) for each in BLOCKS)
    if depth in nearest or family != "densenet" or not residual:
        return depth
    return min(nearest, key=lambda other: (abs(other - depth), other))


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

    An option that the net does not use (`uses`) stays at its default.

    Attributes:
        family: "plain", "resnet" (He et al. 2015), "preact" (He et al. 2016, full
            pre-activation), "highway" (Srivastava et al. 2015, arXiv:1505.00387, convolutional)
            or "densenet" (Huang et al. 2017, arXiv:1608.06993).
        depth: weighted layers as the papers count them: 6n+2 basic, 9n+2 bottleneck, 3n+2
            highway, 3n+4 DenseNet, 6n+4 DenseNet with bottlenecks.
        block: "basic" (3x3, 3x3) or "bottleneck" (1x1, 3x3, 1x1; output four times as wide). Of a
            DenseNet: 3x3, or 1x1 (four times the growth rate) and 3x3. A highway layer is 3x3.
        shortcut: "A" zero-padding, "B" projection where dimensions change, "C" projection
            everywhere (He et al. 2015, 4.1); or "A" changed as in He et al. 2016, Table 1:
            "scaled", "exclusive_gate", "shortcut_gate" or "dropout" ("resnet" alone).
        width: channels of the first stage; each later stage doubles them. Of a DenseNet: channels
            of the stem, which the dense layers add to.
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
        order: where norm, ReLU and addition stand (He et al. 2016, Fig. 4): "standard" (a in
            "resnet", e in "preact"), "norm_after_sum" (b), "relu_before_sum" (c), or in "preact"
            "relu_only" (d).
        gate_bias: of the transform gate T(x) at the start, of a highway net or a gated shortcut;
            negative lets x pass at first.
        shortcut_scale, branch_scale: constant factors of x and F(x) with shortcut "scaled".
        shortcut_dropout: share of x that shortcut "dropout" sets to zero in training.
        survival: probability that the last block of a residual net keeps its branch in a training
            step, falling linearly from 1 at the stem (stochastic depth, Huang et al. 2016,
            arXiv:1603.09382); 1 keeps all.
        aux_heads: auxiliary classifiers at evenly spaced blocks of a plain net, whose losses join
            the head's in training (Szegedy et al. 2015, arXiv:1409.4842, section 5).
        growth_rate: channels that each dense layer adds ("k").
        compression: share of the channels that a transition keeps ("θ"; 0.5 in DenseNet-BC).
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
    order: str = "standard"
    gate_bias: float = -2.0
    shortcut_scale: float = 0.5
    branch_scale: float = 1.0
    shortcut_dropout: float = 0.5
    survival: float = 1.0
    aux_heads: int = 0
    growth_rate: int = 12
    compression: float = 1.0

    def __post_init__(self) -> None:
        check_choice("family", self.family, FAMILIES)
        check_choice("block", self.block, BLOCKS)
        check_choice("shortcut", self.shortcut, SHORTCUTS)
        check_choice("norm", self.norm, NORMS)
        check_choice("stem", self.stem, STEMS)
        check_integer("depth", self.depth, 1, MAX_DEPTH)
        check_integer("width", self.width, 1, 1024)
        self._check_options()
        self._check_depth()
        self._check_init()

    def uses(self, option: str) -> bool:
        """Whether a field means anything for this net; what it does not use stays at its default.

        Nets of several families can so be told apart by what they have in common.
        """
        if option == "init_std":
            return self.init == "normal"
        if option in ("shortcut", "survival"):
            return self.family in RESIDUAL_FAMILIES
        if option in ("growth_rate", "compression"):
            return self.family == "densenet"
        used = {
            "block": self.family != "highway",
            "order": self.family in ORDERS,
            "gate_bias": self.gated,
            "shortcut_scale": self.shortcut == "scaled",
            "branch_scale": self.shortcut == "scaled",
            "shortcut_dropout": self.shortcut == "dropout",
            "aux_heads": self.family == "plain",
        }
        return used.get(option, True)

    @property
    def gated(self) -> bool:
        """Whether a gate T(x) decides how much of x passes."""
        return self.family == "highway" or self.shortcut in GATED_SHORTCUTS

    @property
    def gates_branch(self) -> bool:
        """Whether the gate also weighs the branch: T(x)·F(x) + (1 - T(x))·x."""
        return self.family == "highway" or self.shortcut == "exclusive_gate"

    @property
    def projects(self) -> bool:
        """Whether some shortcuts may be projections."""
        return self.shortcut in ("B", "C")

    @property
    def random(self) -> bool:
        """Whether its output in training mode is drawn by chance."""
        return self.survival < 1 or self.shortcut == "dropout"

    def _check_options(self) -> None:
        check_choice("order", self.order, ORDERS.get(self.family, ("standard",)))
        for name, low, high in (
            ("gate_bias", -20.0, 20.0),
            ("shortcut_scale", -2.0, 2.0),
            ("branch_scale", -2.0, 2.0),
            ("shortcut_dropout", 0.0, 0.95),
            ("survival", 0.05, 1.0),
            ("compression", 0.1, 1.0),
        ):
            check_number(name, getattr(self, name), low, high)
            object.__setattr__(self, name, float(getattr(self, name)))  # 1 and 1.0 have one key
        check_integer("growth_rate", self.growth_rate, 1, 256)
        check_integer("aux_heads", self.aux_heads, 0, 4)
        if self.family == "plain" and self.shortcut != "A":
            raise SpecError(_("a plain net has no shortcuts; leave shortcut at 'A'"))
        for name in _OPTIONS:
            default = getattr(type(self), name)
            if getattr(self, name) != default and not self.uses(name):
                text = _("{net} does not use {name}; leave it at {default!r}")
                raise SpecError(text.format(net=self.name, name=name, default=default))
        if self.family == "preact" and self.shortcut not in PLAIN_SHORTCUTS:
            text = _("shortcut {shortcut!r} belongs to family 'resnet'; use 'A', 'B' or 'C' here")
            raise SpecError(text.format(shortcut=self.shortcut))
        if self.order != "standard" and self.shortcut not in PLAIN_SHORTCUTS:
            raise SpecError(_("another order goes with shortcut 'A', 'B' or 'C'"))

    def _check_init(self) -> None:
        check_choice("init", self.init, INITS)
        check_number("init_std", self.init_std, 1e-6, 10.0)
        object.__setattr__(self, "init_std", float(self.init_std))  # 1 and 1.0 have one key
        if self.init != "normal" and self.init_std != type(self).init_std:
            text = _("init {init!r} does not use init_std; leave it at {std:g}, or use 'normal'")
            raise SpecError(text.format(init=self.init, std=type(self).init_std))
        residual = self.family in RESIDUAL_FAMILIES
        if self.init == "zero_gamma" and (not residual or self.norm == "none"):
            raise SpecError(
                _(
                    "zero_gamma needs a residual branch with batch norm; "
                    "use init 'he' for this net, or family 'resnet' with norm 'batch'"
                )
            )
        if self.stem == "imagenet" and (
            self.family in ("preact", "highway") or self.init == "fixup"
        ):
            raise SpecError(
                _("the imagenet stem belongs to plain and residual nets; use stem 'cifar' here")
            )
        special = self.order != "standard" or self.shortcut not in PLAIN_SHORTCUTS
        if self.init in ("zero_gamma", "fixup") and special:
            text = _("init {init!r} goes with the standard order and shortcut 'A', 'B' or 'C'")
            raise SpecError(text.format(init=self.init))
        if self.init == "fixup" and (not residual or self.norm == "batch"):
            raise SpecError(
                _(
                    "fixup needs a residual branch without batch norm; "
                    "use init 'he' for this net, or family 'resnet' with norm 'none'"
                )
            )

    def _check_depth(self) -> None:
        if self.blocks is None:
            nearest = nearest_depths(self.depth, self.family, self.block)
            if self.depth not in nearest:
                raise SpecError(
                    _("depth {depth} is not {per_n}n+{more}; nearest: {nearest}").format(
                        depth=self.depth,
                        per_n=DEFAULT_STAGES * self.block_layers,
                        more=other_layers(self.family),
                        nearest=", ".join(map(str, nearest)),
                    )
                )
            return
        if not isinstance(self.blocks, tuple) or not 1 <= len(self.blocks) <= 5:
            raise SpecError("blocks must list the blocks of one to five stages, such as 3, 4, 3")
        for count in self.blocks:
            check_integer("blocks per stage", count, 1, MAX_DEPTH)
        depth = self.block_layers * sum(self.blocks) + other_layers(self.family, len(self.blocks))
        if depth != self.depth:
            raise SpecError(f"blocks {self.blocks} make depth {depth}, not {self.depth}")

    @property
    def stage_blocks(self) -> tuple[int, ...]:
        """Blocks of each stage, given or implied by depth."""
        if self.blocks is not None:
            return self.blocks
        n = (self.depth - other_layers(self.family)) // (DEFAULT_STAGES * self.block_layers)
        return (n,) * DEFAULT_STAGES

    @property
    def block_layers(self) -> int:
        """Weighted layers of one block."""
        return layers_per_block(self.family, self.block)

    @property
    def name(self) -> str:
        """Family and depth, as papers write it: "resnet-20"."""
        return f"{self.family}-{self.depth}"


# Fields that only some nets use.
_OPTIONS = (
    *("block", "shortcut", "order", "gate_bias", "shortcut_scale", "branch_scale"),
    *("shortcut_dropout", "survival", "aux_heads", "growth_rate", "compression"),
)


def net_beside(family: str, depth: int, block: str = "basic", **options: Any) -> NetSpec:
    """The net of a family for a picture of several: its own depth, and only options it uses.

    Raises:
        SpecError: no such net; the message says what to change.
    """
    check_choice("family", family, FAMILIES)
    block = "basic" if family == "highway" else block
    made = NetSpec(family, depth_beside(depth, family, block), block)
    for name in ("norm", "shortcut", "init", *options):  # what others depend on first
        if name in options and (made.uses(name) or name not in _OPTIONS):
            made = dataclasses.replace(made, **{name: options[name]})
    return made


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
