"""What to ask about the paths through a net, and the size of its responses. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from resnet_viz.analysis.inquiry import Job
from resnet_viz.analysis.own_data import own_data
from resnet_viz.analysis.pace import images_in_job
from resnet_viz.analysis.question import Question, single
from resnet_viz.blockwise import PathLengths, path_counts, sampled_paths
from resnet_viz.checks import check_integer
from resnet_viz.reuse import check_dense
from resnet_viz.sources import NetCard, Source

MOST_IMAGES = 32  # in a batch
RESPONSE_IMAGES = 64
_ANSWERS = "resnet_viz.analysis.blockwise_answers"
_BACK = 1.3  # a backward pass through a branch over a forward one


def paths_question(source: Source, card: NetCard, draws: int, seed: int = 0) -> Question:
    """Ask for the gradient that sampled paths of every length carry; a `PathLengths`.

    Fewer answers than there are jobs make a result of fewer paths.

    Args:
        draws: paths of each length.

    Raises:
        SpecError: the net's paths cannot be told apart, or its data are not known.
        DataError: its data are not on this computer.
    """
    check_integer("draws", draws, 1, 1000)
    paths = sampled_paths(card.net, draws, seed)
    data = own_data(card)
    blocks = sum(card.net.stage_blocks)
    forwards = images_in_job(card, 100_000)
    images = data.count("train", max(4, min(MOST_IMAGES, forwards // 4)))
    share = max(1.0, (forwards / images - 1) / _BACK)  # full ways back in a job
    groups = _groups(paths, blocks * share)
    task = {"net": source.to_dict(), **data.arguments(), "images": images}
    jobs = tuple(
        Job(f"{_ANSWERS}:measure_paths", {**task, "paths": [list(path) for path in group]})
        for group in groups
    )

    def combine(answers: Sequence[Any]) -> PathLengths:
        norms: list[list[float]] = [[] for _count in path_counts(card.net)]
        for group, found in zip(groups, answers, strict=False):
            for path, norm in zip(group, found, strict=True):
                norms[len(path)].append(norm)
        return PathLengths(card.net, card.step, images, tuple(map(tuple, norms)))

    return Question(jobs, combine)


def _groups(paths: Sequence[tuple[int, ...]], most: float) -> list[list[tuple[int, ...]]]:
    """Paths in their order, together at most so many branches a group; one path at least."""
    groups: list[list[tuple[int, ...]]] = []
    room = 0.0  # of the last group
    for path in paths:
        cost = len(path) + 1
        if not groups or cost > room:
            groups.append([])
            room = most
        groups[-1].append(path)
        room -= cost
    return groups


def reuse_question(source: Source, card: NetCard) -> Question:
    """Ask what the layers of a DenseNet take from those before them; a `reuse.Reuse`.

    Raises:
        SpecError: the net is no DenseNet.
    """
    check_dense(card.net)
    return single(Job(f"{_ANSWERS}:measure_feature_reuse", {"net": source.to_dict()}))


def responses_question(source: Source, card: NetCard) -> Question:
    """Ask for the size of a net's responses and branches; a `Responses`.

    Raises:
        SpecError: its data are not known.
        DataError: they are not on this computer.
    """
    data = own_data(card)
    task = {"net": source.to_dict(), **data.arguments()}
    images = max(4, min(RESPONSE_IMAGES, images_in_job(card, 100_000)))
    task["images"] = data.count("train", images)
    return single(Job(f"{_ANSWERS}:measure_sizes", task))
