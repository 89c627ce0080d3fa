"""What is drawn of answers that come while a page is being drawn."""

import pickle

import pytest
from streamlit.testing.v1 import AppTest

from resnet_viz.analysis.child import Reply


def script():
    """Draws an inquiry of which an answer comes just after every look at its answers."""
    import pickle

    import streamlit as st

    from resnet_viz.analysis.cache import AnswerCache
    from resnet_viz.analysis.child import Reply
    from resnet_viz.analysis.inquiry import Inquiry, Job
    from resnet_viz.ui.inquiries import watch

    class Quick(Inquiry):
        @property
        def answers(self):
            found = super().answers
            if job := self.next_job():
                self.accept(job, Reply(pickle.dumps(job.arguments["n"]), 0.1))
            return found

    if "inquiry" not in st.session_state:
        jobs = [Job("resnet_viz.x:y", {"n": n}) for n in range(st.session_state["count"])]
        st.session_state["inquiry"] = Quick(jobs, AnswerCache())
    watch(
        st.session_state["inquiry"],
        lambda answers: st.text(f"drawn {answers}"),
        name="test",
        last=lambda answers: st.text(f"last {answers}"),
    )


@pytest.mark.parametrize("count", range(1, 8))
def test_what_is_drawn_last_has_all_answers(count):
    page = AppTest.from_function(script, default_timeout=180)
    page.session_state["count"] = count
    seen = []
    for _run in range(3):
        page.run()
        assert not page.exception
        seen += [text.value for text in page.text if text.value.startswith("last")]
    assert set(seen) == {f"last {list(range(count))}"}


def forgetful():
    """Goes on with the answers of a first question, though the cache forgets them at once."""
    import pickle

    import streamlit as st

    from resnet_viz.analysis.cache import AnswerCache
    from resnet_viz.analysis.child import Reply
    from resnet_viz.analysis.inquiry import Inquiry, Job
    from resnet_viz.analysis.question import single
    from resnet_viz.ui.inquiries import known_results, watch_questions
    from resnet_viz.ui.session import Backend

    class Forgetful:
        def recall(self, jobs):
            return None

        def ask(self, jobs):
            inquiry = Inquiry(jobs, AnswerCache(max_answers=0))
            inquiry.accept(jobs[0], Reply(pickle.dumps("an answer"), 0.1))
            return inquiry

    backend = Backend(None, None, Forgetful())
    questions = [single(Job("resnet_viz.x:y", {}))]
    if found := known_results(backend, "first", questions):
        other = [single(Job("resnet_viz.x:z", {}))]
        watch_questions(backend, "second", other, lambda _found: st.text(f"second, of {found}"))
    else:
        watch_questions(backend, "first", questions, lambda found: st.text(f"first: {found}"))


def test_a_page_goes_on_with_answers_that_the_cache_has_forgotten():
    page = AppTest.from_function(forgetful, default_timeout=180).run()
    assert [text.value for text in page.text] == ["first: ['an answer']"]
    for _run in range(3):  # the second question leaves the first one's answers there
        page.run()
        assert not page.exception
        assert [text.value for text in page.text] == ["second, of ['an answer']"]


def waiting():
    """Waits for two short answers before it goes on."""
    import pickle
    import threading

    import streamlit as st

    from resnet_viz.analysis.cache import AnswerCache
    from resnet_viz.analysis.child import Reply
    from resnet_viz.analysis.inquiry import Inquiry, Job
    from resnet_viz.analysis.question import single
    from resnet_viz.ui.inside.asking import answer_now
    from resnet_viz.ui.session import Backend

    known = st.session_state.setdefault("cache", AnswerCache())

    class Slow:
        ready = True

        def ask(self, jobs):
            inquiry = Inquiry(jobs, known)
            if job := inquiry.next_job():
                reply = Reply(pickle.dumps("an answer"), 0.1)
                threading.Timer(0.3, inquiry.accept, (job, reply)).start()
            return inquiry

    for n in range(2):
        answer_now(
            Backend(None, None, Slow()), single(Job("resnet_viz.x:y", {"n": n})), "Opening …"
        )
    st.text("what follows")


def test_what_follows_an_answer_has_one_place_whether_it_was_waited_for_or_not():
    page = AppTest.from_function(waiting, default_timeout=180).run()
    places = []
    for _run in range(2):  # the second knows the answers
        places += [n for n, e in page.main.children.items() if e.type == "text"]
        page.run()
        assert not page.exception
    assert len(set(places)) == 1


def phases():
    """Goes on with the answer of a first question; both are answered by the test."""
    import streamlit as st

    from resnet_viz.analysis.cache import AnswerCache
    from resnet_viz.analysis.inquiry import Inquiry, Job
    from resnet_viz.analysis.question import single
    from resnet_viz.ui.inquiries import known_results, missing, watch_questions
    from resnet_viz.ui.session import Backend

    class Slow:
        def recall(self, jobs):
            return None

        def ask(self, jobs):
            asked = st.session_state.setdefault("asked", [])
            asked.append(Inquiry(jobs, AnswerCache()))
            return asked[-1]

    def draw(found):
        st.text(f"found {found}")
        if None in found:
            missing("second")

    backend = Backend(None, None, Slow())
    first = [single(Job("resnet_viz.x:y", {"n": 0}))]
    if known_results(backend, "first", first):
        second = [single(Job("resnet_viz.x:y", {"n": n})) for n in (1, 2)]
        watch_questions(backend, "second", second, draw, after="first")
    else:
        watch_questions(backend, "first", first, draw)


def answer(inquiry):
    inquiry.accept(inquiry.next_job(), Reply(pickle.dumps("an answer"), 0.1))


def test_a_stop_that_comes_when_the_first_question_is_done_holds_for_the_second():
    page = AppTest.from_function(phases, default_timeout=180).run()
    (first,) = page.session_state["asked"]
    stop = page.button(key="first_stop")
    answer(first)  # on its way to the page, which still has the Stop of the first question
    stop.click().run()
    page.run()
    assert not page.exception
    _first, second = page.session_state["asked"]
    assert second.cancelled
    page.button(key="second_on").click().run()  # and going on is going on
    page.run()
    assert not page.session_state["asked"][-1].cancelled


def test_both_questions_have_the_same_stop_so_that_a_click_between_them_finds_one():
    page = AppTest.from_function(phases, default_timeout=180).run()
    answer(page.session_state["asked"][0])
    page.run()
    page.run()
    page.button(key="first_stop").click().run()
    assert page.session_state["asked"][-1].cancelled


def test_what_is_missing_when_it_is_stopped_is_not_said_to_come():
    page = AppTest.from_function(phases, default_timeout=180).run()
    answer(page.session_state["asked"][0])
    page.run()
    page.run()
    second = page.session_state["asked"][-1]
    answer(second)
    page.run()
    assert [c.value for c in page.caption if "Coming" in c.value]
    page.button(key="first_stop").click().run()
    page.run()
    captions = [c.value for c in page.caption]
    assert "Not measured: stopped." in captions
    assert not [text for text in captions if "Coming" in text]
