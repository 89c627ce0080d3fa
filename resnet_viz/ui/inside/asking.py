"""Short questions that a page waits for, because its controls depend on their answers."""

from __future__ import annotations

from typing import Any

import streamlit as st

from resnet_viz.analysis.inquiry import Job
from resnet_viz.analysis.question import Question, card_question
from resnet_viz.i18n import _
from resnet_viz.sources import NetCard, Source
from resnet_viz.ui.inquiries import AnswerError
from resnet_viz.ui.session import Backend

_LOOK_SECONDS = 0.1


def open_card(backend: Backend, source: Source) -> NetCard:
    """What is known of a net; a person sees that it is being opened.

    Raises:
        AnswerError: it cannot be opened; the message says why.
    """
    text = _("Opening {net} …").format(net=source.name)
    card: NetCard = answer_now(backend, card_question(source), text)
    return card


def answer_now(backend: Backend, question: Question, text: str) -> Any:
    """The result of a question that takes a second or so.

    Args:
        text: what is being done, for a person who waits.

    Raises:
        AnswerError: it was not answered; the message says why.
    """
    return question.combine(_await(backend, question.jobs, text))


def _await(backend: Backend, jobs: tuple[Job, ...], text: str) -> list[Any]:
    inquiry = backend.analysis.ask(jobs)
    # One place in every run: else what follows moves, and stands there twice where the next run
    # is broken off before Streamlit has taken the old ones away.
    place = st.empty()
    try:
        if not inquiry.wait(_LOOK_SECONDS):
            text = text if backend.analysis.ready else _("Loading PyTorch …")
            with place.container(), st.spinner(text):
                beat = st.empty()
                while not inquiry.wait(_LOOK_SECONDS):
                    beat.empty()  # lets another click on the page end this run of it
            place.empty()
    finally:
        inquiry.cancel()  # nobody waits for it any more
    if inquiry.error is not None:
        raise AnswerError(inquiry.error, inquiry.trouble, refused=inquiry.refused)
    return inquiry.answers
