"""The command that shows what a layer makes of an image: features."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from resnet_viz import __version__
from resnet_viz.analysis.feature_jobs import maps_question, overview_question
from resnet_viz.cli.looking import (
    Looked,
    add_arguments,
    ask_here,
    check_folders,
    open_looked,
    prediction_lines,
    prediction_report,
)
from resnet_viz.i18n import _
from resnet_viz.inside import FeatureMaps, Overview
from resnet_viz.points import find_point, points_of

ORDERS = ("strength", "index")


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this module's command."""
    parser = commands.add_parser("features", help=_("draw the feature maps of an image"))
    parser.set_defaults(command=_features)
    add_arguments(parser)
    parser.add_argument(
        "--at", metavar="POINT", help=_("stem.relu, stage2.block3, stage2.block3.branch, …")
    )
    parser.add_argument("--order", choices=ORDERS, default=ORDERS[0], help=_("of the channels"))
    parser.add_argument(
        "--own-scale", action="store_true", help=_("a colour scale for every channel")
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help=_("write the picture, .png"))
    parser.add_argument("--npy", type=Path, metavar="FILE", help=_("write the maps as they are"))
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help=_("write predictions, norms, every channel's size"),
    )


def _features(options: argparse.Namespace) -> int:
    check_folders(options.out, options.npy, options.json)
    looked = open_looked(options)
    card = looked.card
    point = options.at or points_of(card.net)[-1].name
    maps_jobs = maps_question(looked.source, card, looked.text, point)  # refuses a bad point
    overview: Overview = ask_here(overview_question(looked.source, looked.text, card))
    print("\n".join(prediction_lines(overview.prediction, card)))
    maps: FeatureMaps = ask_here(maps_jobs)
    channels, height, width = maps.values.shape
    text = _("{point} of {net}: {n} maps of {h}×{w}")
    print(text.format(point=point, net=card.title, n=channels, h=height, w=width))
    if options.out is not None:
        shared = not options.own_scale
        options.out.write_bytes(features_png(looked, overview, maps, options.order, shared=shared))
    if options.npy is not None:
        with options.npy.open("wb") as file:  # else numpy adds its own ending to another
            np.save(file, maps.values)
    if options.json is not None:
        report = features_report(looked, overview, maps)
        options.json.write_text(json.dumps(report, indent=2, allow_nan=False) + "\n", "utf-8")
    return 0


def features_png(
    looked: Looked, overview: Overview, maps: FeatureMaps, order: str, *, shared: bool
) -> bytes:
    """The image as the net sees it, and every channel as one grid beside it."""
    # Only here: the other commands work where plotly, whose colours these are, is not installed.
    from resnet_viz.figures.maps.compose import composed
    from resnet_viz.figures.maps.pictures import Picture, image_png
    from resnet_viz.figures.maps.sprites import map_sheet

    sheet = map_sheet(maps.values, order=order, shared=shared)
    seen = _("What the net sees: {n}×{n} pixels").format(n=looked.card.image_size)
    said = "\n".join(prediction_lines(overview.prediction, looked.card))
    title = find_point(looked.card.net, maps.point).title
    scale = sheet.limits[0].text if sheet.shared else _("every channel has its own")
    orders = {"strength": _("the strongest first"), "index": _("by number")}
    caption = _("{n} maps of {h}×{w}, {order}. Colour scale: {scale}").format(
        n=len(maps.values),
        h=maps.values.shape[1],
        w=maps.values.shape[2],
        order=orders[order],
        scale=scale,
    )
    row = [
        Picture(image_png(looked.pixels), looked.name, f"{seen}\n{said}", seen),
        Picture(sheet.png, f"{maps.point} ({title})", caption, title),
    ]
    return composed([row], title=looked.card.title)


def features_report(looked: Looked, overview: Overview, maps: FeatureMaps) -> dict[str, Any]:
    """What was found as JSON values; the maps themselves are for an .npy file."""
    values = maps.values.astype(np.float64)
    outputs = [point.name for point in points_of(looked.card.net) if point.kind == "output"]
    norms = {
        "branch_norm": overview.branch_norm,
        "shortcut_norm": overview.shortcut_norm,
        "sum_norm": overview.sum_norm,
        "output_norm": overview.output_norm,
    }
    return {
        "version": __version__,
        **looked.report(),
        "predictions": prediction_report(overview.prediction, looked.card),
        "blocks": [
            {"block": name, **{key: column[i] for key, column in norms.items() if column}}
            for i, name in enumerate(outputs)
        ],
        "point": maps.point,
        "shape": list(values.shape),
        "channels": [
            {
                "channel": number,
                "strength": float(np.abs(each).mean()),
                "mean": float(each.mean()),
                "std": float(each.std()),
                "lowest": float(each.min()),
                "highest": float(each.max()),
                "zero_share": float((each == 0).mean()),
            }
            for number, each in enumerate(values)
        ],
    }
