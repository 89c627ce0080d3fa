"""Choices in the link: what stands there is told to the browser at every run."""

from streamlit.testing.v1 import AppTest

from resnet_viz.ui import linked_choice as linked


def page():
    import streamlit as st

    from resnet_viz.ui.linked_choice import linked_choice, linked_choices

    few = st.toggle("few", key="few")
    titles = {code: code.upper() for code in ("ab" if few else "abcd")}
    found = [
        linked_choice("List", titles, key="list", as_list=True),
        linked_choice("Row", titles, key="row", default="b"),
        *linked_choices("Some", titles, key="some", default=["a"]),
    ]
    st.text(" ".join(found))


def visit(**query):
    app = AppTest.from_function(page, default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def said(app):
    assert not app.exception
    return app.text[0].value


def defaults(app):
    """What the browser begins with where it has drawn none of these controls before."""
    return (
        app.selectbox(key="list").proto.default,
        list(app.button_group(key="row").proto.default),
        list(app.multiselect(key="some").proto.default),
    )


def test_a_link_chooses_and_nonsense_does_not():
    assert said(visit()) == "a b a"
    assert said(visit(list="c", row="d", some=["d", "b"])) == "c d d b"
    assert said(visit(list="x", row="", some=["x", "c"])) == "a b c"


def test_the_choice_is_told_again_at_every_run():
    """A browser that is slow may draw the second run first; it must not fall back to the first."""
    app = visit(list="c", row="d", some=["d", "b"])
    assert defaults(app) == (2, [3], [3, 1])
    app.run()
    assert defaults(app) == (2, [3], [3, 1])
    app.selectbox(key="list").select("d").run()
    assert said(app) == "d d d b"
    assert defaults(app)[0] == 3
    assert app.query_params["list"] == "d"


def test_a_choice_that_is_offered_no_more_gives_way_to_the_link_s_or_the_default():
    app = visit(list="c", row="d", some=["d", "b"])
    app.toggle(key="few").set_value(True).run()
    assert said(app) == "a b b"


def test_a_link_that_asks_for_what_is_not_here_is_answered_until_something_is_chosen():
    app = visit(list="x", row="*y*", some=["x", "c"])
    told = [caption.value for caption in app.caption]
    assert told == [
        "The link asks for 'x', which is not here; showing A.",
        "The link asks for '\\*y\\*', which is not here; showing B.",
        "The link asks for 'x', which is not here; showing C.",
    ]
    assert "list" not in app.query_params
    assert [caption.value for caption in app.run().caption] == told
    app.selectbox(key="list").select("d").run()
    assert [caption.value for caption in app.caption] == told[1:]
    app.selectbox(key="list").select("a").run()
    assert [caption.value for caption in app.caption] == told[1:]


def sliders():
    import streamlit as st

    from resnet_viz.ui.linked_choice import linked_slider

    steps = linked_slider("Steps", (8, 14, 20, 26), key="steps", value=20)
    rate = linked_slider("Rate", (0.01, 0.03), key="rate", value=0.03)
    st.text(f"{steps} {rate}")


def test_a_slider_says_so_where_the_link_asks_for_what_it_does_not_offer():
    app = AppTest.from_function(sliders, default_timeout=30)
    app.query_params["steps"], app.query_params["rate"] = "21", "0.01"
    told = ["The link asks for '21', which is not here; showing 20."]
    assert said(app.run()) == "20 0.01"
    assert [caption.value for caption in app.caption] == told
    assert [caption.value for caption in app.run().caption] == told
    app.select_slider(key="steps").set_value(26).run()
    assert said(app) == "26 0.01"
    assert not app.caption


def test_other_options_are_no_fault_of_the_link():
    app = visit(list="c", row="d", some=["d", "b"])
    app.toggle(key="few").set_value(True).run()
    assert not app.caption


def test_back_in_the_browser_shows_what_its_address_says(monkeypatch):
    app = visit(list="c", row="d", some=["d", "b"])
    app.selectbox(key="list").select("d").run()
    app.multiselect(key="some").set_value(["c"]).run()
    assert said(app) == "d d c"
    monkeypatch.setattr(linked, "came_by_history", lambda: True)
    for name, value in {"list": "c", "some": ["d", "b"]}.items():
        app.query_params[name] = value
    del app.query_params["row"]
    assert said(app.run()) == "c b d b"
    assert not app.warning
    monkeypatch.undo()
    assert said(app.run()) == "c b d b"
    assert app.query_params["list"] == "c"
