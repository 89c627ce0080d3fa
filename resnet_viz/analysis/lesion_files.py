"""Lesions that were measured before and come with the program. No torch.

For the included nets whose data have to be downloaded: their bars and curves are there at the first
visit. `benchmarks/lesions.py` measures them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from resnet_viz.lesions import Randoms, Singles
from resnet_viz.nets.bundled import bundled_nets
from resnet_viz.sources import Source

SHIPPED = Path(__file__).parents[1] / "assets" / "lesions"


@dataclass(frozen=True)
class Shipped:
    """What was measured of an included net."""

    singles: Singles
    randoms: Randoms


def shipped_lesions(source: Source) -> Shipped | None:
    """What comes with the program for a net, or None."""
    if source.kind != "bundled" or source.randomised:
        return None
    path = SHIPPED / f"{source.name}.json"
    if not path.is_file():
        return None
    values = json.loads(path.read_text("utf-8"))
    net = next(each.run.net for each in bundled_nets() if each.name == source.name)
    single, several = values["singles"], values["randoms"]
    return Shipped(
        Singles(net, single["images"], single["error"], tuple(single["without"])),
        Randoms(
            net,
            several["images"],
            several["error"],
            tuple(several["counts"]),
            tuple(map(tuple, several["errors"])),
            several["removable"],
        ),
    )


def shipped_text(singles: Singles, randoms: Randoms) -> str:
    """The contents of a file that `shipped_lesions` reads."""
    parts = {"singles": asdict(singles), "randoms": asdict(randoms)}
    for part in parts.values():
        del part["net"]
    return json.dumps(parts, indent=1) + "\n"
