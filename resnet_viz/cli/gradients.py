"""The command that measures fresh nets: gradients."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any

from resnet_viz import __version__
from resnet_viz.analysis.inquiry import Job
from resnet_viz.analysis.signal_jobs import signal_jobs
from resnet_viz.checks import parse_numbers
from resnet_viz.datasets import catalogue
from resnet_viz.datasets.errors import DataError
from resnet_viz.i18n import _
from resnet_viz.layers import Layer, weighted_layers
from resnet_viz.signals import Signal
from resnet_viz.specs import DATASETS, INITS, NORMS, SHORTCUTS, DataSpec, NetSpec, net_beside


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this module's command."""
    parser = commands.add_parser(
        "gradients", help=_("measure gradient and response of every layer before training")
    )
    parser.set_defaults(command=_gradients)
    parser.add_argument("--families", default="plain,resnet", help="plain,resnet,preact")
    parser.add_argument("--depths", default="20,56", help="8,20,32,56")
    parser.add_argument("--norm", choices=NORMS, default="batch")
    parser.add_argument("--init", choices=INITS, default="he")
    parser.add_argument("--init-std", type=float, help=_("of the weights, for --init normal"))
    parser.add_argument("--shortcut", choices=SHORTCUTS, default="A", help=_("of residual nets"))
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--data", choices=DATASETS)
    parser.add_argument("--folder", help=_("folder of images, for --data folder"))
    parser.add_argument("--image-size", type=int, default=32)
    parser.add_argument("--images", type=int, default=128, help=_("in a batch"))
    parser.add_argument("--batches", type=int, default=3, help=_("each with weights of its own"))
    parser.add_argument("--seed", type=int, default=0, help=_("of the first batch"))
    parser.add_argument("--json", type=Path, metavar="FILE", help=_("write every layer's numbers"))


def _gradients(options: argparse.Namespace) -> int:
    nets = nets_of(options)
    name = options.data or ("folder" if options.folder else "shapes")
    data = DataSpec(name, folder=options.folder, image_size=options.image_size)
    about = catalogue.describe(data)  # a folder that is not there says so itself
    if not catalogue.is_present(data):
        text = _("{data} is not on this computer: python -m resnet_viz download {data}")
        raise DataError(text.format(data=data.name))
    jobs = signal_jobs(nets, data, options.batches, options.images, options.seed)
    if options.json is not None and not options.json.absolute().parent.is_dir():
        raise FileNotFoundError(_("There is no folder {f}").format(f=options.json.parent))
    signals = _measure(jobs)
    found = [[signal for signal in signals if signal.net == net] for net in nets]
    images = {NetSpec.from_dict(job.arguments["net"]): job.arguments["images"] for job in jobs}
    for net in nets:
        if images[net] < options.images:
            text = _("{net}: {n} images in a batch, as many as memory holds.")
            print(text.format(net=net.name, n=images[net]), file=sys.stderr)
    print(gradients_table(found))
    if options.json is not None:
        report = {
            "version": __version__,
            "data": data.to_dict(),
            "nets": [_net_report(each, images[each[0].net], about) for each in found],
        }
        options.json.write_text(json.dumps(report, indent=2, allow_nan=False) + "\n", "utf-8")
    return 0


def nets_of(options: argparse.Namespace) -> list[NetSpec]:
    """Every family at every depth, each net once.

    Raises:
        SpecError: an option that cannot be used, or not with these families.
    """
    fields = {"norm": options.norm, "init": options.init, "width": options.width}
    if options.init_std is not None:
        fields["init_std"] = options.init_std
    families = [name.strip() for name in options.families.split(",")]
    depths = parse_numbers(options.depths)
    nets = [
        net_beside(family, depth, shortcut=options.shortcut, **fields)
        for depth in depths
        for family in families
    ]
    return list(dict.fromkeys(nets))


def _measure(jobs: Sequence[Job]) -> list[Signal]:
    # Only here: the other commands leave torch to their workers.
    from resnet_viz.analysis.signal_answers import measure_signal

    signals = []
    for number, job in enumerate(jobs):
        if sys.stderr.isatty():
            print(f"\r{number} / {len(jobs)}\033[K", end="", file=sys.stderr, flush=True)
        signals.append(measure_signal(**job.arguments))
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return signals


def gradients_table(found: Sequence[Sequence[Signal]]) -> str:
    """A line a net, as aligned text.

    Args:
        found: the signals of each net, one a batch.
    """
    rows: list[tuple[str, ...]] = [
        (_("net"), _("first / last gradient"), _("lowest"), _("highest"), _("response std"))
    ]
    for signals in found:
        ratios = _summary([signal.ratio for signal in signals])
        first, last = (fmean(signal.response_std[i] for signal in signals) for i in (0, -2))
        response = f"{first:.3g} … {last:.3g}"
        rows.append((signals[0].net.name, *map(_text, ratios), response))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    text = _(
        "Gradient norm of the first convolution over that of the last: median and range of "
        "{n} batches, each with weights of its own. Response std: mean, first … last convolution."
    )
    lines.append(text.format(n=len(found[0])))
    if any(math.isnan(signal.ratio) for signals in found for signal in signals):
        lines.append(_("-: the last convolution gets no gradient, or a number overflowed."))
    return "\n".join(lines)


def _net_report(
    signals: Sequence[Signal], images: int, about: catalogue.DatasetInfo
) -> dict[str, Any]:
    """One net's numbers; what is not finite is None."""
    net = signals[0].net
    layers = weighted_layers(
        net,
        in_channels=about.channels,
        image_size=about.image_size,
        num_classes=len(about.classes),
    )
    ratios = [signal.ratio for signal in signals]
    middle, low, high = _summary(ratios)
    return {
        "name": net.name,
        "net": net.to_dict(full=True),
        "images": images,
        "seeds": [signal.seed for signal in signals],
        "ratio": {
            "median": _plain(middle),
            "lowest": _plain(low),
            "highest": _plain(high),
            "batches": [_plain(ratio) for ratio in ratios],
        },
        "layers": [_layer_report(layer, i, signals) for i, layer in enumerate(layers)],
    }


def _layer_report(layer: Layer, number: int, signals: Sequence[Signal]) -> dict[str, Any]:
    gradients = [signal.gradient_norm[number] for signal in signals]
    responses = [signal.response_std[number] for signal in signals]
    return {
        "name": layer.module,
        "stage": layer.stage,
        "block": layer.block,
        "shape": layer.shape,
        "gradient_norm": _plain(fmean(gradients)),
        "gradient_norms": [_plain(value) for value in gradients],
        "response_std": _plain(fmean(responses)),
        "response_stds": [_plain(value) for value in responses],
    }


def _summary(values: Sequence[float]) -> tuple[float, float, float]:
    """Median, lowest and highest; NaN if one is NaN, which has no place in an order."""
    if any(map(math.isnan, values)):
        return math.nan, math.nan, math.nan
    return median(values), min(values), max(values)


def _text(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3g}"


def _plain(value: float) -> float | None:
    """JSON has no word for what is not finite."""
    return value if math.isfinite(value) else None
