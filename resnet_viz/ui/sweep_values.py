"""A sweep as the values of the widgets that make it, and back. Knows no Streamlit.

The keys are also the names in a page's link, so they are short and stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from resnet_viz.checks import parse_numbers
from resnet_viz.datasets import catalogue
from resnet_viz.datasets.errors import DataError
from resnet_viz.i18n import _
from resnet_viz.nets.matching import QUANTITIES, matching_growth_rates
from resnet_viz.specs import DataSpec, SpecError, TrainSpec, valid_depths
from resnet_viz.sweeps import SweepSpec

FIXED_GROWTH = "growth_rate"  # what DenseNets of one sweep have in common, unless matched
NATIVE_SIZE = 0  # what the size widget shows for "the data's own size"


def values_of(spec: SweepSpec) -> dict[str, Any]:
    """Widget key to widget value."""
    data, train = spec.data, spec.train
    return {
        "data": data.name,
        "folder": data.folder,
        "size": data.image_size or NATIVE_SIZE,
        "crop": data.crop_padding,
        "flip": data.flip,
        "val": data.val_images,
        "families": list(spec.families),
        "depths": [str(depth) for depth in spec.depths],
        "block": spec.block,
        "width": spec.width,
        "shortcut": spec.shortcut,
        "norm": spec.norm,
        "zero_gamma": spec.zero_gamma,
        "shortcuts": list(spec.shortcuts),
        "orders": list(spec.orders),
        "x_scale": spec.shortcut_scale,
        "f_scale": spec.branch_scale,
        "survival": spec.survival,
        "gate_bias": spec.gate_bias,
        "aux": spec.aux_heads,
        "growth": spec.growth_rates[0],
        "alike": _alike_in(spec),
        "dense_bc": spec.dense_bc,
        "steps": train.steps,
        "batch": train.batch_size,
        "lr": ", ".join(f"{lr:g}" for lr in spec.lrs or (train.lr,)),
        "optimizer": train.optimizer,
        "momentum": train.momentum,
        "decay": train.weight_decay,
        "schedule": train.schedule,
        "warmup": train.warmup_steps,
        "deep_warmup": spec.warm_up_deep,
        "seed": train.seed,
        "seeds": spec.seeds,
    }


def spec_of(values: Mapping[str, Any]) -> SweepSpec:
    """The sweep that widget values describe, which a person or a link may have set to anything.

    Raises:
        SpecError: a value that cannot be used; the message says which would do.
    """
    if not values["families"]:
        raise SpecError(_("Choose at least one family of nets."))
    if not values["depths"]:
        raise SpecError(_("Choose at least one depth."))
    lrs = parse_rates(values["lr"])
    folder = values["data"] == "folder"
    if folder and not values["folder"]:
        raise SpecError(_("Choose a folder of images, or another data set."))
    spec = SweepSpec(
        families=tuple(values["families"]),
        depths=tuple(sorted(set(parse_numbers(" ".join(values["depths"]), "depths")))),
        data=DataSpec(
            name=values["data"],
            folder=values["folder"] if folder else None,
            image_size=None if values["size"] in (None, NATIVE_SIZE) else values["size"],
            crop_padding=_given(values["crop"], "crop_padding"),
            flip=values["flip"] and values["data"] != "digits",
            val_images=_given(values["val"], "val_images"),
        ),
        train=TrainSpec(
            steps=_given(values["steps"], "steps"),
            batch_size=_given(values["batch"], "batch_size"),
            lr=lrs[0],
            optimizer=values["optimizer"],
            momentum=_given(values["momentum"], "momentum"),
            weight_decay=_given(values["decay"], "weight_decay"),
            schedule=values["schedule"],
            warmup_steps=_given(values["warmup"], "warmup_steps"),
            seed=_given(values["seed"], "seed"),
        ),
        block=values["block"],
        width=_given(values["width"], "width"),
        norm=values["norm"],
        shortcut=values["shortcut"],
        zero_gamma=values["zero_gamma"] and values["norm"] == "batch",
        lrs=lrs if len(lrs) > 1 else (),
        seeds=_given(values["seeds"], "seeds"),
        warm_up_deep=values["deep_warmup"],
        shortcuts=tuple(values["shortcuts"]),
        orders=tuple(values["orders"]),
        shortcut_scale=_given(values["x_scale"], "shortcut_scale"),
        branch_scale=_given(values["f_scale"], "branch_scale"),
        survival=_given(values["survival"], "survival"),
        gate_bias=_given(values["gate_bias"], "gate_bias"),
        aux_heads=_given(values["aux"], "aux_heads"),
        growth_rates=(_given(values["growth"], "growth_rate"),),
        dense_bc=values["dense_bc"],
    )
    if values["alike"] == FIXED_GROWTH or "densenet" not in spec.families:
        return spec
    return replace(spec, growth_rates=_rates_alike(spec, values["alike"]))


def _rates_alike(spec: SweepSpec, quantity: str) -> tuple[int, ...]:
    """Growth rates at which DenseNets are alike ResNets of their depth on the sweep's data."""
    try:
        about = catalogue.describe(spec.data)
    except DataError:  # the sweep cannot start anyway, and says so itself
        return spec.growth_rates
    return matching_growth_rates(
        spec,
        quantity,
        in_channels=about.channels,
        image_size=about.image_size,
        num_classes=len(about.classes),
    )


def _alike_in(spec: SweepSpec) -> str:
    """In what the DenseNets of a sweep are alike its ResNets, if in anything."""
    if len(spec.growth_rates) == 1:
        return FIXED_GROWTH
    found = [q for q in QUANTITIES if _rates_alike(spec, q) == spec.growth_rates]
    return found[0] if found else FIXED_GROWTH


def _given(value: Any, name: str) -> Any:
    if value is None:
        raise SpecError(_("{name} is empty; give a number.").format(name=name))
    return value


def parse_rates(text: str) -> tuple[float, ...]:
    """Learning rates from "0.1" or "0.02, 0.1, 0.3" as a person types them.

    Raises:
        SpecError: something between the commas is not a number, or there is nothing.
    """
    parts = [part for part in text.replace(",", " ").split() if part]
    try:
        rates = tuple(float(part) for part in parts)
    except ValueError:
        rates = ()
    if not rates:
        raise SpecError(
            _(
                "The learning rate {text!r} is not a number; give one such as 0.1, or several "
                "such as 0.02, 0.1, 0.3 to keep the best of them."
            ).format(text=text)
        )
    return rates


def spread_depths(deepest: int, block: str, count: int = 4) -> list[str]:
    """About `count` valid depths from the shallowest to `deepest`, evenly spread."""
    depths = [d for d in valid_depths(block) if d <= deepest] or list(valid_depths(block)[:1])
    last = len(depths) - 1
    places = {round(i * last / max(1, count - 1)) for i in range(count)}
    return [str(depths[place]) for place in sorted(places)]
