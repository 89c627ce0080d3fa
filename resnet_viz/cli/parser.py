"""From the words of a command line to the command that they call."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from resnet_viz import __version__
from resnet_viz.cli import (
    attribute,
    evaluate,
    features,
    gradients,
    lesions,
    reproduce,
    stored,
    sweeps,
)
from resnet_viz.datasets.errors import DataError
from resnet_viz.i18n import _
from resnet_viz.runs.schema import StoreError
from resnet_viz.specs import SpecError
from resnet_viz.transfer import TransferError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status: 0 done, 1 a run failed, 2 bad input, 3 paused."""
    options = make_parser().parse_args(arguments)
    try:
        status: int = options.command(options)
    except (SpecError, DataError, TransferError, StoreError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return status


def make_parser() -> argparse.ArgumentParser:
    """The parser; what it parses holds the `command` to call with it."""
    parser = argparse.ArgumentParser("resnet_viz", description=_("Train nets, compare depths."))
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    sweeps.add_commands(commands)
    reproduce.add_commands(commands)
    gradients.add_commands(commands)
    features.add_commands(commands)
    attribute.add_commands(commands)
    evaluate.add_commands(commands)
    lesions.add_commands(commands)
    stored.add_commands(commands)
    return parser
