"""What the profiles of nets in training show, in words. Every claim comes from the numbers shown.

A quantity "grows towards the input" when the first convolution (or block) has more than
`EQUAL` times as much as the last, and a straight line through the logarithms of all between
them says the same; so one odd layer at an end is not taken for the whole net.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import linear_regression

from resnet_viz.figures.profiles.data import (
    ProfiledRuns,
    Values,
    column_name,
    line_labels,
    of_layers,
    profile_up_to,
    values_of,
)
from resnet_viz.figures.ratios import RatioPoint, first_and_last, ratio_of
from resnet_viz.figures.signals.captions import EQUAL
from resnet_viz.figures.spread import number_text, spread
from resnet_viz.i18n import _
from resnet_viz.records import Profile, RunInfo
from resnet_viz.specs import SHORTCUT_FAMILIES


@dataclass(frozen=True)
class _Net:
    """The seeds of one net that have a value of the column: `seeds[i]` is the i-th run's."""

    name: str
    infos: tuple[RunInfo, ...]
    profiles: tuple[Sequence[Profile], ...]
    shown: tuple[Profile, ...]


def profile_caption(runs: ProfiledRuns, column: str, step: int | None = None) -> str:
    """A few short sentences: both ends of each net, and how they changed.

    Args:
        runs: of a few nets, one a seed, with profiles in order of step.
        column: one of `records.PROFILE_COLUMNS`, or "branch_share".
        step: each run's last profile at or before it; None for its last.
    """
    nets = _nets(runs, column, step)
    sentences = [] if nets else [_("Nothing has been measured yet.")]
    if nets:
        sentences = [_ends(nets, column), _change(nets, column)]
        sentences += [_blanks(net, column) for net in nets]
    return " ".join(text for text in [*sentences, *_states(runs, column, step)] if text)


def ratio_caption(points: Sequence[RatioPoint]) -> str:
    """How the ratio of first to last goes with depth, and what sets the families apart.

    Args:
        points: as `ratios.ratios_at` gives them.
    """
    drawn = [point for point in points if point.shown]
    if not drawn and points:
        return _("There is no ratio: the gradient at one end or both is zero or not finite.")
    if not drawn:
        return _("Nothing has been measured yet.")
    lines: dict[tuple[str, str], list[RatioPoint]] = {}
    for point in drawn:
        lines.setdefault((point.family, point.label), []).append(point)
    texts = "; ".join(_with_depth(line) for line in lines.values())
    text = _("Gradient norm of the first convolution over that of the last{when}: {nets}.")
    return " ".join([text.format(nets=texts, when=_when_measured(drawn)), *_apart(lines)])


def _nets(runs: ProfiledRuns, column: str, step: int | None) -> list[_Net]:
    labels = line_labels(runs)
    groups: dict[str, list[tuple[RunInfo, Sequence[Profile], Profile]]] = {}
    for info, profiles in runs:
        profile = profile_up_to(profiles, step)
        if profile is not None and values_of(profile, column):
            label, name = labels[info.id], info.spec.net.name
            named = f"{name} ({label})" if label else name
            groups.setdefault(named, []).append((info, profiles, profile))
    return [_Net(name, *zip(*found, strict=True)) for name, found in groups.items()]


def _ends(nets: Sequence[_Net], column: str) -> str:
    """First over last, net by net."""
    text = _("{when}, {column} of the first block over that of the last: {nets}.")
    if of_layers(column):
        text = _("{when}, {column} of the first convolution over that of the last: {nets}.")
    when = _("At step {step}").format(step=_span([p.step for net in nets for p in net.shown]))
    texts = "; ".join(_end(net, column) for net in nets)
    return text.format(when=when, column=column_name(column), nets=texts)


def _end(net: _Net, column: str) -> str:
    """Size, both values where there is one seed, and direction."""
    rows = [values_of(profile, column) for profile in net.shown]
    found = spread(ratio_of(row, column) for row in rows)
    if found.mean is None or found.low is None or found.high is None:
        return _("{net} none, as one of them is zero or not finite").format(net=net.name)
    size = number_text(found.mean)
    if found.n > 1:
        seeds = _("{size} (geometric mean of {n} seeds, {low} to {high})")
        low, high = number_text(found.low), number_text(found.high)
        size = seeds.format(size=size, n=found.n, low=low, high=high)
    elif len(rows) == 1:
        first, last = first_and_last(rows[0], column)
        both = _("{size} ({first} against {last})")
        size = both.format(size=size, first=number_text(first or 0), last=number_text(last or 0))
    ways = {_direction(row, column) for row in rows}
    way = ways.pop() if len(ways) == 1 else _("not the same way in all seeds")
    return _("{net} {size}, {direction}").format(net=net.name, size=size, direction=way)


def _direction(values: Values, column: str) -> str:
    ratio = ratio_of(values, column)
    if not math.isfinite(ratio):
        return _("unknown where an end is zero or not finite")
    if 1 / EQUAL <= ratio <= EQUAL:
        return _("equal within a factor of two")
    between = values[:-1] if of_layers(column) else values
    logs = [(n, math.log(value)) for n, value in enumerate(between) if value is not None]
    slope = linear_regression(*zip(*logs, strict=True)).slope
    fitted = -slope * (len(between) - 1)  # logarithm of first over last
    if ratio > EQUAL:
        if fitted > math.log(EQUAL):
            return _("it grows towards the input")
        return _("larger at the input, but not steadily")
    if fitted < -math.log(EQUAL):
        return _("it shrinks towards the input")
    return _("smaller at the input, but not steadily")


