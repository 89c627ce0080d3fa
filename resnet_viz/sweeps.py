"""A sweep: the grid of runs whose error is drawn against depth. Standard library only."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from resnet_viz.checks import check_choice
from resnet_viz.i18n import _
from resnet_viz.specs import (
    ORDERS,
    PLAIN_SHORTCUTS,
    RESIDUAL_FAMILIES,
    SHORTCUTS,
    DataSpec,
    NetSpec,
    RunSpec,
    SpecError,
    TrainSpec,
    net_beside,
)

MAX_RUNS = 200
WARMUP_ERROR = 0.8  # He et al. 2015, 4.2: lr 0.01 until the training error is below 80 %
WARMUP_DEPTH = 110


@dataclass(frozen=True)
class SweepSpec:
    """Families x depths x learning rates x seeds of one recipe on one data set.

    Attributes:
        families, depths: the grid; every depth must be valid for `block`.
        data, train: what every net is trained on, and how; `train.lr` and `train.seed` are
            the first of the rates and seeds.
        block, width, norm: of every net.
        shortcut, zero_gamma: of the residual nets; plain nets have no shortcut.
        shortcuts, orders: shortcuts and orders of norm, ReLU and addition that every residual net
            is trained with, as far as its family has them; empty for `shortcut` and the standard
            order alone.
        shortcut_scale, branch_scale, survival: of the residual nets, as in `NetSpec`.
        gate_bias: of highway nets and gated shortcuts.
        aux_heads: of the plain nets.
        growth_rates: of the DenseNets, one for each depth or one for all.
        dense_bc: DenseNets have bottlenecks, half the channels after a transition and a stem of
            two growth rates (DenseNet-BC).
        lrs: learning rates that every net is trained with; empty for `train.lr` alone.
        seeds: how many seeds, counted up from `train.seed`.
        warm_up_deep: nets of 110 layers and more start at lr / 10 until their running error
            is under 80 %, as ResNet-110 does in He et al. 2015, 4.2.
        given: the runs themselves, where they are no grid: nets with inserted blocks, or with
            weights to start from. `families`, `depths` and the rest then only describe them.
    """

    families: tuple[str, ...]
    depths: tuple[int, ...]
    data: DataSpec
    train: TrainSpec
    block: str = "basic"
    width: int = 16
    norm: str = "batch"
    shortcut: str = "A"
    zero_gamma: bool = False
    lrs: tuple[float, ...] = ()
    seeds: int = 1
    warm_up_deep: bool = False
    shortcuts: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    shortcut_scale: float = 0.5
    branch_scale: float = 1.0
    survival: float = 1.0
    gate_bias: float = -2.0
    aux_heads: int = 0
    growth_rates: tuple[int, ...] = (12,)
    dense_bc: bool = False
    given: tuple[RunSpec, ...] = ()

    def __post_init__(self) -> None:
        if not self.families or not self.depths:
            raise SpecError(_("a sweep needs at least one family and one depth"))
        if not isinstance(self.seeds, int) or isinstance(self.seeds, bool) or self.seeds < 1:
            text = _("seeds {seeds!r} is not a number of seeds; use 1 or more")
            raise SpecError(text.format(seeds=self.seeds))
        for name in ("families", "depths", "lrs", "shortcuts", "orders"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise SpecError(_("{name} names one value twice").format(name=name))
        if len(self.growth_rates) not in (1, len(self.depths)):
            raise SpecError(_("give one growth rate, or one for each depth"))
        count = len(self.given)
        if not self.given:
            nets = sum(len(self.nets(family, depth)) for family, depth in self._grid())
            count = nets * max(1, len(self.lrs)) * self.seeds
        if count > MAX_RUNS:
            text = _("{count} runs are more than a sweep may have; use at most {most}")
            raise SpecError(text.format(count=count, most=MAX_RUNS))
        if any(run.data != self.data for run in self.given):
            raise SpecError(_("the runs of a sweep must be on the sweep's data"))
        self.runs()  # refuses what no net or recipe can be made from

    def _grid(self) -> list[tuple[str, int]]:
        return list(itertools.product(self.families, self.depths))

    def net(self, family: str, depth: int) -> NetSpec:
        """The net of one cell of the grid, the first where it has several."""
        return self.nets(family, depth)[0]

    def nets(self, family: str, depth: int) -> list[NetSpec]:
        """The nets of one cell of the grid: one, or one for each shortcut and order.

        Raises:
            SpecError: none, or one that cannot be; the message says what to change.
        """
        if family == "densenet":
            return [self._dense_net(depth)]
        options = {
            "width": self.width,
            "norm": self.norm,
            "survival": self.survival,
            "gate_bias": self.gate_bias,
            "aux_heads": self.aux_heads,
        }
        if family not in RESIDUAL_FAMILIES:
            return [net_beside(family, depth, self.block, **options)]
        options["init"] = "zero_gamma" if self.zero_gamma else "he"
        options |= {"shortcut_scale": self.shortcut_scale, "branch_scale": self.branch_scale}
        found = [
            net_beside(family, depth, self.block, shortcut=shortcut, order=order, **options)
            for shortcut in self.shortcuts or (self.shortcut,)
            for order in self.orders or ("standard",)
            if not self._is_left_out(family, shortcut, order)
        ]
        if not found:
            text = _("family {family!r} has none of the chosen shortcuts and orders")
            raise SpecError(text.format(family=family))
        return found

    def _is_left_out(self, family: str, shortcut: str, order: str) -> bool:
        """Whether a family does not have what others of the sweep have."""
        check_choice("shortcut", shortcut, SHORTCUTS)
        check_choice("order", order, tuple(dict.fromkeys(itertools.chain(*ORDERS.values()))))
        special = shortcut not in PLAIN_SHORTCUTS
        several = len(self.shortcuts) > 1 or len(self.orders) > 1
        return several and (
            order not in ORDERS[family] or (special and (family == "preact" or order != "standard"))
        )

    def _dense_net(self, depth: int) -> NetSpec:
        place = self.depths.index(depth) if len(self.growth_rates) > 1 else 0
        rate = self.growth_rates[place]
        options: dict[str, Any] = {"width": self.width, "norm": self.norm, "growth_rate": rate}
        if not self.dense_bc:
            return net_beside("densenet", depth, **options)
        options |= {"width": 2 * rate, "compression": 0.5}
        return net_beside("densenet", depth, "bottleneck", **options)

    def runs(self) -> list[RunSpec]:
        """Every run, shallow nets first, families side by side.

        Raises:
            SpecError: a cell of the grid is not a valid net or recipe.
        """
        if self.given:
            return list(self.given)
        out = []
        for seed, lr, depth, family in itertools.product(
            range(self.seeds), self.lrs or (self.train.lr,), self.depths, self.families
        ):
            nets = self.nets(family, depth)
            warmup = WARMUP_ERROR if self.warm_up_deep and depth >= WARMUP_DEPTH else None
            train = replace(self.train, lr=lr, seed=self.train.seed + seed, warmup_error=warmup)
            out += [RunSpec(net, self.data, train) for net in nets]
        return out

    def to_dict(self) -> dict[str, Any]:
        """Plain values by field name, every field but `given` where there is none."""
        out = {k: list(v) if isinstance(v, tuple) else v for k, v in vars(self).items()}
        del out["given"]  # an older version of the program then reads the sweep
        if self.given:
            out["given"] = [run.to_dict() for run in self.given]
        return {**out, "data": self.data.to_dict(), "train": self.train.to_dict()}

    @classmethod
    def from_dict(cls, values: object) -> SweepSpec:
        """The sweep for a mapping, which is not trusted.

        Raises:
            SpecError: not a mapping, a missing or unknown field, or a bad value.
        """
        if not isinstance(values, Mapping):
            raise SpecError(f"a sweep must be an object with named fields, not {values!r:.80}")
        fields: dict[Any, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        fields["data"] = DataSpec.from_dict(fields.get("data"))
        fields["train"] = TrainSpec.from_dict(fields.get("train"))
        given = fields.get("given", ())
        if not isinstance(given, tuple):
            raise SpecError(f"the runs of a sweep must be a list, not {given!r:.80}")
        fields["given"] = tuple(map(RunSpec.from_dict, given))
        try:
            return cls(**fields)
        except TypeError as error:  # an unknown or missing field, or a value of another type
            raise SpecError(f"not a sweep: {error}") from None


_QUICK = SweepSpec(
    families=("plain", "resnet"),
    depths=(8, 20, 32, 56),
    data=DataSpec("digits", image_size=16, crop_padding=1),
    train=TrainSpec(steps=300, batch_size=64, lr=0.1, schedule="cosine", warmup_steps=20),
    width=8,
)

PRESETS: dict[str, SweepSpec] = {
    # Sizes and times measured on two cores; see benchmarks/README.md.
    "quick": _QUICK,
    "longer": replace(
        _QUICK,
        depths=(8, 20, 32, 44, 56),
        data=DataSpec("shapes", image_size=24, crop_padding=2),
        train=replace(_QUICK.train, steps=2000, batch_size=128, warmup_steps=100),
        width=16,
    ),
    # He et al. 2015, 4.2. Its Fig. 6 has no curve for plain-110 ("higher than 60 %").
    "paper": SweepSpec(
        families=("plain", "resnet"),
        depths=(20, 32, 44, 56, 110),
        data=DataSpec("cifar10", crop_padding=4, flip=True, val_images=5000),
        train=TrainSpec(steps=64_000, batch_size=128, lr=0.1, schedule="step"),
        warm_up_deep=True,
    ),
    # He et al. 2016, Table 1 and 2, at the size of the quick sweep: its gates with the biases that
    # did best there, its scaling by 0.5 of both ways.
    "shortcuts": replace(
        _QUICK,
        families=("resnet",),
        depths=(20, 56),
        shortcuts=("A", "C", "scaled", "exclusive_gate", "shortcut_gate", "dropout"),
        branch_scale=0.5,
        gate_bias=-6.0,
    ),
    "rates": replace(_QUICK, train=replace(_QUICK.train, lr=0.02), lrs=(0.02, 0.1, 0.3)),
}
