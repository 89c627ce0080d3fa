"""What a page wants to know, as jobs and as what is made of their answers. No torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from resnet_viz.analysis.inquiry import Job
from resnet_viz.sources import Source


@dataclass(frozen=True)
class Question:
    """Jobs whose answers together make one result.

    Attributes:
        jobs: in order; each at most about half a second of work.
        combine: makes the result of all their answers, in the server: numpy, no torch.
    """

    jobs: tuple[Job, ...]
    combine: Callable[[Sequence[Any]], Any]


def single(job: Job) -> Question:
    """A question of one job, whose answer is the result."""
    return Question((job,), lambda answers: answers[0])


def card_question(source: Source) -> Question:
    """Ask what is known of a net, which is opened for it; the result is a `NetCard`."""
    return single(Job("resnet_viz.analysis.opened:measure_card", {"source": source.to_dict()}))


def all_jobs(questions: Sequence[Question]) -> list[Job]:
    """The jobs of several questions, for one inquiry."""
    return [job for question in questions for job in question.jobs]


def results(questions: Sequence[Question], answers: Sequence[Any]) -> list[Any]:
    """A result a question; None for those whose answers are not all there yet.

    Args:
        answers: of the first jobs of `all_jobs(questions)`.
    """
    found, start = [], 0
    for question in questions:
        end = start + len(question.jobs)
        found.append(question.combine(answers[start:end]) if end <= len(answers) else None)
        start = end
    return found


def answer_here(question: Question, on_progress: Callable[[int, int], None] | None = None) -> Any:
    """The result of a question, computed in this process, without an analysis process. Loads torch.

    Args:
        on_progress: is told, at the start and after each job, how many jobs are done and how many
            there are.

    Raises:
        whatever the answers raise.
    """
    tell = on_progress or (lambda _done, _total: None)
    answers: list[Any] = []
    tell(0, len(question.jobs))
    for job in question.jobs:
        module, name = job.function.split(":")
        answers.append(getattr(import_module(module), name)(**job.arguments))
        tell(len(answers), len(question.jobs))
    return question.combine(answers)
