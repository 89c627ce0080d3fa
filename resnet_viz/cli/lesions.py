"""The command that takes blocks out of a trained net: lesions."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from resnet_viz import __version__
from resnet_viz.analysis.block_tables import random_rows, single_rows
from resnet_viz.analysis.lesion_jobs import (
    RandomRemovals,
    lesion_question,
    randoms_question,
    singles_question,
)
from resnet_viz.analysis.question import card_question
from resnet_viz.analysis.tables import rows_csv
from resnet_viz.cli.looking import ask_here, check_folders
from resnet_viz.i18n import _
from resnet_viz.layers import blocks_of
from resnet_viz.lesions import Lesion, Randoms, Singles, Tally, block_name, why_some_stay
from resnet_viz.runs.sources import find_source
from resnet_viz.runs.store import RunStore
from resnet_viz.sources import NetCard


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this module's command."""
    parser = commands.add_parser("lesions", help=_("take blocks out of a trained net"))
    parser.set_defaults(command=_lesions)
    parser.add_argument("net", metavar="NET", help=_("resnet-56, run:12, run:12@300, or a file"))
    parser.add_argument(
        "--remove", default="", metavar="BLOCKS", help=_("only these, such as 1.2,3.1")
    )
    parser.add_argument("--swap", default="", metavar="A,B", help=_("two blocks of equal shape"))
    parser.add_argument("--images", type=int, default=1000, help=_("test images, at most"))
    parser.add_argument(
        "--draws", type=int, default=0, help=_("draws of random blocks for each number; 0: none")
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help=_("write every number"))
    parser.add_argument("--json", type=Path, metavar="FILE", help=_("write every number"))


def _lesions(options: argparse.Namespace) -> int:
    check_folders(options.csv, options.json)
    source = find_source(RunStore(), options.net)
    card: NetCard = ask_here(card_question(source))
    rows = []
    if options.remove or options.swap:
        lesion = Lesion(_names(options.remove), _names(options.swap))
        own: Tally = ask_here(lesion_question(source, card, lesion, options.images))
        before, after = own.errors
        text = _("{net}: {after:.1f} % of {n} test images wrong, {before:.1f} % before")
        values = {"after": 100 * after, "before": 100 * before, "n": own.images}
        print(text.format(net=card.title, **values))
        rows.append({"net": card.title, "images": own.images, "error_before": before})
        rows[-1] |= {"removed": options.remove, "swapped": options.swap, "test_error": after}
    else:
        found: Singles = ask_here(singles_question(source, card, options.images))
        print(singles_table(card.title, found))
        rows += single_rows(card.title, found)
    if options.draws:
        how = RandomRemovals(options.draws)
        several: Randoms = ask_here(randoms_question(source, card, options.images, how))
        print(randoms_table(several))
        rows += random_rows(card.title, several)
    if options.csv is not None:
        options.csv.write_text(rows_csv(rows), "utf-8")
    if options.json is not None:
        report = {"version": __version__, "net": card.net.to_dict(full=True), "rows": rows}
        options.json.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    return 0


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def singles_table(title: str, found: Singles) -> str:
    """The error without each block, a line each."""
    text = _("{net}: {error:.1f} % of {n} test images wrong; without one block:")
    lines = [text.format(net=title, error=100 * found.error, n=found.images)]
    for block, error in zip(blocks_of(found.net), found.without, strict=True):
        value = _("cannot go") if error is None else f"{100 * error:5.1f} %"
        lines.append(f"  {block_name(block):5} {value}")
    return "\n".join([*lines, *filter(None, [why_some_stay(found.net)])])


def randoms_table(found: Randoms) -> str:
    """Mean and spread of the error for each number of blocks, a line each."""
    lines = [_("without several blocks, drawn at random:")]
    for count, mean, spread in zip(found.counts, found.means, found.spreads, strict=True):
        lines.append(f"  {count:5} {100 * mean:5.1f} ± {100 * spread:.1f} %")
    return "\n".join(lines)
