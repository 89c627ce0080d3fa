"""What to ask about how well a method finds the object. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from resnet_viz.analysis.attribution_jobs import attribution_question
from resnet_viz.analysis.inquiry import Job
from resnet_viz.analysis.question import Question
from resnet_viz.analysis.trust_jobs import parts_of
from resnet_viz.checks import SpecError, check_integer
from resnet_viz.datasets.catalogue import describe
from resnet_viz.figures.attributions.measures import share_inside, strongest_inside
from resnet_viz.i18n import _
from resnet_viz.inside import Localisation
from resnet_viz.sources import NetCard, Source

IMAGES = 64

_ANSWERS = "resnet_viz.analysis.trust_answers"


def localisation_question(
    source: Source,
    card: NetCard,
    method: str,
    parameters: Mapping[str, Any],
    *,
    images: int = IMAGES,
    seed: int = 0,
) -> Question:
    """Ask how well a method finds the object on test images of the drawn shapes.

    The result is an `inside.Localisation`; each image's own class is explained.

    Args:
        card: of a net trained on the shapes, the only data whose objects' masks are known.
        images: drawn by lot from the test images.
        seed: of that draw.

    Raises:
        SpecError: the net was trained on something else, or an unknown method or parameter,
            or there is too little memory.
    """
    if card.data is None or card.data.name != "shapes":
        text = _(
            "Where the object is, is known for the drawn shapes only, and {net} was trained on "
            "something else. Train a net on the shapes, and choose it here."
        )
        raise SpecError(text.format(net=card.title))
    test_images = describe(card.data).test_images
    check_integer("images", images, 1, test_images)
    chosen = np.random.default_rng(seed).permutation(test_images)[:images].tolist()
    data = card.data.to_dict()
    # The server has no test images: image and target are put in place in the analysis process.
    one = attribution_question(source, card, "", method, parameters, 0)
    looks = [
        Job(f"{_ANSWERS}:look", {"net": source.to_dict(), "data": data, "images": part})
        for part in parts_of(chosen, card)
    ]
    explanations = [
        Job(
            f"{_ANSWERS}:explain",
            {"data": data, "image": image, "function": job.function, "arguments": job.arguments},
        )
        for image in chosen
        for job in one.jobs
    ]

    def combine(answers: Sequence[Any]) -> Localisation:
        masks = np.concatenate([found for found, _correct in answers[: len(looks)]])
        correct = tuple(c for _found, part in answers[: len(looks)] for c in part)
        rest = answers[len(looks) :]
        size = len(one.jobs)
        maps = [one.combine(rest[i * size : (i + 1) * size]).values for i in range(images)]
        pairs = list(zip(maps, masks, strict=True))
        return Localisation(
            net=card.title,
            method=method,
            inside=tuple(share_inside(*pair) for pair in pairs),
            hits=tuple(strongest_inside(*pair) for pair in pairs),
            mask_share=tuple(float(mask.mean()) for mask in masks),
            correct=correct,
        )

    return Question((*looks, *explanations), combine)
