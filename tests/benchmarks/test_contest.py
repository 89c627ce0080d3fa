"""Turns, and what becomes of a side that fails: the others go on."""

import os
import time

import pytest

from benchmarks.contest import Contest
from benchmarks.report import lines
from benchmarks.rivals.child import Child, ChildError
from benchmarks.rivals.side import Side


class Sleeper:
    """A contestant whose step takes a known time; it may refuse to build, or die in a turn."""

    def __init__(self, seconds, fate=""):
        self.seconds, self.fate, self.turns = seconds, fate, 0
        if fate == "start":
            raise OSError("no such device")

    def prepare(self):
        if self.fate == "prepare":
            raise ValueError("out of memory")
        return {"mode": "asleep"}

    def train(self, steps):
        self.turns += 1
        if self.fate == "die" and self.turns > 1:
            os._exit(3)
        time.sleep(steps * self.seconds)
        return {"seconds": steps * self.seconds, "turns": self.turns}


def side(name, *seconds, fate="", **options):
    children = [Child(f"{__name__}:Sleeper", seconds=s, fate=fate) for s in seconds]
    return Side(name, children, patience=60, **options)


def contest(**options):
    saved = []
    made = Contest(
        "cpu",
        "ours",
        turn_seconds=1,
        steps=options.pop("steps", 2),
        real_steps=100,
        save=saved.append,
        **options,
    )
    return made, saved


def test_rounds_turn_by_turn_with_ratios_of_each():
    made, saved = contest()
    made.enter("ours", side("ours", 0.01, own_clock=True))
    made.enter("rival", side("rival", 0.03, own_clock=True), {"mode": "three times as slow"})
    made.rounds(3, deadline=time.monotonic() + 60)
    made.close()
    found = saved[-1]
    assert found["ratios"]["rival"]["rounds"] == pytest.approx([3, 3, 3])
    assert found["ratios"]["rival"]["count"] == 3
    assert found["sides"]["rival"]["mode"] == "three times as slow"
    assert [turn["steps"] for turn in found["sides"]["ours"]["turns"]] == [2, 2, 2]
    assert len(found["load_average"]) == 3
    assert not found["errors"]
    # Saved after each side and after each round, so that a killed benchmark loses nothing.
    assert [len(s["sides"].get("ours", {"turns": []})["turns"]) for s in saved] == [0, 0, 1, 2, 3]


def test_an_own_pace_gives_turns_of_the_wanted_length():
    made, saved = contest(steps=None)
    made.enter("ours", side("ours", 0.05, own_clock=True))
    made.close()
    assert saved[-1]["sides"]["ours"]["steps_a_turn"] == 20


def test_who_fails_is_named_and_the_others_go_on():
    made, saved = contest()
    made.enter("ours", side("ours", 0.01))
    made.enter("absent", side("absent", 0.01, fate="start"))
    made.enter("unbuilt", side("unbuilt", 0.01, fate="prepare"))
    made.enter("mortal", side("mortal", 0.01, fate="die"))
    made.enter("rival", side("rival", 0.01))
    made.rounds(2, deadline=time.monotonic() + 60)
    made.close()
    errors = saved[-1]["errors"]
    assert set(errors) == {"absent", "unbuilt", "mortal"}
    assert "no such device" in errors["absent"]
    assert "out of memory" in errors["unbuilt"]
    assert "status 3" in errors["mortal"]
    assert saved[-1]["ratios"]["rival"]["count"] == 2
    assert saved[-1]["ratios"]["mortal"]["count"] == 1  # what it did counts


def test_when_the_time_is_over_nothing_begins_and_no_second_round():
    made, saved = contest(end=time.monotonic() + 3600)
    made.enter("ours", side("ours", 0.01))
    made.enter("rival", side("rival", 0.01))
    made.rounds(5, deadline=time.monotonic())
    made._end = time.monotonic() - 1
    made.enter("late", side("late", 0.01))
    made.close()
    assert saved[-1]["ratios"]["rival"]["count"] == 1
    assert "time is over" in saved[-1]["errors"]["late"]


def test_as_many_at_once_as_allowed_and_every_answer_in_its_place():
    asleep = side("processes", 0.4, 0.01, 0.02, at_once=2)
    asleep.warm_up()
    turn = asleep.turn(1)
    asleep.close()
    assert [answer["seconds"] for answer in turn.answers] == [0.4, 0.01, 0.02]
    assert turn.seconds >= 0.4  # one beside the two others


def test_a_silent_child_is_given_up():
    child = Child(f"{__name__}:Sleeper", seconds=600)
    child.wait_ready()
    child.send("train", 1)
    with pytest.raises(ChildError, match="no answer"):
        child.receive(0.1)
    child.close()


def test_the_table_has_a_line_for_every_ratio_and_every_error():
    ratio = {"median": 2.5, "low": 2.25, "high": 3.0, "count": 5, "with_warm_up": 2.0}
    machine = {"device": "cuda", "device_name": "a card", "cores": 16, "torch": "2.11.0"}
    machine |= {"machine": {"dtype": "bfloat16", "channels_last": True}, "content": "drawn shapes"}
    machine |= {"copy_bytes_per_second": 3e12}
    part = {"ratios": {"sequential": ratio}, "errors": {"processes": "a\nout of memory"}}
    roofline = {"bytes_a_step": 2e9, "share": 0.5}
    results = {"machine": machine, "workloads": {"seeds": {"rivals": part, "roofline": roofline}}}
    text = "\n".join(lines(results))
    assert "2.25 to 3.00" in text
    assert "seeds, processes: out of memory" in text
    assert "0.50 of the speed of a copy (aim 0.4)" in text