def _change(nets: Sequence[_Net], column: str) -> str:
    """How the ratio went from the first to the last step measured."""
    texts: dict[str, list[str]] = {}
    for net in nets:
        begin, finish = (
            spread(ratio_of(values_of(one[place], column), column) for one in net.profiles)
            for place in (0, -1)
        )
        steps = _span([p[0].step for p in net.profiles]), _span([p[-1].step for p in net.profiles])
        if begin.mean is None or finish.mean is None or steps[0] == steps[1]:
            continue
        text = _("from {first} to {last} in {net}")
        a, b = number_text(begin.mean), number_text(finish.mean)
        when = _("From step {first} to step {last}").format(first=steps[0], last=steps[1])
        texts.setdefault(when, []).append(text.format(first=a, last=b, net=net.name))
    went = _("{when} this ratio went {nets}.")
    return " ".join(went.format(when=w, nets=", ".join(found)) for w, found in texts.items())


def _blanks(net: _Net, column: str) -> str:
    rows = [values_of(profile, column) for profile in net.shown]
    blank, total = sum(row.count(None) for row in rows), sum(map(len, rows))
    if not blank:
        return ""
    text = _("{net}: {n} of {total} values are zero or not finite in float32.")
    return text.format(net=net.name, n=blank, total=total)


def _states(runs: ProfiledRuns, column: str, step: int | None) -> list[str]:
    """Which runs have not ended as planned, and which have nothing to show."""
    labels = {
        "running": _("Still training: {nets}."),
        "paused": _("Paused: {nets}."),
        "stopped": _("Stopped early: {nets}."),
        "diverged": _("Diverged: {nets}."),
        "failed": _("Failed: {nets}."),
    }
    told: dict[str, list[str]] = {}
    for info, profiles in runs:
        net, train = info.spec.net, info.spec.train
        profile = profile_up_to(profiles, step)
        if info.status in labels:
            text = _("{net} (step {step:,} of {steps:,})")
            named = text.format(net=net.name, step=info.step, steps=train.steps)
            told.setdefault(labels[info.status], []).append(named)
        if profile is not None and not values_of(profile, column):
            missing = _("Not measured in: {nets}.")
            if column == "sum_norm" and net.family not in SHORTCUT_FAMILIES:
                missing = _("Nothing is added in a block, so there is no sum in: {nets}.")
            told.setdefault(missing, []).append(net.name)
        elif profile is None:
            told.setdefault(_("Nothing measured yet in: {nets}."), []).append(net.name)
    return [text.format(nets=", ".join(dict.fromkeys(nets))) for text, nets in told.items()]


def _with_depth(line: Sequence[RatioPoint]) -> str:
    shallow, deep = line[0], line[-1]
    name = f"{deep.family} ({deep.label})" if deep.label else deep.family
    text = _("{net} {ratio} at depth {depth}")
    ending = text.format(net=name, ratio=_ratio_text(deep), depth=deep.depth)
    if len(line) == 1:
        return ending
    factor = deep.mean / shallow.mean
    way = _("about the same at both depths")
    if factor > EQUAL:
        way = _("it rises with depth")
    elif factor < 1 / EQUAL:
        way = _("it falls with depth")
    text = _("{net} from {first} at depth {shallow} to {last} at depth {deep}, {way}")
    ratios = {"first": _ratio_text(shallow), "last": _ratio_text(deep)}
    return text.format(net=name, shallow=shallow.depth, deep=deep.depth, way=way, **ratios)


def _ratio_text(point: RatioPoint) -> str:
    text = number_text(point.mean)
    if len(point.shown) == 1:
        return text
    low, high = number_text(point.shown[0]), number_text(point.shown[-1])
    seeds = _("{ratio} ({n} seeds: {low} to {high})")
    return seeds.format(ratio=text, n=len(point.shown), low=low, high=high)


def _apart(lines: dict[tuple[str, str], list[RatioPoint]]) -> list[str]:
    """The first line against each other one, at the greatest depth that both have."""
    (first, *others) = lines.values()
    sentences = []
    for line in others:
        common = {p.depth: p for p in first}.keys() & {p.depth for p in line}
        if common:
            depth = max(common)
            one, other = (next(p for p in ps if p.depth == depth) for ps in (first, line))
            text = _("At depth {depth} the ratio of {one} is {factor} times that of {other}.")
            names = {"one": _line_name(one), "other": _line_name(other)}
            factor = number_text(one.mean / other.mean)
            sentences.append(text.format(depth=depth, factor=factor, **names))
    return sentences


def _line_name(point: RatioPoint) -> str:
    return f"{point.family} ({point.label})" if point.label else point.family


def _when_measured(points: Sequence[RatioPoint]) -> str:
    steps = [step for point in points for step in point.steps]
    return _(" at step {steps}").format(steps=_span(steps)) if steps else ""


def _span(steps: Sequence[int]) -> str:
    low, high = min(steps), max(steps)
    return f"{low:,}" if low == high else _("{low:,} to {high:,}").format(low=low, high=high)
