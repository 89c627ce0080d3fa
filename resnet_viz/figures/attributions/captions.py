"""How far maps can be trusted, in words. Every claim comes from the numbers shown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

from resnet_viz.figures.attributions.lines import Curves, Localised, card_labels
from resnet_viz.figures.attributions.localisation import chance, method_titles, wilson
from resnet_viz.figures.spread import number_text, signed
from resnet_viz.i18n import _
from resnet_viz.inside import Attribution
from resnet_viz.methods import LOCAL, Method
from resnet_viz.trust import Infidelity, Sensitivity


def colours_caption(methods: Sequence[Method], view: str) -> str:
    """What the colours of maps mean.

    Args:
        methods: whose maps are shown.
        view: how they are drawn, one of `overlay.VIEWS`.
    """
    if view == "mask":
        return _(
            "The image is kept where a map is positive, the more the stronger it is there, and "
            "greyed out elsewhere. A map's strongest per cent of pixels are kept whole."
        )
    parts = {
        _("{names}: red speaks for the class, blue against it."): [
            m.title for m in methods if m.signed and m.name not in LOCAL
        ],
        _("{names}: where a pixel's value should rise to raise the logit (red) or fall (blue)."): [
            m.title for m in methods if m.name in LOCAL
        ],
        _("{names}: the brighter, the stronger."): [m.title for m in methods if not m.signed],
    }
    sentences = [text.format(names=", ".join(names)) for text, names in parts.items() if names]
    end = _("A map's strongest per cent of pixels have the end of the scale.")
    return " ".join([*sentences, end])


def curves_caption(curves: Sequence[Curves]) -> str:
    """Which map's order moves the probability fastest, and whether chance does as well."""
    if not curves:
        return _("Nothing has been measured yet.")
    sentences = []
    if len(curves) > 1:
        first, last = min(curves, key=_deletion), max(curves, key=_insertion)
        sentences = [
            _("Smallest area under deletion: {label}, {area:.2f}.").format(
                label=first.label, area=_deletion(first)
            ),
            _("Largest area under insertion: {label}, {area:.2f}.").format(
                label=last.label, area=_insertion(last)
            ),
        ]
    sentences += _against_chance(curves)
    text = _(
        "On the mean colour alone the target has a probability of {end} %, on the blurred copy "
        "alone {start} %: where these are high, the curves say little."
    )
    ends = _range([c.deletion.probability[-1] for c in curves])
    starts = _range([c.insertion.probability[0] for c in curves])
    return " ".join([*sentences, text.format(end=ends, start=starts)])


def _range(shares: Sequence[float]) -> str:
    low, high = (f"{100 * end(shares):.0f}" for end in (min, max))
    return low if low == high else _("{low} to {high}").format(low=low, high=high)


def _deletion(curves: Curves) -> float:
    return curves.deletion.area


def _insertion(curves: Curves) -> float:
    return curves.insertion.area


def _against_chance(curves: Sequence[Curves]) -> list[str]:
    """What pixels by lot give, and which maps do no better."""
    pairs = [(c, c.by_lot) for c in curves if c.by_lot is not None]
    if not pairs:
        return []
    text = _(
        "Pixels by lot have areas of {deletion} under deletion and {insertion} under insertion."
    )
    areas = [
        ", ".join(dict.fromkeys(f"{lot[place].area:.2f}" for _c, lot in pairs)) for place in (0, 1)
    ]
    sentences = [text.format(deletion=areas[0], insertion=areas[1])]
    for what, worse in (
        (_("deletion"), [c.label for c, lot in pairs if _deletion(c) >= lot[0].area]),
        (_("insertion"), [c.label for c, lot in pairs if _insertion(c) <= lot[1].area]),
    ):
        if worse:
            told = _("No better than that under {what}: {labels}.")
            sentences.append(told.format(what=what, labels=", ".join(worse)))
    return sentences


def infidelity_caption(found: Mapping[str, Infidelity]) -> str:
    """How much of the logit's changes each map leaves untold.

    Args:
        found: by label, in the order of the page.
    """
    if not found:
        return _("Nothing has been measured yet.")
    samples = max(i.samples for i in found.values())
    text = _(
        "Each of {n} random squares was covered with the mean colour. Of the changes of the "
        "target's logit, the maps' sums under the squares leave untold, each map scaled as suits "
        "it best: {parts}."
    )
    parts = [
        _("{label} {share} (infidelity {value})").format(
            label=label, share=_share(i.unexplained), value=number_text(i.value)
        )
        for label, i in found.items()
    ]
    return text.format(n=samples, parts="; ".join(parts))


