"""What to ask about shattered gradients, and what the answers make together. No torch.

The answers are `shattering_answers`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from resnet_viz.analysis.inquiry import Job
from resnet_viz.checks import check_integer
from resnet_viz.datasets.catalogue import describe
from resnet_viz.nets.costs import count_costs
from resnet_viz.signals import Shattering
from resnet_viz.specs import DataSpec, NetSpec

POINTS = 256  # on the line, as in Balduzzi et al. 2017, Fig. 1
SEEDS = 5
IMAGES = 32  # whose statistics the batch norms keep
NOISES = ("white", "brown")

_ANSWERS = "resnet_viz.analysis.shattering_answers:"
# Multiply-adds of the forward passes of one job; with their backward passes, in float64 on one
# thread, a quarter to half a second (measured).
_JOB_MULTIPLY_ADDS = 1e9


def shattering_jobs(
    nets: Sequence[NetSpec],
    data: DataSpec,
    points: int = POINTS,
    seeds: int = SEEDS,
    seed: int = 0,
) -> list[Job]:
    """The noises, then every net with the first seed, then every net with the next.

    A net's line is a row of jobs, each of which goes on where the one before it stopped; the
    last has the answer.

    Args:
        nets: each once; a net that comes twice is measured once.
        points: on the line, 16 to 2048.
        seeds: how many; each is another set of weights and another pair of images.
        seed: the first.

    Raises:
        SpecError: a number that is out of range.
        DataError: an image folder cannot be used.
    """
    check_integer("points", points, 16, 2048)
    check_integer("seeds", seeds, 1, 100)
    check_integer("seed", seed, 0, 2**31 - 1 - seeds)
    about = describe(data)
    jobs = [Job(_ANSWERS + "measure_noise", {"noise": n, "points": points}) for n in NOISES]
    for number in range(seed, seed + seeds):
        for net in dict.fromkeys(nets):
            costs = count_costs(net, in_channels=about.channels, image_size=about.image_size)
            pieces = min(points, math.ceil(points * costs.multiply_adds / _JOB_MULTIPLY_ADDS))
            piece = math.ceil(points / pieces)
            line = {
                "net": net.to_dict(),
                "data": data.to_dict(),
                "images": IMAGES,
                "points": points,
                "seed": number,
                "piece": piece,
            }
            stops = [*range(piece, points, piece), points]
            jobs += [Job(_ANSWERS + "measure_line", {**line, "stop": stop}) for stop in stops]
    return jobs


def combine(answers: Sequence[Mapping[str, Any] | None]) -> list[Shattering]:
    """What has been measured so far: the noises, then the nets in their order.

    A mean is over the seeds that have an autocorrelation; a net of which no seed has one
    (`autocorrelation` in the probe says when) has NaN at every lag.

    Args:
        answers: to the first of the jobs, as an inquiry has them.
    """
    found: dict[tuple[NetSpec | None, str], list[Mapping[str, Any]]] = {}
    for answer in answers:
        if answer is not None:  # None: a line that goes on
            net = NetSpec.from_dict(answer["net"]) if answer["net"] else None
            found.setdefault((net, answer["noise"]), []).append(answer)
    return [_mean(net, noise, lines) for (net, noise), lines in found.items()]


def _mean(net: NetSpec | None, noise: str, lines: Sequence[Mapping[str, Any]]) -> Shattering:
    slope = lines[0]["slope"]
    every = np.concatenate([np.atleast_2d(line["autocorrelations"]) for line in lines])
    kept = every[np.isfinite(every).all(1)]
    kept = kept if len(kept) else every
    return Shattering(
        net=net,
        noise=noise,
        position=tuple(np.linspace(0, 1, len(slope)).tolist()),
        slope=tuple(slope),
        autocorrelation=tuple(kept.mean(0).tolist()),
        spread=tuple(kept.std(0, ddof=1).tolist()) if len(kept) > 1 else (),
        seeds=len(kept),
    )
