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
    try:
        if not inquiry.wait(_LOOK_SECONDS):
            with st.spinner(text if backend.analysis.ready else _("Loading PyTorch …")):
                place = st.empty()
                while not inquiry.wait(_LOOK_SECONDS):
                    place.empty()  # lets another click on the page end this run of it
    finally:
        inquiry.cancel()  # nobody waits for it any more
    if inquiry.error is not None:
        raise AnswerError(inquiry.error, inquiry.trouble, refused=inquiry.refused)
    return inquiry.answers
