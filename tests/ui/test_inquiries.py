"""What is drawn of answers that come while a page is being drawn."""

import pytest
from streamlit.testing.v1 import AppTest


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
