"""What to ask about a net with inserted blocks that compute the identity. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from resnet_viz.analysis.inquiry import Job
from resnet_viz.analysis.own_data import own_data
from resnet_viz.analysis.pace import images_in_job
from resnet_viz.analysis.question import Question, single
from resnet_viz.checks import check_integer
from resnet_viz.construction import check_insertion, combine, deeper, stage_ends
from resnet_viz.nets.bundled import bundled_nets
from resnet_viz.sources import NetCard, Source
from resnet_viz.specs import NetSpec, RunSpec, TrainSpec
from resnet_viz.sweeps import SweepSpec

BATCH = 64  # images in training mode, whose statistics are the batch's
MOST_IMAGES = 100_000
_ANSWERS = "resnet_viz.analysis.construction_answers"


@dataclass(frozen=True)
class Insertion:
    """Which blocks are inserted.

    Attributes:
        stage: at whose end, from 1; 0 for every stage.
        k: blocks, in each of them.
        seed: of the random weights of residual branches.
    """

    stage: int = 0
    k: int = 2
    seed: int = 0

    def where(self, net: NetSpec) -> list[int]:
        """Numbers of the blocks after which they are inserted.

        Raises:
            SpecError: the net has no such stage, or no blocks that can be the identity.
        """
        ends = stage_ends(net)
        check_integer("stage", self.stage, 0, len(ends))
        where = [ends[self.stage]] if self.stage else list(ends.values())
        check_insertion(net, where, self.k)
        return where


def construction_question(
    source: Source, card: NetCard, insertion: Insertion, images: int
) -> Question:
    """Ask for a net's errors before and after blocks are inserted; a `Constructed`.

    Args:
        images: of its training images and of its test images, at most so many of each.

    Raises:
        SpecError: such blocks cannot be inserted, or the net's data are not known.
        DataError: its data are not on this computer.
    """
    check_integer("images", images, BATCH, MOST_IMAGES)
    where = insertion.where(card.net)
    made = deeper(card.net, where, insertion.k)
    data = own_data(card)
    step = min(250, max(1, images_in_job(card, MOST_IMAGES) // 2))
    task = {**_arguments(source, card, insertion), "images": data.arguments()}
    counts = [data.count("train", images), data.count("test", images)]
    kinds = [
        _shares(task, "train", counts[0], step, training=False),
        _shares(task, "test", counts[1], step, training=False),
        _shares(task, "train", counts[0] // BATCH * BATCH, BATCH, training=True),
    ]

    def gather(answers: Sequence[Any]) -> Any:
        shares, start = [], 0
        for jobs in kinds:
            shares.append(answers[start : start + len(jobs)])
            start += len(jobs)
        return combine(card.net, made, shares)

    return Question(tuple(job for jobs in kinds for job in jobs), gather)


def _arguments(source: Source, card: NetCard, insertion: Insertion) -> dict[str, Any]:
    where = insertion.where(card.net)
    return {
        "net": source.to_dict(),
        "where": where,
        "k": insertion.k,
        "seed": insertion.seed,
    }


def _shares(
    task: dict[str, Any], split: str, count: int, step: int, *, training: bool
) -> list[Job]:
    return [
        Job(
            f"{_ANSWERS}:measure_share",
            {
                **task,
                "split": split,
                "start": start,
                "stop": min(start + step, count),
                "training": training,
            },
        )
        for start in range(0, count, step)
    ]


def starts_question(source: Source, card: NetCard, insertion: Insertion) -> Question:
    """Have the weights of a net and of the deeper one kept to start runs from.

    The answer is what `RunSpec.start` takes, of both.

    Raises:
        as `construction_question`.
    """
    images = own_data(card).arguments()
    task = {**_arguments(source, card, insertion), "images": images}
    return single(Job(f"{_ANSWERS}:keep_starts", task))


def training_runs(
    card: NetCard, insertion: Insertion, starts: Sequence[str], train: TrainSpec
) -> tuple[RunSpec, ...]:
    """The net as it was, with its blocks inserted, and the deeper one from random weights.

    Args:
        card: of the net, whose data are known.
        starts: the answer to `starts_question`.
        train: the recipe of all three.
    """
    assert card.data is not None
    made = deeper(card.net, insertion.where(card.net), insertion.k)
    before, after = starts
    return (
        RunSpec(card.net, card.data, train, before),
        RunSpec(made, card.data, train, after),
        RunSpec(made, card.data, train),
    )


def training_sweep(runs: Sequence[RunSpec]) -> SweepSpec:
    """A sweep of such runs.

    Raises:
        SpecError: their data differ.
    """
    first = runs[0]
    return SweepSpec(
        families=tuple(dict.fromkeys(run.net.family for run in runs)),
        depths=tuple(dict.fromkeys(run.net.depth for run in runs)),
        data=first.data,
        train=first.train,
        block=first.net.block,
        width=first.net.width,
        norm=first.net.norm,
        given=tuple(runs),
    )


def own_recipe(source: Source) -> TrainSpec:
    """The recipe by which a net was trained; a usual one where that is not known."""
    if source.kind == "bundled":
        return next(net.run.train for net in bundled_nets() if net.name == source.name)
    if source.spec:
        return RunSpec.from_json(source.spec).train
    return TrainSpec()


def recipe_to_train_on(source: Source, *, steps: int, lr: float) -> TrainSpec:
    """A net's own recipe for some more steps at another rate, without warm-up.

    Raises:
        SpecError: a bad value.
    """
    return replace(
        own_recipe(source), steps=steps, lr=lr, warmup_steps=0, warmup_error=None, schedule="cosine"
    )
