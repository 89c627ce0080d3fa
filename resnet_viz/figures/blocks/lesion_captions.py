"""What lesions show, in words. Every claim comes from the numbers shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from resnet_viz.figures.blocks.lesions import percent
from resnet_viz.i18n import _
from resnet_viz.layers import blocks_of
from resnet_viz.lesions import Randoms, Singles, Tally


def own_caption(label: str, tally: Tally, what: str) -> str:
    """What a person's own lesion does to one net.

    Args:
        tally: of the net as it is, and with the lesion.
        what: is done, in words; "" for nothing.
    """
    before, after = tally.errors
    n = tally.images
    if not what:
        text = _("**{net}** as it is errs on {error} of {n:,} test images.")
        return text.format(net=label, error=percent(before), n=n)
    text = _("**{net}**, {what}: {after} of {n:,} test images wrong, {before} before.")
    return text.format(net=label, what=what, after=percent(after), before=percent(before), n=n)


def chance(classes: int) -> float:
    """The error of guessing among so many equally frequent classes."""
    return 1 - 1 / classes


def singles_caption(found: Sequence[tuple[str, Singles]], classes: int) -> str:
    """How much one block's removal costs, at the median and at the worst."""
    sentences = [_singles_sentence(label, each, classes) for label, each in found]
    return " ".join([*sentences, _comparison(found)]).strip()


def _singles_sentence(label: str, each: Singles, classes: int) -> str:
    pairs = [
        (error, block)
        for error, block in zip(each.without, blocks_of(each.net), strict=True)
        if error is not None
    ]
    if not pairs:
        return _("{net}: none of its blocks can go.").format(net=label)
    errors = [error for error, _block in pairs]
    worst, where = max(pairs, key=lambda pair: pair[0])
    text = _(
        "{net} errs on {own} of {n:,} test images; without one of its blocks on {median} at the "
        "median, at worst on {worst} ({where})."
    )
    sentence = text.format(
        net=label,
        own=percent(each.error),
        n=each.images,
        median=percent(median(errors)),
        worst=percent(worst),
        where=where.title,
    )
    lost = sum(
        error >= chance(classes) - 2 * _noise(chance(classes), each.images) for error in errors
    )
    if lost:
        text = _("Without {n} of the {total} it does no better than guessing ({chance}).")
        values = {"n": lost, "total": len(errors), "chance": percent(chance(classes))}
        sentence += " " + text.format(**values)
    return sentence


def _noise(error: float, images: int) -> float:
    """Standard error of a fraction counted on so many images."""
    return math.sqrt(error * (1 - error) / images)


def _comparison(found: Sequence[tuple[str, Singles]]) -> str:
    """Whether the residual or the plain net loses more by the loss of one block."""
    rises = {
        each.net.family == "plain": (label, _median_rise(each))
        for label, each in found
        if any(e is not None for e in each.without)
    }
    if set(rises) != {True, False} or len(found) != 2:
        return ""
    (plain, by_plain), (residual, by_residual) = rises[True], rises[False]
    text = _(
        "The median loss of a block costs {plain} {a:.1f} percentage points and {residual} {b:.1f}."
    )
    told = text.format(plain=plain, a=100 * by_plain, residual=residual, b=100 * by_residual)
    if by_plain > 2 * max(by_residual, 0.005):
        return told + " " + _("The residual net's blocks hang on one another much less.")
    if by_residual > 2 * max(by_plain, 0.005):
        return told + " " + _("Here the plain net is the one that bears the loss better.")
    return told


def _median_rise(each: Singles) -> float:
    return median(error - each.error for error in each.without if error is not None)


def randoms_caption(found: Sequence[tuple[str, Randoms]], classes: int) -> str:
    """How many blocks can go until the error is half way to guessing."""
    sentences = []
    for label, each in found:
        half = each.error + (chance(classes) - each.error) / 2
        beyond = [k for k, mean in zip(each.counts, each.means, strict=True) if mean >= half]
        if not beyond:
            text = _("{net} stays below half way to guessing with {k} of {n} blocks removed.")
            sentences.append(text.format(net=label, k=each.counts[-1], n=each.removable))
            continue
        text = _(
            "{net} is half way to guessing ({half}) once {k} of the {n} blocks that can go are "
            "removed: {mean} ± {spread}."
        )
        at = each.counts.index(beyond[0])
        sentences.append(
            text.format(
                net=label,
                half=percent(half),
                k=beyond[0],
                n=each.removable,
                mean=percent(each.means[at]),
                spread=percent(each.spreads[at]),
            )
        )
    return " ".join([*sentences, *(_smooth(label, each) for label, each in found)]).strip()


def _smooth(label: str, each: Randoms) -> str:
    """The largest single step of a residual net's curve, over its whole rise."""
    if each.net.family == "plain" or len(each.counts) < 4:
        return ""
    means = [each.error, *each.means]
    counts = [0, *each.counts]
    steps = [
        ((b - a) / (k - j), j, k)
        for a, b, j, k in zip(means, means[1:], counts, counts[1:], strict=False)
    ]
    step, j, k = max(steps)
    rise = max(means) - means[0]
    if rise <= 0:
        return ""
    text = _("The error of {net} rises by {rise:.0f} points in all, nowhere faster than {step:.1f}")
    text += _(" points a block (from {j} to {k} removed).")
    return text.format(net=label, rise=100 * rise, step=100 * step, j=j, k=k)
