"""Choices whose codes, not their translated titles, stand in the page's link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from resnet_viz.i18n import _
from resnet_viz.ui.words import plain

_LACKING = "lacking_links"  # of the session: key -> what a link asked for in vain, what it got
_MOST_LETTERS = 40
Value = TypeVar("Value", int, float)


def came_by_history() -> bool:
    """Whether this run is for the browser's Back or Forward, whose address tells what to show.

    Streamlit 1.67 sets the widgets that it binds to the address itself; these here are not bound,
    since their codes are not their titles.
    """
    context = get_script_run_ctx(suppress_warning=True)
    return bool(getattr(context, "is_history_navigation", False))  # no part of its public interface


def linked_choice(
    label: str,
    titles: Mapping[str, str],
    *,
    key: str,
    default: str | None = None,
    help: str | None = None,
    hide_label: bool = False,
    as_list: bool = False,
    as_pills: bool = False,
    tell: bool = True,
) -> str:
    """A choice of which one is always taken: a segmented control, a list, or pills, which wrap.

    Args:
        titles: code to what a person reads.
        key: of the widget, and its name in the link.
        default: the code to begin with, which the link leaves out; None for the first.
        tell: say so where the link asks for what is not offered.
    """
    default = default or next(iter(titles))
    codes: Sequence[str] = list(titles)
    linked = st.query_params.get(key)
    back = came_by_history() and key in st.session_state
    known = (linked,) if back else (st.session_state.get(key), linked)
    current: str = next((str(code) for code in known if code in titles), default)
    if back:
        st.session_state[key] = current
    _note_lacking(key, [linked] if linked and linked not in titles else [], [current])

    # It begins as its own default, and that is told again at every run. A value that is put into
    # the session reaches the browser once: where another run comes before it is drawn there, it
    # is lost, and the browser answers with the first of the options.
    options: dict[str, Any] = {
        "format_func": titles.__getitem__,
        "key": key,
        "help": help,
        "label_visibility": "collapsed" if hide_label else "visible",
    }
    begin = None if back else current  # Streamlit takes one of them: a default, or the session's
    if as_list:
        index = 0 if begin is None else codes.index(begin)
        chosen = st.selectbox(label, codes, index=index, **options)
    elif as_pills:
        chosen = st.pills(label, codes, default=begin, required=True, **options)
    else:
        chosen = st.segmented_control(label, codes, default=begin, required=True, **options)
    assert chosen is not None  # since one is required
    if tell:
        _tell_lacking(key, titles, [chosen])
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
    linked = st.query_params.get_all(key)
    back = came_by_history()
    current = None if back else st.session_state.get(key)
    if current is None or not titles.keys() >= set(current):
        wanted = [code for code in linked if code in titles][:most]
        current = list(dict.fromkeys(wanted)) or list(default)
        _note_lacking(key, [code for code in linked if code and code not in titles], current)
        if key in st.session_state:  # other options now; Streamlit would take some away
            st.session_state[key] = current
    chosen: list[str] = st.multiselect(
        label,
        list(titles),
        # Told at every run, as in `linked_choice`.
        default=None if back and key in st.session_state else current,
        format_func=titles.__getitem__,
        key=key,
        max_selections=most,
    )
    _tell_lacking(key, titles, chosen)
    if not chosen or chosen == list(default):
        st.query_params.pop(key, None)
    elif st.query_params.get_all(key) != chosen:
        st.query_params[key] = chosen
    return chosen


def linked_slider(
    label: str,
    values: Sequence[Value],
    *,
    key: str,
    value: Value,
    help: str | None = None,
) -> Value:
    """A slider over some numbers, which stands in the page's link.

    Args:
        values: that are offered, ascending.
        key: of the widget, and its name in the link.
        value: to begin with, which the link leaves out.
    """
    titles = {str(offered): str(offered) for offered in values}
    linked = st.query_params.get(key)
    # Before it is drawn, since Streamlit then takes what is not offered out of the link.
    _note_lacking(key, [linked] if linked and linked not in titles else [], [str(value)])
    chosen: Value = st.select_slider(
        label, values, value=value, key=key, help=help, bind="query-params"
    )
    _tell_lacking(key, titles, [str(chosen)])
    return chosen


def _note_lacking(key: str, wanted: Sequence[str], shown: Sequence[str]) -> None:
    """Keep what a link asks for in vain; it will say what is shown instead from here on."""
    noted: dict[str, tuple[Sequence[str], Sequence[str]]]
    noted = st.session_state.setdefault(_LACKING, {})
    if key in st.session_state:  # drawn before: other options now, or the person's own choice
        return
    noted.pop(key, None)
    if wanted:
        noted[key] = [code[:_MOST_LETTERS] for code in wanted], list(shown)


def _tell_lacking(key: str, titles: Mapping[str, str], chosen: Sequence[str]) -> None:
    """Say what a link asked for in vain, until something else is chosen."""
    noted = st.session_state.get(_LACKING, {})
    if key not in noted:
        return
    wanted, shown = noted[key]
    if list(chosen) != shown:
        del noted[key]
        return
    text = _("The link asks for {wanted}, which is not here; showing {shown}.")
    names = ", ".join(titles[code] for code in shown)
    st.caption(plain(text.format(wanted=", ".join(map(repr, wanted)), shown=names)))
