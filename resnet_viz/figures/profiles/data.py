"""What figures and captions read from the profiles of runs. No Plotly here.

A logarithm shows positive numbers only, so whatever is zero or not finite is None here: a
blank in a picture, which the picture's small print counts.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import TypeAlias

from resnet_viz.figures.aggregate import variants
from resnet_viz.i18n import _
from resnet_viz.layers import Block, Layer, blocks_of, weighted_layers
from resnet_viz.records import ACTIVE, LAYER_COLUMNS, History, Profile, RunInfo
from resnet_viz.specs import RunSpec

ProfiledRun: TypeAlias = tuple[RunInfo, Sequence[Profile]]
ProfiledRuns: TypeAlias = Sequence[ProfiledRun]
Values: TypeAlias = list[float | None]

BRANCH_SHARE = "branch_share"  # |F(x)| over |x|, from two columns of a profile
MAX_STEPS = 150  # columns of a heat map; a narrow one is about two hundred pixels wide


def column_name(column: str) -> str:
    """What a column of profiles holds, for an axis or a sentence.

    Args:
        column: one of `records.PROFILE_COLUMNS`, or `BRANCH_SHARE`.
    """
    names = {
        "gradient_norm": _("gradient norm"),
        "weight_norm": _("weight norm"),
        "update_ratio": _("update-to-weight ratio"),
        "response_std": _("response std"),
        "input_norm": _("norm of x"),
        "branch_norm": _("norm of F(x)"),
        "sum_norm": _("norm of x + F(x)"),
        BRANCH_SHARE: _("norm of F(x) over norm of x"),
    }
    return names[column]


def of_layers(column: str) -> bool:
    """Whether a column has a value for every weighted layer; otherwise for every block."""
    return column in LAYER_COLUMNS


def values_of(profile: Profile, column: str) -> Values:
    """One value a layer or a block, from the input; empty where the column was not measured."""
    if column == BRANCH_SHARE:
        pairs = zip(
            values_of(profile, "branch_norm"), values_of(profile, "input_norm"), strict=True
        )
        return [None if b is None or x is None else b / x for b, x in pairs]
    found = profile.values.get(column, ())
    return [float(v) if math.isfinite(v) and v > 0 else None for v in found]


def profile_up_to(profiles: Sequence[Profile], step: int | None) -> Profile | None:
    """The last profile at or before `step` (None: of all), if there is one."""
    count = len(profiles)
    if step is not None:
        count = bisect_right(profiles, step, key=lambda profile: profile.step)
    return profiles[count - 1] if count else None


def stride(count: int, limit: int = MAX_STEPS) -> int:
    """The least power of two of which `count` things have at most `limit` - 1 multiples."""
    step = 1
    while -(-count // step) > limit - 1:
        step *= 2
    return step


def thinned_profiles(profiles: Sequence[Profile], limit: int = MAX_STEPS) -> list[Profile]:
    """At most `limit` profiles, measured ones: every 2^k-th from the first, and the last.

    Of a growing run the same ones stay, except the last, until k grows: a live chart is
    sent the end only.
    """
    every = stride(len(profiles), limit) if len(profiles) > limit else 1
    kept = list(profiles[::every])
    if profiles and kept[-1] is not profiles[-1]:
        kept.append(profiles[-1])
    return kept


def log_range(values: Sequence[float | None]) -> tuple[float, float]:
    """Powers of ten around all positive values, in whole tenths so that they seldom change."""
    shown = [value for value in values if value is not None] or [1.0]
    low = math.floor(10 * math.log10(min(shown)) - 0.01)
    high = math.ceil(10 * math.log10(max(shown)) + 0.01)
    return low / 10, high / 10


def places(spec: RunSpec, column: str) -> list[str]:
    """Number, name and shape of every layer or block, two lines each; all different.

    What only the data tell (channels into the stem, classes, image size where the recipe
    leaves it open) is left out.
    """
    number = _("layer {n}: {title}") if of_layers(column) else _("block {n}: {title}")
    sized = spec.data.image_size is not None
    return [
        number.format(n=n, title=place.title) + f"<br>{_shape(place, sized)}"
        for n, place in enumerate(_places(spec, column), 1)
    ]


def _places(spec: RunSpec, column: str) -> Sequence[Layer | Block]:
    side = spec.data.image_size or 32
    if of_layers(column):
        return weighted_layers(spec.net, image_size=side)
    return blocks_of(spec.net, image_size=side)


def _shape(place: Layer | Block, sized: bool) -> str:
    side = f", {place.side}×{place.side}" if sized else ""
    if isinstance(place, Block):
        return f"{place.c_in}→{place.c_out}{side}"
    kernel = f"{place.kernel}×{place.kernel}, "
    if place.stage < 0:
        return _("{n} channels to classes").format(n=place.c_in)
    if place.stage == 0:
        return kernel + _("to {n} channels").format(n=place.c_out) + side
    return f"{kernel}{place.c_in}→{place.c_out}{side}"


def titles(spec: RunSpec, column: str) -> list[str]:
    """The name of every layer or block in words."""
    return [place.title for place in _places(spec, column)]


def profile_rows(runs: ProfiledRuns, column: str, step: int | None) -> list[dict[str, object]]:
    """The table behind a picture: a row a layer or block, a column a net, at one step.

    What is zero or was not finite is None.
    """
    names = run_names(runs)
    rows: list[dict[str, object]] = []
    for info, profiles in runs:
        profile = profile_up_to(profiles, step)
        values = values_of(profile, column) if profile else []
        named = zip(titles(info.spec, column), values, strict=False)
        for number, (title, value) in enumerate(named):
            if number == len(rows):
                rows.append({_("number"): number + 1, _("place"): title})
            rows[number][names[info.id]] = value
    return rows


def borders_of(spec: RunSpec, column: str) -> list[int]:
    """How many layers or blocks lie before each stage, and after how many the last one ends."""
    if not of_layers(column):
        return list(accumulate(spec.net.stage_blocks, initial=0))
    stages = [layer.stage for layer in weighted_layers(spec.net)]
    return [stages.index(s) for s in range(1, max(stages) + 1)] + [len(stages) - 1]


def run_names(runs: ProfiledRuns) -> dict[int, str]:
    """Run id to the net's name, and after it whatever else sets it apart from the others."""
    labels = line_labels(runs)
    seeds = {info.spec.train.seed for info, _profiles in runs}
    names = {}
    for info, _profiles in runs:
        parts = [info.spec.net.name, labels[info.id]]
        if len(seeds) > 1:
            parts.append(_("seed {seed}").format(seed=info.spec.train.seed))
        names[info.id] = ", ".join(part for part in parts if part)
    return names


def line_labels(runs: ProfiledRuns) -> dict[int, str]:
    """Run id to what sets it apart from others beside family, depth and seed, or ""."""
    labels = variants([(info, History()) for info, _profiles in runs])
    if len({info.spec.train.lr for info, _profiles in runs}) > 1:
        for info, _profiles in runs:
            rate = _("learning rate {lr:g}").format(lr=info.spec.train.lr)
            labels[info.id] = ", ".join(part for part in (labels[info.id], rate) if part)
    return labels


def end_of(runs: ProfiledRuns) -> int:
    """The step at which a picture of these runs ends: where those in training will end."""
    ends = [profiles[-1].step for _info, profiles in runs if profiles]
    ends += [info.spec.train.steps for info, _profiles in runs if info.status in ACTIVE]
    return max(ends, default=1)


def one_a_net(runs: ProfiledRuns) -> dict[tuple[str, int], ProfiledRun]:
    """Family and depth to the first run of that net, if possible one with profiles."""
    chosen: dict[tuple[str, int], ProfiledRun] = {}
    for run in runs:
        net = (run[0].spec.net.family, run[0].spec.net.depth)
        if net not in chosen or (run[1] and not chosen[net][1]):
            chosen[net] = run
    return chosen
