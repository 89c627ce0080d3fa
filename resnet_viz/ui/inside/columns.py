"""What stands side by side in a comparison of maps: nets, classes, or checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from resnet_viz.analysis.feature_jobs import overview_question
from resnet_viz.figures.maps.predictions import class_name
from resnet_viz.i18n import _
from resnet_viz.inside import Prediction
from resnet_viz.ui.inside.asking import answer_now
from resnet_viz.ui.inside.looking import Looking
from resnet_viz.ui.inside.method_form import target_control, targets_control
from resnet_viz.ui.inside.nets import Shown, checkpoints_of, show
from resnet_viz.ui.linked_choice import linked_choice
from resnet_viz.ui.session import Backend
from resnet_viz.ui.words import plain

MOST_COLUMNS = 6


@dataclass(frozen=True)
class Column:
    """What the maps of one column explain: this class by this net."""

    net: Shown
    target: int
    prediction: Prediction

    @property
    def title(self) -> str:
        name = class_name(self.net.card.classes[self.target])
        share = 100 * float(self.prediction.probabilities[self.target])
        text = _("{net}: {target} ({share:.0f}\u00a0%)")
        return text.format(net=self.net.title, target=name, share=share)


def columns_control(backend: Backend, looking: Looking) -> list[Column]:
    """What stands side by side, each with its prediction.

    Raises:
        SpecError: there is nothing to compare by, or a net cannot be asked.
    """
    first = looking.nets[0]
    titles = {"nets": _("nets"), "targets": _("classes")}
    kept = checkpoints_of(backend.store, first.source)[-MOST_COLUMNS:]
    if len(kept) > 1:
        titles["checkpoints"] = _("checkpoints")
    by = linked_choice(_("Side by side"), titles, key=f"by_{len(titles)}")
    if by == "targets":
        said = _predict(backend, looking, first)
        key = f"targets_{first.source.name}"
        chosen = targets_control(first.card, key=key, default=said.top(2))
        for other in looking.nets[1:]:
            text = _("Classes stand side by side for {net} alone; {other} is left out.")
            st.caption(plain(text.format(net=first.title, other=other.title)))
        return [Column(first, target, said) for target in chosen]
    nets = looking.nets if by == "nets" else show(backend, kept)
    return target_columns(backend, looking, nets)


def target_columns(backend: Backend, looking: Looking, nets: Sequence[Shown]) -> list[Column]:
    """One class, chosen among the first net's, for several nets.

    A net with other classes is asked about the one that it predicts.

    Raises:
        SpecError: a net cannot be asked.
    """
    first = looking.nets[0]
    target = target_control(first.card, key="target")
    if target is None:
        target = _predict(backend, looking, first).top(1)[0]
    found = []
    for net in nets:
        said = _predict(backend, looking, net)
        same = net.card.classes == first.card.classes
        found.append(Column(net, target if same else said.top(1)[0], said))
    return found


def _predict(backend: Backend, looking: Looking, net: Shown) -> Prediction:
    question = overview_question(net.source, looking.text(net), net.card)
    text = _("{net} looks at the image …").format(net=net.title)
    prediction = answer_now(backend, question, text).prediction
    assert isinstance(prediction, Prediction)
    return prediction
