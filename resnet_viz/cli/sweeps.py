"""Commands that train: sweep, resume."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from resnet_viz.checks import parse_numbers
from resnet_viz.cli.watching import supervised, watch
from resnet_viz.datasets import catalogue
from resnet_viz.i18n import _
from resnet_viz.nets.matching import QUANTITIES, matching_growth_rates
from resnet_viz.records import PROBE_EVERY
from resnet_viz.runs.estimate import estimate_sweep, why_it_cannot_fit
from resnet_viz.runs.lanes import available_cores
from resnet_viz.runs.store import RunStore
from resnet_viz.specs import BLOCKS, DATASETS, FAMILIES, DataSpec
from resnet_viz.sweeps import PRESETS, SweepSpec
from resnet_viz.training.schedule import check_probe_every


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this module's commands."""
    sweep = commands.add_parser("sweep", help=_("train a sweep and print its errors"))
    sweep.set_defaults(command=_sweep)
    sweep.add_argument("--preset", choices=PRESETS, default="quick")
    sweep.add_argument("--data", choices=DATASETS)
    sweep.add_argument("--folder", help=_("folder of images, for --data folder"))
    sweep.add_argument("--image-size", type=int)
    sweep.add_argument("--families", help=",".join(FAMILIES))
    sweep.add_argument("--depths", help="8,20,32,56")
    sweep.add_argument("--width", type=int)
    sweep.add_argument("--block", choices=BLOCKS)
    sweep.add_argument("--shortcuts", help=_("of residual nets, such as A,C,exclusive_gate"))
    sweep.add_argument("--orders", help=_("of residual nets, such as standard,relu_only"))
    sweep.add_argument("--survival", type=float, help=_("stochastic depth of residual nets"))
    sweep.add_argument("--gate-bias", type=float, help=_("of highway nets and gated shortcuts"))
    sweep.add_argument("--aux-heads", type=int, help=_("auxiliary classifiers of plain nets"))
    sweep.add_argument("--growth-rate", type=int, help=_("of DenseNets"))
    sweep.add_argument(
        "--match", choices=QUANTITIES, help=_("DenseNets as large as resnets: growth rate by depth")
    )
    sweep.add_argument("--dense-bc", action="store_true", default=None, help="DenseNet-BC")
    sweep.add_argument("--steps", type=int)
    sweep.add_argument("--batch-size", type=int)
    sweep.add_argument("--lr", type=float)
    sweep.add_argument("--seeds", type=int)
    sweep.add_argument("--seed", type=int, help=_("the first seed"))
    sweep.add_argument(
        "--probe-every",
        type=int,
        default=PROBE_EVERY,
        metavar="N",
        help=_("measure gradients layer by layer every N steps; 0: never"),
    )
    _device_and_json(sweep)

    resume = commands.add_parser("resume", help=_("go on with a stopped or failed sweep"))
    resume.set_defaults(command=_resume)
    resume.add_argument("sweep")
    _device_and_json(resume)


def _device_and_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    parser.add_argument("--json", type=Path, metavar="FILE", help=_("write specs and errors"))


def sweep_of(options: argparse.Namespace) -> SweepSpec:
    """The preset with what the options change in it.

    Raises:
        SpecError: an option that cannot be used.
    """
    spec = PRESETS[options.preset]
    changed: dict[str, Any] = {}
    if options.families:
        changed["families"] = tuple(options.families.split(","))
    if options.depths:
        changed["depths"] = parse_numbers(options.depths)
    if options.data or options.folder or options.image_size is not None:
        name = options.data or ("folder" if options.folder else spec.data.name)
        same = name == spec.data.name
        preset_size = spec.data.image_size if same else None
        changed["data"] = DataSpec(
            name,
            folder=options.folder,
            image_size=preset_size if options.image_size is None else options.image_size,
            crop_padding=spec.data.crop_padding,
            flip=spec.data.flip and name != "digits",
            val_images=spec.data.val_images if same else 0,
        )
    recipe = {"steps": options.steps, "batch_size": options.batch_size, "lr": options.lr}
    recipe["seed"] = options.seed
    given = {name: value for name, value in recipe.items() if value is not None}
    changed["train"] = replace(spec.train, **given)
    for name in ("shortcuts", "orders"):
        if getattr(options, name):
            changed[name] = tuple(getattr(options, name).split(","))
    if options.growth_rate is not None:
        changed["growth_rates"] = (options.growth_rate,)
    for name in (*("width", "seeds", "block", "survival", "gate_bias", "aux_heads", "dense_bc"),):
        if getattr(options, name) is not None:
            changed[name] = getattr(options, name)
    if options.lr is not None:
        changed["lrs"] = ()
    spec = replace(spec, **changed)
    if not options.match:
        return spec
    about = catalogue.describe(spec.data)
    rates = matching_growth_rates(
        spec,
        options.match,
        in_channels=about.channels,
        image_size=about.image_size,
        num_classes=len(about.classes),
    )
    return replace(spec, growth_rates=rates)


def _sweep(options: argparse.Namespace) -> int:
    spec = sweep_of(options)
    check_probe_every(options.probe_every)
    if not catalogue.is_present(spec.data):
        catalogue.describe(spec.data)  # a folder that is not there says so itself
        print(
            _("{data} is not on this computer: python -m resnet_viz download {data}").format(
                data=spec.data.name
            ),
            file=sys.stderr,
        )
        return 2
    store = RunStore()
    machine = store.machine(options.device)
    device = machine.device if machine else options.device
    estimate = estimate_sweep(
        spec.runs(),
        catalogue.describe(spec.data),
        device=device,
        cores=available_cores(),
        machine=machine,
    )
    if reason := why_it_cannot_fit(estimate, device="cpu" if device == "auto" else device):
        print(reason, file=sys.stderr)
        return 2
    name = f"{options.preset}: {spec.data.name}, {' + '.join(spec.families)}"
    with supervised(store, options.device) as supervisor:
        sweep_id = store.create_sweep(
            spec,
            name=name,
            device=options.device,
            cores=available_cores(),
            machine=machine,
            probe_every=options.probe_every,
        )
        print(_("sweep {id}").format(id=sweep_id), file=sys.stderr)
        return watch(store, supervisor, sweep_id, options.json)


def _resume(options: argparse.Namespace) -> int:
    store = RunStore()
    sweep_id = store.sweep(options.sweep).id
    with supervised(store, options.device) as supervisor:
        store.resume([run.id for run in store.runs(sweep_id)])
        return watch(store, supervisor, sweep_id, options.json)
