"""What to ask about a net without some of its blocks. No torch.

Every job takes a few images through many plans, so that all bars of a chart are there after the
first answer, and sharpen with every further one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from resnet_viz.analysis.inquiry import Job
from resnet_viz.analysis.own_data import OwnData, own_data
from resnet_viz.analysis.pace import images_in_job
from resnet_viz.analysis.question import Question
from resnet_viz.checks import check_integer
from resnet_viz.lesions import (
    Lesion,
    Plan,
    Randoms,
    Singles,
    Tally,
    intact,
    plan_of,
    random_counts,
    random_plans,
    removable,
    single_plans,
)
from resnet_viz.sources import NetCard, Source

MOST_IMAGES = 100_000
_ANSWER = "resnet_viz.analysis.lesion_answers:tally"
_MOST_AT_ONCE = 250  # images in a job


@dataclass(frozen=True)
class RandomRemovals:
    """Which blocks are drawn.

    Attributes:
        draws: a count.
        seed: of the draws.
    """

    draws: int = 5
    seed: int = 0


def lesion_question(source: Source, card: NetCard, lesion: Lesion, images: int) -> Question:
    """Ask for a net's error as it is and with a lesion; the result is a `Tally` of these two.

    Args:
        card: of the net.
        images: of its own test images, at most.

    Raises:
        SpecError: the net cannot have that lesion, or its data are not known.
        DataError: its data are not on this computer.
    """
    plans = list(dict.fromkeys([intact(card.net), plan_of(card.net, lesion)]))
    number = len(plans) - 1  # nothing removed: one plan for both
    return Question(
        _jobs(source, card, plans, images),
        lambda answers: _pick(total(answers), [0, number]),
    )


def singles_question(source: Source, card: NetCard, images: int) -> Question:
    """Ask for a net's error without each of its blocks; the result is a `Singles`.

    Fewer answers than there are jobs make a result on fewer images.

    Raises:
        as `lesion_question`.
    """
    plans = single_plans(card.net)
    return Question(
        _jobs(source, card, plans, images), lambda answers: _singles(card, total(answers))
    )


def randoms_question(
    source: Source, card: NetCard, images: int, how: RandomRemovals | None = None
) -> Question:
    """Ask for a net's error without several blocks drawn at random; the result is a `Randoms`.

    Fewer answers than there are jobs make a result on fewer images.

    Raises:
        as `lesion_question`.
    """
    how = how or RandomRemovals()
    check_integer("draws", how.draws, 1, 100)
    counts = random_counts(card.net)
    plans = [intact(card.net)]
    for count in counts:
        plans += random_plans(card.net, count, how.draws, how.seed)

    def combine(answers: Sequence[Tally]) -> Randoms:
        found = total(answers)
        own, *others = found.errors
        rows = [others[i * how.draws : (i + 1) * how.draws] for i in range(len(counts))]
        errors = tuple(tuple(row) for row in rows)
        can = sum(removable(card.net))
        return Randoms(card.net, found.images, own, counts, errors, can)

    return Question(_jobs(source, card, plans, images), combine)


def total(answers: Sequence[Tally]) -> Tally:
    """The sum of tallies of the same plans on different images."""
    images = sum(tally.images for tally in answers)
    wrong = tuple(map(sum, zip(*(tally.wrong for tally in answers), strict=True)))
    return Tally(images, wrong)


def _singles(card: NetCard, found: Tally) -> Singles:
    own, *others = found.errors
    rest = iter(others)
    without = tuple(next(rest) if may else None for may in removable(card.net))
    return Singles(card.net, found.images, own, without)


def _pick(tally: Tally, numbers: Sequence[int]) -> Tally:
    return Tally(tally.images, tuple(tally.wrong[i] for i in numbers))


def _jobs(source: Source, card: NetCard, plans: Sequence[Plan], images: int) -> tuple[Job, ...]:
    check_integer("images", images, 1, MOST_IMAGES)
    data: OwnData = own_data(card)
    count = data.count("test", images)
    passes = _passes(plans)
    step = max(1, int(images_in_job(card, 1_000_000) / passes))
    step = min(step, _MOST_AT_ONCE)
    arguments = {"net": source.to_dict(), **data.arguments()}
    arguments["plans"] = [[-1 if n is None else n for n in plan] for plan in plans]
    return tuple(
        Job(_ANSWER, {**arguments, "start": start, "stop": min(start + step, count)})
        for start in range(0, count, step)
    )


def _passes(plans: Sequence[Plan]) -> float:
    """Forward passes an image that plans take together: what they share is computed once."""
    blocks = len(plans[0])
    computed = {
        plan[: place + 1] for plan in plans for place in range(blocks) if plan[place] is not None
    }
    return max(1.0, len(computed) / blocks)
