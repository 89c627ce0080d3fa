"""What a live chart sends, without a browser."""

import copy
import json
import math

import plotly.graph_objects as go
import pytest

from resnet_viz.figures.patch import patch
from resnet_viz.ui.live_chart import _describe


def figure(*lengths, **layout):
    figure = go.Figure(layout=layout)
    for number, length in enumerate(lengths):
        x = list(range(length))
        figure.add_scatter(x=x, y=[math.sin(i + number) for i in x], uid=f"run-{number}")
    return figure


def described(*lengths, **layout):
    return _describe(figure(*lengths, **layout), "alt")


def applied(old, changes):
    """What the browser makes of a patch: the same rules as in live_chart.js, in Python."""
    new = copy.deepcopy(old)
    traces = new.setdefault("traces", {})
    for uid, change in changes.get("traces", {}).items():
        trace = traces.setdefault(uid, {})
        trace.update(change.get("set", {}))
        for name in change.get("unset", []):
            del trace[name]
        for name, (kept, added) in change.get("tails", {}).items():
            trace[name] = trace[name][:kept] + added
    new.update({name: value for name, value in changes.items() if name != "traces"})
    return new


def test_a_first_message_is_the_whole_figure_in_plain_json():
    whole = applied({}, json.loads(json.dumps(patch([], described(3, 5)))))
    assert whole["order"] == ["run-0", "run-1"]
    assert whole["traces"]["run-1"]["x"] == [0, 1, 2, 3, 4]
    assert whole["traces"]["run-1"]["y"] == pytest.approx(
        [math.sin(i + 1) for i in range(5)], rel=1e-4
    )
    assert "template" not in whole["layout"]


def test_growing_curves_send_their_new_points_only():
    old, new = described(100, 100), described(103, 101)
    changes = patch([old], new)
    assert set(changes) == {"traces"}
    assert changes["traces"]["run-0"]["tails"]["x"] == [100, [100, 101, 102]]
    assert len(changes["traces"]["run-1"]["tails"]["y"][1]) == 1
    assert "set" not in changes["traces"]["run-0"]


def test_nothing_is_sent_when_nothing_changed():
    assert patch([described(10)], described(10)) == {}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ((5, 5), (5, 5, 2)),  # a trace appears
        ((5, 5, 2), (5,)),  # traces go
        ((9,), (4,)),  # a resume took records back
        ((0,), (3,)),
        ((3,), (0,)),
    ],
)
def test_a_patch_leads_from_any_figure_to_any_other(old, new):
    before, after = described(*old), described(*new)
    reached = applied(applied({}, patch([], before)), patch([before], after))
    whole = applied({}, patch([], after))
    assert [reached["traces"][u] for u in reached["order"]] == [
        whole["traces"][u] for u in whole["order"]
    ]


LENGTHS = [(5, 5), (7, 6), (7, 6, 3), (4,), (0, 2), (5, 5, 2)]


@pytest.mark.parametrize("older", LENGTHS)
@pytest.mark.parametrize("old", LENGTHS)
@pytest.mark.parametrize("new", LENGTHS)
def test_one_patch_leads_from_each_of_the_last_two_figures(older, old, new):
    starts, goal = [described(*older), described(*old)], described(*new)
    whole = applied({}, patch([], goal))
    for start in starts:
        reached = applied(applied({}, patch([], start)), patch(starts, goal))
        assert reached["order"] == whole["order"]
        assert all(reached["traces"][uid] == whole["traces"][uid] for uid in whole["order"])


def test_points_that_changed_earlier_are_sent_again():
    old, new = described(10), described(10)
    new["traces"]["run-0"]["y"][4] = 7.0
    kept, added = patch([old], new)["traces"]["run-0"]["tails"]["y"]
    assert (kept, added[0], len(added)) == (4, 7.0, 6)


def test_a_change_of_layout_is_sent_and_the_curves_are_not():
    assert set(patch([described(10)], described(10, xaxis_title="step"))) == {"layout"}


def test_what_is_no_number_becomes_null():
    new = described(2)
    new["traces"]["run-0"]["y"] = [float("nan"), float("inf")]
    text = json.dumps(patch([], new), allow_nan=False)
    assert json.loads(text)["traces"]["run-0"]["set"]["y"] == [None, None]


def test_traces_that_cannot_be_told_apart_are_refused():
    with pytest.raises(ValueError, match="same uid"):
        _describe(go.Figure([go.Scatter(uid="a"), go.Scatter(uid="a")]), "alt")
    with pytest.raises(ValueError, match="letters, digits"):
        _describe(go.Figure([go.Scatter(uid="a/b c")]), "alt")
