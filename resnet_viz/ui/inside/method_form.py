"""Controls of attribution methods: which, with what parameters, for which target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from resnet_viz.i18n import _
from resnet_viz.methods import Method, Parameter, methods
from resnet_viz.sources import NetCard
from resnet_viz.specs import SpecError
from resnet_viz.ui.linked_choice import linked_choice, linked_choices

_BOUND: Any = "query-params"
PREDICTED = "predicted"
FIRST_METHODS = ("saliency", "integrated-gradients", "guided-backprop", "occlusion", "grad-cam")


def methods_control(card: NetCard, *, key: str, default: Sequence[str]) -> list[Method]:
    """Several methods, in their own order.

    Raises:
        SpecError: none is chosen.
    """
    offered = {method.name: method for method in methods(card.net, card.image_size)}
    titles = {name: method.title for name, method in offered.items()}
    chosen = linked_choices(_("Methods"), titles, key=key, default=default)
    if not chosen:
        raise SpecError(_("Choose at least one method."))
    return [method for name, method in offered.items() if name in chosen]


def method_control(card: NetCard, *, key: str, default: str) -> Method:
    """One method."""
    offered = {method.name: method for method in methods(card.net, card.image_size)}
    titles = {name: method.title for name, method in offered.items()}
    return offered[linked_choice(_("Method"), titles, key=key, default=default, as_list=True)]


def parameters_control(method: Method, *, key: str) -> dict[str, int | float | str]:
    """Every parameter of a method, as chosen."""
    found = {
        parameter.name: _parameter(parameter, "_".join((key, method.name, *parameter.names)))
        for parameter in method.parameters
    }
    return method.fill(found)


def _parameter(parameter: Parameter, key: str) -> Any:
    if parameter.choices:
        titles = {choice: _choice_title(choice) for choice in parameter.choices}
        return linked_choice(
            parameter.title,
            titles,
            key=key,
            default=str(parameter.default),
            help=parameter.help or None,
            as_list=True,
        )
    low, high, default = parameter.low, parameter.high, parameter.default
    assert low is not None
    assert high is not None
    assert not isinstance(default, str)
    whole = isinstance(default, int)
    return st.number_input(
        parameter.title,
        low if whole else float(low),
        high if whole else float(high),
        default,
        key=key,
        bind=_BOUND,
        help=parameter.help or None,
    )


def _choice_title(choice: str) -> str:
    """A baseline or a kind of regions in words; a block is called by its name."""
    titles = {
        "mean": _("mean colour"),
        "black": _("black"),
        "white": _("white"),
        "blurred": _("blurred image"),
        "superpixels": _("superpixels"),
        "grid": _("squares"),
    }
    return titles.get(choice, choice)


def fitting(given: Mapping[str, Any], card: NetCard, method: Method) -> dict[str, Any]:
    """Parameters that were chosen for one net as another takes them.

    What the first net has by default (the last block, a patch of an eighth of the image) the
    other one has by its own. A block that it does not have becomes its last one, a patch that is
    larger than its image as large as that.
    """
    own = {m.name: m for m in methods(card.net, card.image_size)}[method.name]
    found = dict(given)
    left = {name for name, value in method.fill().items() if value == given[name]}
    numbers = {p.name for p in own.parameters if not p.choices}
    if not numbers <= left:  # a patch and its stride belong together
        left -= numbers
    for parameter in own.parameters:
        value = found[parameter.name]
        unknown = parameter.choices and value not in parameter.choices
        if unknown or parameter.name in left:
            found[parameter.name] = parameter.default
        elif parameter.high is not None and not isinstance(value, str):
            found[parameter.name] = min(value, parameter.high)
    return found


def target_control(card: NetCard, *, key: str) -> int | None:
    """The class whose logit is explained, by its name; None for the one that the net predicts."""
    titles = {PREDICTED: _("The predicted class")} | {name: name for name in card.classes}
    chosen = linked_choice(_("Explain"), titles, key=key, as_list=True)
    return None if chosen == PREDICTED else card.classes.index(chosen)


def targets_control(card: NetCard, *, key: str, default: Sequence[int]) -> list[int]:
    """Several classes.

    Raises:
        SpecError: none is chosen.
    """
    titles = {name: name for name in card.classes}
    first = [card.classes[number] for number in default]
    chosen = linked_choices(_("Classes"), titles, key=key, default=first, most=6)
    if not chosen:
        raise SpecError(_("Choose at least one class."))
    return [card.classes.index(name) for name in chosen]
