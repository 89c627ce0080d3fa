"""What to ask about how far one map can be trusted. No torch."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from resnet_viz.analysis.attribution_jobs import attribution_question, estimate_seconds
from resnet_viz.analysis.inquiry import Job
from resnet_viz.analysis.pace import check_forward, images_in_job
from resnet_viz.analysis.question import Question, all_jobs, results
from resnet_viz.checks import check_integer
from resnet_viz.datasets.picture import picture_text
from resnet_viz.figures.attributions.measures import relative_change
from resnet_viz.inside import Attribution, Curve
from resnet_viz.methods import LOCAL
from resnet_viz.sources import NetCard, Source
from resnet_viz.trust import Infidelity, Sensitivity

STEPS, MOST_STEPS = 32, 256
SQUARES, MOST_SQUARES = 64, 1024
FEWEST_COPIES, COPIES, MOST_COPIES = 2, 8, 64
COPIES_SECONDS = 120.0  # that noisy copies may take, unless so many are asked for
LEVELS = 5  # captum's default radius, 0.02, as grey levels of 255

_ANSWERS = "resnet_viz.analysis.trust_answers"
_KINDS = ("deletion", "insertion")

Curves = tuple[Curve, Curve]


def curves_question(
    source: Source, card: NetCard, image: str, found: Attribution, *, steps: int = STEPS
) -> Question:
    """Ask for the deletion and the insertion curve of a map, in this order.

    The result is a pair of `inside.Curve`.

    Args:
        image: as `attribution_question` takes it.
        found: the map, whose pixels go or come in the order of their values, summed over
            channels.
        steps: between the points of a curve; no more than there are pixels.

    Raises:
        SpecError: a number that cannot be used, or too little memory.
    """
    by_pixel = _pack(found.values.sum(0, keepdims=True))
    return _curves(source, card, image, found.target, steps, {"values": by_pixel})


def chance_question(
    source: Source, card: NetCard, image: str, target: int, *, steps: int = STEPS, seed: int = 0
) -> Question:
    """Ask for both curves with the pixels in an order drawn by lot: what chance gives.

    The result is as of `curves_question`; it is one for all maps of a net, an image and a target.

    Raises:
        SpecError: a number that cannot be used, or too little memory.
    """
    return _curves(source, card, image, target, steps, {"seed": seed})


def _curves(
    source: Source, card: NetCard, image: str, target: int, steps: int, order: Mapping[str, Any]
) -> Question:
    pixels = card.image_size**2
    check_integer("steps", steps, 1, min(MOST_STEPS, pixels))
    counts = [round(i * pixels / steps) for i in range(steps + 1)]
    parts = parts_of(counts, card)
    shared = {"net": source.to_dict(), "image": image, "target": target, **order}
    jobs = [
        Job(f"{_ANSWERS}:mix", {**shared, "kind": kind, "counts": part})
        for kind in _KINDS
        for part in parts
    ]

    def combine(answers: Sequence[NDArray[np.float32]]) -> Curves:
        whole = np.concatenate(answers).reshape(len(_KINDS), -1)
        deletion, insertion = (
            curve(kind, counts, probability)
            for kind, probability in zip(_KINDS, whole, strict=True)
        )
        return deletion, insertion

    return Question(tuple(jobs), combine)


def curve(kind: str, counts: Sequence[int], probability: NDArray[np.float32]) -> Curve:
    """A curve of its points, which run from no pixel to all of them."""
    share = np.asarray(counts) / counts[-1]
    area = np.trapezoid(probability.astype(np.float64), share)
    return Curve(kind, tuple(share.tolist()), tuple(probability.tolist()), float(area))


def infidelity_question(
    source: Source,
    card: NetCard,
    image: str,
    found: Attribution,
    *,
    samples: int = SQUARES,
    seed: int = 0,
) -> Question:
    """Ask how far a map is from telling what covering parts of the image does to the logit.

    The result is a `trust.Infidelity`.

    Args:
        samples: squares that are covered, one at a time.
        seed: of their places.

    Raises:
        SpecError: a number that cannot be used, or too little memory.
    """
    check_integer("samples", samples, 1, MOST_SQUARES)
    local = found.method in LOCAL
    # What a square covers of a map that is not multiplied by the image is a sum over channels too.
    values = found.values if local else found.values.sum(0, keepdims=True)
    arguments = {
        "net": source.to_dict(),
        "image": image,
        "values": _pack(values),
        "target": found.target,
        "local": local,
        "seed": seed,
    }
    parts = parts_of(range(samples), card)
    jobs = [
        Job(f"{_ANSWERS}:cover", {**arguments, "first": part[0], "count": len(part)})
        for part in parts
    ]
    sizes = [len(part) for part in parts]
    return Question(tuple(jobs), lambda answers: combined_infidelity(answers, sizes))


def combined_infidelity(
    answers: Sequence[tuple[float, float, float]], sizes: Sequence[int]
) -> Infidelity:
    """One infidelity of parts.

    With a for the sum under a square and b for the fall of the logit, a part gives the means of
    (a − b)², b² and (a + b)²; of these follow the means of a² and of a·b, and with them the factor
    E[a·b] / E[a²] that suits the map best.

    Args:
        answers: `probes.trust.infidelity_parts` of each part.
        sizes: squares of each.
    """
    own, falls, opposite = np.average(np.array(answers), axis=0, weights=sizes)
    squared, product = (own + opposite) / 2 - falls, (opposite - own) / 4
    best = falls - product**2 / squared if squared > 0 else falls
    return Infidelity(float(own), float(max(best, 0)), float(falls), sum(sizes))


def sensitivity_question(
    source: Source,
    card: NetCard,
    image: str,
    found: Attribution,
    parameters: Mapping[str, Any],
    *,
    copies: int | None = None,
    levels: int = LEVELS,
    seed: int = 0,
) -> Question:
    """Ask how much a map changes with noise in the image that one hardly sees.

    The result is a `trust.Sensitivity`. Every noisy copy is explained as the image was, so it
    takes `copies` times as long; it is asked in as small jobs.

    Args:
        found: of the image itself.
        parameters: with which it was found.
        copies: of the image; None for `default_copies`.
        levels: every value is changed by up to so many grey levels of 255, drawn evenly.
        seed: of the noise.

    Raises:
        SpecError: a number that cannot be used, or too little memory.
    """
    if copies is None:
        copies = default_copies(card, found.method, parameters)
    check_integer("copies", copies, 1, MOST_COPIES)
    check_integer("levels", levels, 1, 64)
    questions = [
        attribution_question(source, card, noisy, found.method, parameters, found.target)
        for noisy in noisy_copies(image, card, copies, levels, seed)
    ]

    def combine(answers: Sequence[Any]) -> Sensitivity:
        maps = [other.values for other in results(questions, answers)]
        return Sensitivity(tuple(relative_change(found.values, m) for m in maps), levels)

    return Question(tuple(all_jobs(questions)), combine)


def default_copies(card: NetCard, method: str, parameters: Mapping[str, Any]) -> int:
    """Eight, or as many as can be explained in about two minutes; two at least."""
    each = estimate_seconds(card, method, parameters)
    return max(FEWEST_COPIES, min(COPIES, int(COPIES_SECONDS / each)))


def noisy_copies(image: str, card: NetCard, copies: int, levels: int, seed: int) -> list[str]:
    """Pictures that differ from `image` by at most `levels` grey levels, as `image` is given."""
    with Image.open(io.BytesIO(base64.b64decode(image)), formats=("PNG",)) as png:
        pixels = np.array(png.convert("RGB" if card.channels == 3 else "L"))
    rng = np.random.default_rng(seed)
    made = []
    for _copy in range(copies):
        noise = rng.integers(-levels, levels + 1, pixels.shape)
        noisy = np.clip(pixels + noise, 0, 255).astype(np.uint8)
        made.append(picture_text(noisy))
    return made


def parts_of(whole: Sequence[int], card: NetCard) -> list[list[int]]:
    """The images of a question in pieces, one a job.

    Raises:
        SpecError: memory does not hold a piece.
    """
    size = min(images_in_job(card), len(whole))
    check_forward(card, size)
    return [list(whole[start : start + size]) for start in range(0, len(whole), size)]


def _pack(values: NDArray[np.float32]) -> str:
    """A map as text; `trust_answers` reads it."""
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode()
