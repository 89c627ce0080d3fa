"""The command that shows which pixels decided: attribute."""

from __future__ import annotations

import argparse
import difflib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from resnet_viz import __version__
from resnet_viz.analysis.attribution_jobs import attribution_question
from resnet_viz.checks import SpecError
from resnet_viz.cli.looking import Looked, add_arguments, ask_here, check_folders, open_looked
from resnet_viz.i18n import _
from resnet_viz.inside import Attribution
from resnet_viz.methods import NAMES, Method, method as find_method

VIEWS = ("over", "heat", "mask")  # of `figures.attributions.overlay`, which needs plotly


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this module's command."""
    parser = commands.add_parser("attribute", help=_("show which pixels of an image decided"))
    parser.set_defaults(command=_attribute)
    add_arguments(parser)
    parser.add_argument("--method", default=NAMES[0], metavar="METHOD", help=", ".join(NAMES))
    parser.add_argument(
        "--target", help=_("name or number of a class; else the one that the net names")
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=_("a parameter of the method, such as steps=100; may be given again"),
    )
    parser.add_argument("--view", choices=VIEWS, default=VIEWS[0], help=_("of the picture"))
    parser.add_argument("--out", type=Path, metavar="FILE", help=_("write the picture, .png"))
    parser.add_argument("--npy", type=Path, metavar="FILE", help=_("write the values as they are"))
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help=_("write target, time, completeness")
    )


def _attribute(options: argparse.Namespace) -> int:
    check_folders(options.out, options.npy, options.json)
    looked = open_looked(options)
    card = looked.card
    about = find_method(options.method, card.net, card.image_size)
    parameters = about.fill(parse_settings(about, options.set))
    target = None if options.target is None else find_class(options.target, card.classes)
    question = attribution_question(
        looked.source, card, looked.text, about.name, parameters, target
    )
    found: Attribution = ask_here(question)
    print("\n".join(attribution_lines(found, about, card.classes)))
    if options.out is not None:
        options.out.write_bytes(attribution_picture(looked, found, about, options.view))
    if options.npy is not None:
        with options.npy.open("wb") as file:  # else numpy adds its own ending to another
            np.save(file, found.values)
    if options.json is not None:
        report = attribution_report(looked, found, parameters)
        options.json.write_text(json.dumps(report, indent=2, allow_nan=False) + "\n", "utf-8")
    return 0


def parse_settings(method: Method, settings: Sequence[str]) -> dict[str, Any]:
    """Parameters of a method from "steps=100" and the like, not checked against their limits.

    Raises:
        SpecError: not a name and a value, or a value that is not of the parameter's kind.
    """
    kinds = {each.name: type(each.default) for each in method.parameters}
    found: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = (part.strip() for part in setting.partition("="))
        if not equals:
            text = _("{text!r} is not NAME=VALUE such as steps=100")
            raise SpecError(text.format(text=setting))
        try:
            found[name] = kinds.get(name, str)(value)  # an unknown name is refused with the others
        except ValueError:
            text = _("{name} {value!r} is not a number")
            raise SpecError(text.format(name=name, value=value)) from None
    return found


def find_class(text: str, classes: Sequence[str]) -> int:
    """Number of the class that a text names, whatever its case; else of the class it numbers.

    Raises:
        SpecError: there is none; the message names the nearest.
    """
    names = [name.casefold() for name in classes]
    wanted = text.strip().casefold()
    if wanted in names:
        return names.index(wanted)
    if wanted.isdecimal() and int(wanted) < len(classes):
        return int(wanted)
    close = difflib.get_close_matches(wanted, names, n=3, cutoff=0.4)
    near = close or [name for name in names if wanted and wanted in name][:3] or names[:3]
    message = _("there is no class {text!r} among {n}; nearest: {near}")
    shown = ", ".join(classes[names.index(name)] for name in near)
    raise SpecError(message.format(text=text, n=len(classes), near=shown))


def attribution_lines(found: Attribution, method: Method, classes: Sequence[str]) -> list[str]:
    """What was found, for a person."""
    text = _("{method}: {name} (class {number}), logit {logit:.3f}, probability {p:.2f} %")
    lines = [
        text.format(
            method=method.title,
            name=classes[found.target],
            number=found.target,
            logit=found.target_logit,
            p=100 * found.target_probability,
        ),
        _("computed in {seconds:.2f} s").format(seconds=found.seconds),
    ]
    if found.delta is not None and found.expected is not None:
        text = _("completeness: the values add up to {sum:.3f}; they should to {expected:.3f}")
        total = found.expected + found.delta
        lines.append(text.format(sum=total, expected=found.expected))
    return lines


def attribution_picture(looked: Looked, found: Attribution, method: Method, view: str) -> bytes:
    """The image as the net sees it, and the attribution beside it."""
    # Only here: the other commands work where plotly, whose colours these are, is not installed.
    from resnet_viz.figures.attributions.overlay import attribution_limits, attribution_png
    from resnet_viz.figures.maps.compose import composed
    from resnet_viz.figures.maps.pictures import Picture, image_png

    card = looked.card
    limits = attribution_limits([found.values], signed=method.signed)
    png = attribution_png(found.values, looked.pixels, limits, view=view)
    seen = _("What the net sees: {n}×{n} pixels").format(n=card.image_size)
    said = "\n".join(attribution_lines(found, method, card.classes)[:1])
    caption = f"{said}\n" + _("Colour scale: {scale}").format(scale=limits.text)
    row = [
        Picture(image_png(looked.pixels), looked.name, seen, seen),
        Picture(png, method.title, caption, method.asks),
    ]
    return composed([row], title=card.title)


def attribution_report(
    looked: Looked, found: Attribution, parameters: dict[str, Any]
) -> dict[str, Any]:
    """What was found as JSON values; the values themselves are for an .npy file."""
    values = found.values.astype(np.float64)
    return {
        "version": __version__,
        **looked.report(),
        "method": found.method,
        "parameters": parameters,
        "target": found.target,
        "class": looked.card.classes[found.target],
        "logit": found.target_logit,
        "probability": found.target_probability,
        "seconds": found.seconds,
        "expected": found.expected,
        "delta": found.delta,
        "shape": list(values.shape),
        "sum": float(values.sum()),
        "lowest": float(values.min()),
        "highest": float(values.max()),
    }
