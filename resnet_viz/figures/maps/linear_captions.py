"""What the linear probes show, in words. Every claim comes from the numbers shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from resnet_viz.figures.maps.linear import Probed, probe_places
from resnet_viz.i18n import _
from resnet_viz.inside import LinearProbes


def probe_caption(found: Sequence[Probed]) -> str:
    """Whether a probe errs the less the deeper it reads, and from where on it gains nothing."""
    return " ".join(_net_sentences(each) for each in found)


def placed_caption(found: Sequence[Probed]) -> str:
    """From which block on the probes name the class that the net names for the image."""
    return " ".join(_placed_sentence(each) for each in found if each.placed is not None)


def standard_error(error: float, images: int) -> float:
    """Of an error counted on so many images: binomial."""
    return math.sqrt(error * (1 - error) / images)


def settled(probes: LinearProbes) -> int:
    """The first point from which on every probe is within one standard error of the lowest."""
    low = min(probes.test_error)
    most = low + standard_error(low, probes.test_images)
    above = [i for i, error in enumerate(probes.test_error) if error > most]
    return above[-1] + 1 if above else 0


def clear_rises(probes: LinearProbes) -> list[int]:
    """Points whose error is clearly above that of the point before: by more than two standard
    errors of the difference, taken as if the two had different test images, which is cautious."""
    n, found = probes.test_images, []
    for i, (before, after) in enumerate(pairwise(probes.test_error), 1):
        both = math.hypot(standard_error(before, n), standard_error(after, n))
        if after - before > 2 * both:
            found.append(i)
    return found


def _net_sentences(each: Probed) -> str:
    probes = each.probes
    errors, places = probes.test_error, probe_places(probes.net)
    text = _(
        "{net}: a linear probe errs on {first} of the test images at the stem and on {last} at "
        "the last block; the net itself on {own}."
    )
    numbers = {"first": errors[0], "last": errors[-1], "own": probes.net_error}
    sentences = [
        text.format(net=each.label, **{name: f"{100 * e:.1f} %" for name, e in numbers.items()})
    ]
    return " ".join([*sentences, _way(probes, places), _end(probes, places)]).strip()


def _way(probes: LinearProbes, places: Sequence[str]) -> str:
    """Whether the error falls all the way."""
    errors, n = probes.test_error, probes.test_images
    noise = math.hypot(standard_error(errors[0], n), standard_error(errors[-1], n))
    rises = clear_rises(probes)
    if all(after <= before for before, after in pairwise(errors)) and errors[-1] < errors[0]:
        return _("It never rises from one block to the next.")
    if rises:
        worst = max(rises, key=lambda i: errors[i] - errors[i - 1])
        text = _(
            "It does not fall all the way: at {place} it rises by {points:.1f} percentage points, "
            "more than chance explains with {n:,} test images."
        )
        points = 100 * (errors[worst] - errors[worst - 1])
        return text.format(place=places[worst], points=points, n=n)
    if errors[0] - errors[-1] <= 2 * noise:
        return _("Between first and last that is no clear fall with {n:,} test images.").format(n=n)
    return _("It falls on the whole; where it rises, {n:,} test images cannot tell.").format(n=n)


def _end(probes: LinearProbes, places: Sequence[str]) -> str:
    """From where on depth no longer helps a linear reader."""
    errors = probes.test_error
    at, last = settled(probes), len(errors) - 1
    lowest = errors.index(min(errors))
    if at > last:  # the last one is clearly not the best
        text = _("It is lowest at {place} ({error:.1f} %), not at the end.")
        return text.format(place=places[lowest], error=100 * errors[lowest])
    if at == last:
        return _("It falls up to the last block.")
    if at == 0:
        return _("No block does better than the stem, within one standard error.")
    text = _("From {place} on it stays within one standard error of its lowest, {error:.1f} %.")
    return text.format(place=places[at], error=100 * min(errors))


def _placed_sentence(each: Probed) -> str:
    assert each.placed is not None
    names, places = each.probes.classes, probe_places(each.probes.net)
    named = [int(row.argmax()) for row in each.placed]
    name = names[each.target]
    others = [i for i, found in enumerate(named) if found != each.target]
    if not others:
        text = _("{net}: every probe names {name} for this image, from the stem on.")
        return text.format(net=each.label, name=name)
    if others[-1] == len(named) - 1:
        text = _("{net} names {name}; the probe at the last block names {other}.")
        return text.format(net=each.label, name=name, other=names[named[-1]])
    text = _("{net}: from {place} on every probe names {name}; the one before names {other}.")
    at = others[-1] + 1
    return text.format(net=each.label, place=places[at], name=name, other=names[named[at - 1]])
