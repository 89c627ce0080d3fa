"""Jobs, answers and what is kept of them, without a second process."""

import collections
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from resnet_viz.analysis.cache import AnswerCache
from resnet_viz.analysis.child import carry_out, describe
from resnet_viz.analysis.inquiry import Inquiry, Job
from resnet_viz.analysis.plain import check_plain
from resnet_viz.signals import Shattering
from resnet_viz.specs import NetSpec

PARSE = "resnet_viz.checks:parse_numbers"


def test_equal_jobs_have_equal_keys_and_equal_arguments():
    one = Job(PARSE, {"text": "8", "name": ("a", 1)})
    other = Job(PARSE, {"name": ["a", 1], "text": "8"})
    assert one.key == other.key
    assert one.arguments == other.arguments
    assert Job(PARSE, {"text": "8 "}).key != Job(PARSE, {"text": "8"}).key


def test_a_job_does_not_change_with_what_it_was_made_of():
    depths = [8, 20]
    job = Job(PARSE, {"depths": depths})
    depths.append(32)
    assert job.arguments == {"depths": [8, 20]}


@pytest.mark.parametrize(
    "function",
    ["os:system", "resnet_viz_other.a:b", "resnet_viz:f", "resnet_viz.home:os.system", "x", "",
     "resnet_viz.home:_private", "resnet_viz..home:f"],
)  # fmt: skip
def test_a_job_names_a_function_of_this_package(function):
    with pytest.raises(ValueError, match="does not name a function of this package"):
        Job(function, {})


@pytest.mark.parametrize("value", [float("nan"), Path(), b"", {1, 2}, np.float32(1)])
def test_arguments_are_json_values(value):
    with pytest.raises((TypeError, ValueError)):
        Job(PARSE, {"text": value})


Point = collections.namedtuple("Point", "x y")


class Text(str):
    __slots__ = ()


NOISE = Shattering(NetSpec("plain", 8), "", (0.0,), (1.0,), (1.0,), (), 1)
PLAIN = [None, True, 3, 2.5, "a", b"a", [1, (2, {"a": [None]})], np.zeros(3, np.float32)]
PLAIN += [np.float64(2), np.int8(1), NOISE, [NetSpec("resnet", 20)]]
NOT_PLAIN = [torch.zeros(1), torch.__version__, torch.Size([1]), torch.float32, Path(), {1}]
NOT_PLAIN += [np.array([None]), Point(1, 2), Text("a"), len, ValueError("a")]


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_values_may_go_to_the_server(value):
    check_plain(value)
    assert repr(pickle.loads(pickle.dumps(value))) == repr(value)


@pytest.mark.parametrize("value", NOT_PLAIN, ids=repr)
def test_nothing_else_may(value):
    for wrapped in (value, [1, value], {"a": (value,)}):
        with pytest.raises(TypeError):
            check_plain(wrapped)
    with pytest.raises(TypeError):
        check_plain(Shattering(None, "", (), (), (value,), (), 1))


@pytest.mark.parametrize("allocate", [torch.empty, np.empty])
def test_too_little_memory_is_said_in_words(allocate):
    with pytest.raises((RuntimeError, MemoryError)) as raised:
        allocate(1 << 55)
    text, trouble = describe(raised.value)
    assert text == "There is not enough memory for this. Choose a smaller net."
    assert "Traceback" in trouble


def test_an_answer_that_comes_after_cancelling_is_kept():
    cache = AnswerCache()
    jobs = [Job(PARSE, {"text": "8"}), Job(PARSE, {"text": "20"})]
    inquiry = Inquiry(jobs, cache)
    running = inquiry.next_job()
    inquiry.cancel()
    inquiry.accept(running, carry_out(running.function, running.arguments, 1))
    assert inquiry.next_job() is None
    assert inquiry.answers == []
    again = Inquiry(jobs, cache)
    assert again.answers == [(8,)]
    assert again.next_job() == jobs[1]


def test_errors_are_not_kept():
    cache = AnswerCache()
    job = Job(PARSE, {"text": "eight"})
    for _ in range(2):
        inquiry = Inquiry([job], cache)
        assert inquiry.next_job() == job
        inquiry.accept(job, carry_out(job.function, job.arguments, 1))
        assert "eight" in inquiry.error


def test_nothing_asked_is_done_at_once():
    inquiry = Inquiry([], AnswerCache())
    assert inquiry.done
    inquiry.cancel()
    assert not inquiry.cancelled


def test_the_cache_forgets_what_was_not_used_for_longest():
    cache = AnswerCache(max_answers=2)
    cache.put("a", b"1")
    cache.put("b", b"2")
    assert cache.get("a") == b"1"
    cache.put("c", b"3")
    assert [cache.get(key) for key in "abc"] == [b"1", None, b"3"]


def test_the_cache_holds_no_more_bytes_than_it_may():
    cache = AnswerCache(max_bytes=10)
    cache.put("a", bytes(6))
    cache.put("a", bytes(4))
    cache.put("b", bytes(6))
    assert cache.get("a") == bytes(4)
    cache.put("c", bytes(1))
    assert [cache.get(key) for key in "abc"] == [bytes(4), None, bytes(1)]
    cache.put("d", bytes(11))
    assert [cache.get(key) for key in "acd"] == [None, None, None]


def test_a_job_is_a_program_that_makes_the_same_call():
    found = {}
    exec(
        Job(PARSE, {"text": "8, 20"}).as_program().replace("\n\nparse", "\n\nfound = parse"), found
    )
    assert found["found"] == (8, 20)
