"""Questions to the analysis process as a page asks them: drawn while the answers come."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from resnet_viz.analysis.process import Inquiry, Job
from resnet_viz.analysis.question import Question, all_jobs, results
from resnet_viz.i18n import _
from resnet_viz.specs import SpecError
from resnet_viz.ui.session import Backend
from resnet_viz.ui.words import duration, plain, short_time

FIRST_SECONDS = 0.15  # between two looks, until the first answer
WAIT_SECONDS = 0.7  # of a run of the script for them
TICK_SECONDS = 0.6
STATUS_PIXELS: Any = 64  # of the line above the charts, which therefore stay in their place
KEPT_FINISHED = 2  # inquiries of a session, for a view that asks on with their answers
_MEMORY = "inquiries"  # of the session: name -> what is being asked there


def ask(backend: Backend, name: str, jobs: Sequence[Job]) -> Inquiry:
    """What this session asks under a name; another question cancels the one before.

    So does any question under another name: a page shows one view at a time.
    """
    asked: dict[str, tuple[tuple[str, ...], Inquiry]] = st.session_state.setdefault(_MEMORY, {})
    key = tuple(job.key for job in jobs)
    if name not in asked or asked[name][0] != key:
        finished = {n: found for n, found in asked.items() if n != name and found[1].done}
        stop_asking()
        asked.update(list(finished.items())[-KEPT_FINISHED:])
        asked[name] = key, backend.analysis.ask(jobs)
    return asked[name][1]


def known_results(backend: Backend, name: str, questions: Sequence[Question]) -> list[Any] | None:
    """The results of questions that are answered, here under that name or before; else None.

    What this session asked counts although the cache, which all sessions share, may have
    forgotten it by now.
    """
    jobs = all_jobs(questions)
    known = backend.analysis.recall(jobs)
    inquiry = _asked(name)
    if known is None and inquiry is not None and inquiry.done and inquiry.jobs == tuple(jobs):
        known = inquiry.answers
    return None if known is None else results(questions, known)


def stop_asking() -> None:
    """Cancel what this session asks; what is answered by then is remembered."""
    asked = st.session_state.get(_MEMORY, {})
    for _key, inquiry in asked.values():
        inquiry.cancel()
    asked.clear()


class AnswerError(SpecError):
    """A question that the page waited for was not answered.

    Attributes:
        trouble: the traceback, where the error was not expected.
        refused: asking again would give the same answer.
    """

    def __init__(self, text: str, trouble: str | None, *, refused: bool = False) -> None:
        super().__init__(text)
        self.trouble = trouble
        self.refused = refused


def refuse(place: DeltaGenerator, error: Exception) -> None:
    """Say why the controls ask for nothing that can be measured; nothing goes on meanwhile."""
    stop_asking()
    place.warning(plain(str(error)), icon=":material/warning:")
    if isinstance(error, AnswerError):
        if error.trouble:
            place.expander(_("Details")).code(error.trouble, language=None)
        if not error.refused:
            place.button(_("Ask again"), key="ask_again")  # any click runs the page again


def watch(
    inquiry: Inquiry,
    draw: Callable[[list[Any]], None],
    *,
    name: str,
    first: int = 1,
    last: Callable[[list[Any]], None] | None = None,
    after: str = "",
) -> None:
    """Draw the answers again and again until there are all of them.

    Until the first answers the last picture of the same name stays.

    Args:
        draw: takes the answers so far, at least `first` unless it ended early.
        name: of the question, as in `ask`.
        first: so many answers make a first picture.
        last: draws what is needed only when nothing more comes.
        after: name of the question whose answers this one goes on from; its Stop stops this too.
    """
    if after and _stopped_too_late(after):
        inquiry.cancel()
    pace, asked = _pace(inquiry, first), _asked(name)
    told = inquiry.cancelled

    def region() -> None:
        nonlocal told
        if pace != _pace(inquiry, first) or asked != _asked(name):
            if told or not inquiry.cancelled or asked != _asked(name):
                st.rerun()  # to look at another pace, or no more; or to ask again
            told = True  # that it is stopped, before the whole page runs again
        _await(inquiry, first)
        ended = inquiry.ended  # asked first: what has ended gets no more answers
        answers = inquiry.answers
        if len(answers) < first and not ended:
            answers = []
        with st.container(
            height=STATUS_PIXELS if inquiry.error is None else "content", border=False
        ):
            _status(inquiry, name, after or name)
        if answers:
            st.session_state[f"{name}_shown"] = draw, answers
            draw(answers)
        elif not ended and f"{name}_shown" in st.session_state:
            draw_before, before = st.session_state[f"{name}_shown"]
            draw_before(before)
        if answers and last is not None and ended:
            last(answers)

    st.fragment(region, run_every=pace)()


def watch_questions(
    backend: Backend,
    name: str,
    questions: Sequence[Question],
    draw: Callable[[list[Any]], None],
    *,
    last: Callable[[list[Any]], None] | None = None,
    after: str = "",
) -> None:
    """Ask several questions, and draw their results again and again until there are all of them.

    Args:
        name: of the place, as in `ask`.
        draw: takes a result a question; None for those that are not there yet.
        last: as `draw`, for what is needed only when nothing more comes; not without any result.
        after: as in `watch`.
    """

    def end(answers: list[Any]) -> None:
        found = results(questions, answers)
        if last is not None and any(result is not None for result in found):
            last(found)

    watch(
        ask(backend, name, all_jobs(questions)),
        lambda answers: draw(results(questions, answers)),
        name=name,
        first=len(questions[0].jobs),
        last=end,
        after=after,
    )


def missing(name: str, waiting: str = "") -> None:
    """Say why something is not there, in its place: it is still to come, or will not.

    Args:
        name: of the question, as in `ask`.
        waiting: what to say while it is still to come.
    """
    inquiry = _asked(name)
    if inquiry is not None and inquiry.cancelled:
        st.caption(_("Not measured: stopped."))
    elif inquiry is not None and inquiry.error is not None:
        st.caption(_("Not measured."))
    else:
        st.caption(waiting or _("Coming …"))


def _await(inquiry: Inquiry, count: int) -> None:
    """Wait a moment for the first answers, from which drawing the old picture would take time."""
    deadline = time.monotonic() + WAIT_SECONDS
    while len(inquiry.answers) < count and not inquiry.ended and time.monotonic() < deadline:
        time.sleep(0.02)


def _pace(inquiry: Inquiry, first: int) -> float | None:
    if inquiry.ended:
        return None
    return TICK_SECONDS if len(inquiry.answers) >= first else FIRST_SECONDS


def _status(inquiry: Inquiry, name: str, line: str) -> None:
    """How far it is, with Stop; or why it ended early, and how to go on.

    Args:
        line: name of the first of the questions that follow each other in the same place. They
            share one Stop, so that a click that comes while one follows another is not lost.
    """
    count, total = len(inquiry.answers), len(inquiry.jobs)
    if inquiry.error is not None:
        st.error(plain(inquiry.error), icon=":material/error:")
        if inquiry.trouble:
            with st.expander(_("Details")):
                st.code(inquiry.trouble, language=None)
        st.button(_("Ask again"), key=f"{name}_again", on_click=_forget, args=(name,))
    elif inquiry.done:
        st.caption(_done_text(inquiry))
    else:
        row = st.container(horizontal=True, vertical_alignment="center", gap="medium")
        if inquiry.cancelled:
            text = _("Stopped after {n} of {total} measurements.")
            row.progress(count / total, text.format(n=count, total=total))
            row.button(_("Go on"), key=f"{name}_on", on_click=_forget, args=(name,))
            return
        row.progress(count / total, _progress_text(inquiry))
        row.button(
            _("Stop"),
            icon=":material/stop:",
            key=f"{line}_stop",
            on_click=_stop,
            args=(inquiry, line),
        )


def _stop(inquiry: Inquiry, line: str) -> None:
    inquiry.cancel()
    if inquiry.done:  # the click came too late for this question, not for the one after it
        st.session_state[f"{line}_stopped"] = inquiry


def _stopped_too_late(line: str) -> bool:
    """Whether the question of that name was stopped when it was done; said once."""
    stopped = st.session_state.pop(f"{line}_stopped", None)
    return stopped is not None and stopped is _asked(line)


def _done_text(inquiry: Inquiry) -> str:
    count = _("Measurements: {n}").format(n=len(inquiry.jobs))
    if not inquiry.seconds:
        return _("{count} · known from before").format(count=count)
    text = _("{count} · {time} of computing")
    return text.format(count=count, time=short_time(inquiry.seconds))


def _progress_text(inquiry: Inquiry) -> str:
    count, total = len(inquiry.answers), len(inquiry.jobs)
    if not count:
        return _("Measuring …")
    left = inquiry.seconds / count * (total - count)
    text = _("{n} of {total} measurements · about {time} left")
    return text.format(n=count, total=total, time=duration(left))


def _forget(name: str) -> None:
    st.session_state.get(_MEMORY, {}).pop(name, None)


def _asked(name: str) -> Inquiry | None:
    """What is asked under a name at present; nothing after `_forget`."""
    _key, inquiry = st.session_state.get(_MEMORY, {}).get(name, ((), None))
    return inquiry
