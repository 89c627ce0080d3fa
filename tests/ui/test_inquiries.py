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
