"""Choices that pages share: a page's link begins empty, and gets what stood in the last one's."""

from __future__ import annotations

import streamlit as st


def recall_links(memory: str, first: str) -> None:
    """Put what was chosen on another page into this page's link, at its first run here.

    Args:
        memory: name of the memory in the session.
        first: key of a widget that the page draws at every run.
    """
    if first not in st.session_state:
        for name, value in st.session_state.get(memory, {}).items():
            st.query_params.setdefault(name, value)


def remember_links(memory: str, *beginnings: str) -> None:
    """Keep the parameters of this page's link whose names begin like that, for other pages."""
    st.session_state[memory] = {
        name: value for name, value in st.query_params.items() if name.startswith(beginnings)
    }