def _share(share: float) -> str:
    return f"{100 * share:.0f} %" if math.isfinite(share) else _("nothing: no square changed it")


def sensitivity_caption(found: Mapping[str, Sensitivity]) -> str:
    """How much each map changes with noise that one hardly sees.

    Args:
        found: by label, in the order of the page.
    """
    if not found:
        return _("Nothing has been measured yet.")
    first = next(iter(found.values()))
    text = _(
        "With noise of up to {levels} grey levels of 255 ({n} noisy copies), a map changes at most "
        "by this share of its norm (max-sensitivity): {parts}."
    )
    parts = [f"{label} {100 * s.largest:.0f} %" for label, s in found.items()]
    return text.format(levels=first.levels, n=len(first.changes), parts="; ".join(parts))


def completeness_caption(found: Attribution) -> str:
    """Whether the map adds up to what it promises; "" where it promises nothing."""
    if found.delta is None or found.expected is None:
        return ""
    text = _(
        "The map adds up to {total}; the logit's difference from the baseline is {expected}: "
        "{delta} is missing or too much"
    )
    text = text.format(
        total=signed(found.expected + found.delta),
        expected=signed(found.expected),
        delta=number_text(abs(found.delta)),
    )
    if not found.expected:
        return f"{text}."
    share = 100 * abs(found.delta / found.expected)
    return _("{text} ({share} % of it).").format(text=text, share=number_text(share))


def randomised_caption(lowest: str, correlation: float) -> str:
    """What is left of a map when weights are random.

    Args:
        lowest: the lowest part of the net with random weights (`Source.randomised`).
        correlation: `measures.rank_correlation` of the map and the one of the trained net.
    """
    if not math.isfinite(correlation):
        return _("With random weights from the head down to {part}: a map of one value.").format(
            part=lowest
        )
    text = _(
        "With random weights from the head down to {part}, the order of the pixels correlates "
        "with that of the trained net by {rank} (1 would be the same order)."
    )
    return text.format(part=lowest, rank=signed(correlation))


def localisation_caption(measured: Sequence[Localised]) -> str:
    """Which method finds the object best on each net, and which do no better than chance."""
    if not measured:
        return _("Nothing has been measured yet.")
    titles, labels = method_titles(measured), card_labels([m.card for m in measured])
    level = chance(measured)
    text = _("The object covers {share:.0f} % of the pixels on average: what chance would give.")
    sentences = [text.format(share=100 * level)]
    for card, label in labels.items():
        mine = {titles[m.found.method]: mean_inside(m) for m in measured if m.card == card}
        known = {title: share for title, share in mine.items() if math.isfinite(share)}
        if known:
            best = max(known, key=lambda title: known[title])
            sentences.append(_best(label, best, known[best], len(known)))
        correct = next(m.found.correct for m in measured if m.card == card)
        right = _("{net} names {n} of the {total} images' classes.")
        sentences.append(right.format(net=label, n=sum(correct), total=len(correct)))
    unsure = [
        f"{titles[m.found.method]} ({labels[m.card]})"
        for m in measured
        if wilson(sum(m.found.hits), len(m.found.hits))[0] <= level
    ]
    if unsure:
        told = _("The strongest pixel hits the object no more surely than chance: {names}.")
        sentences.append(told.format(names=", ".join(unsure)))
    return " ".join(sentences)


def _best(label: str, best: str, share: float, count: int) -> str:
    if count == 1:
        text = _("{net}: {method} lies on the object with {share:.0f} % on average.")
    else:
        text = _("{net}: {method} has most on the object, {share:.0f} % on average.")
    return text.format(net=label, method=best, share=100 * share)


def mean_inside(measured: Localised) -> float:
    """Mean share of the attribution on the object, over maps that are not zero everywhere."""
    shares = [s for s in measured.found.inside if math.isfinite(s)]
    return fmean(shares) if shares else float("nan")
