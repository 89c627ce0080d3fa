"""What the page's views have in common: asking about each net, and telling why some cannot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from resnet_viz.analysis.question import Question
from resnet_viz.datasets.errors import DataError
from resnet_viz.specs import SpecError
from resnet_viz.ui.inside.nets import Shown
from resnet_viz.ui.words import plain


def askable(
    nets: Sequence[Shown], make: Callable[[Shown], Question]
) -> tuple[list[Shown], list[Question]]:
    """The nets of which `make` can ask, and what; why it cannot of the others is said.

    Raises:
        SpecError: there is none.
    """
    able, questions, refused = [], [], []
    for net in nets:
        try:
            questions.append(make(net))
            able.append(net)
        except (SpecError, DataError) as error:
            refused.append(str(error))
    if not able:
        raise SpecError("\n\n".join(dict.fromkeys(refused)))
    for text in dict.fromkeys(refused):
        st.warning(plain(text), icon=":material/warning:")
    return able, questions


def partial_results(questions: Sequence[Question], answers: Sequence[Any]) -> list[Any]:
    """A result a question, of the answers that there are so far; None without any.

    Args:
        answers: of the first jobs of all questions in a row.
    """
    found, start = [], 0
    for question in questions:
        part = answers[start : start + len(question.jobs)]
        found.append(question.combine(part) if part else None)
        start += len(question.jobs)
    return found


def program(nets: Sequence[Shown], module: str, question: str, arguments: str) -> str:
    """The same questions in Python, for a notebook.

    Args:
        module: of the question, in `resnet_viz.analysis`.
        arguments: after source and card.
    """
    lines = [
        f"from resnet_viz.analysis.{module} import {question}",
        "from resnet_viz.analysis.opened import measure_card",
        "from resnet_viz.analysis.question import answer_here",
        "from resnet_viz.sources import Source",
        "",
    ]
    for net in nets:
        more = f", {arguments}" if arguments else ""
        lines += [
            f"net = Source.from_dict({net.source.to_dict()!r})",
            "card = measure_card(net.to_dict())",
            f"print(answer_here({question}(net, card{more})))",
        ]
    return "\n".join(lines)
