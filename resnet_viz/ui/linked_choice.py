"""Choices whose codes, not their translated titles, stand in the page's link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st


def linked_choice(
    label: str,
    titles: Mapping[str, str],
    *,
    key: str,
    default: str | None = None,
    help: str | None = None,
    hide_label: bool = False,
    as_list: bool = False,
) -> str:
    """A choice of which one is always taken, as a segmented control or as a list.

    Args:
        titles: code to what a person reads.
        key: of the widget, and its name in the link.
        default: the code to begin with, which the link leaves out; None for the first.
    """
    default = default or next(iter(titles))
    if st.session_state.get(key) not in titles:
        wanted = st.query_params.get(key)
        st.session_state[key] = wanted if wanted in titles else default

    options: dict[str, Any] = {
        "format_func": titles.__getitem__,
        "key": key,
        "help": help,
        "label_visibility": "collapsed" if hide_label else "visible",
    }
    if as_list:
        chosen = st.selectbox(label, list(titles), **options)
    else:
        chosen = st.segmented_control(label, list(titles), required=True, **options)
    assert chosen is not None  # since one is required
    # Streamlit 1.67 shows this in the browser's address with the next run only.
    if chosen == default:
        st.query_params.pop(key, None)
    elif st.query_params.get(key) != chosen:
        st.query_params[key] = chosen
    return str(chosen)


def linked_choices(
    label: str,
    titles: Mapping[str, str],
    *,
    key: str,
    default: Sequence[str],
    most: int | None = None,
) -> list[str]:
    """Several choices, perhaps none, in the order in which they were chosen.

    Args:
        titles, key: as in `linked_choice`.
        default: the codes to begin with, which the link leaves out.
        most: so many can be chosen.
    """
    if not titles.keys() >= set(st.session_state.get(key, [None])):
        wanted = [code for code in st.query_params.get_all(key) if code in titles][:most]
        st.session_state[key] = list(dict.fromkeys(wanted)) or list(default)
    chosen: list[str] = st.multiselect(
        label, list(titles), format_func=titles.__getitem__, key=key, max_selections=most
    )
    if not chosen or chosen == list(default):
        st.query_params.pop(key, None)
    elif st.query_params.get_all(key) != chosen:
        st.query_params[key] = chosen
    return chosen
