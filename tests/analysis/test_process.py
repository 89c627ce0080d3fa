"""A real analysis process: its answers, turns and deaths, and that it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from resnet_viz.analysis.process import HEALTH, AnalysisProcess, Inquiry, Job

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 120.0  # of a test that hangs; no promise about speed
SLOW = Job("resnet_viz.training.machine:measure_machine", {"device": "cpu"})  # seconds of work


def numbers(text: str) -> Job:
    """A quick job: "8,20" -> (8, 20)."""
    return Job("resnet_viz.checks:parse_numbers", {"text": text})


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    process = AnalysisProcess(tmp_path_factory.mktemp("home"), threads=1)
    assert not process.ready
    process.start()
    yield process
    process.close()


def settle(inquiry: Inquiry) -> Inquiry:
    assert inquiry.wait(TIMEOUT_SECONDS)
    return inquiry


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_it_is_what_it_was_asked_to_be(process):
    """And what a reader does to an answer is not in the next one."""
    answer = settle(process.ask([HEALTH])).answers[0]
    assert process.ready
    assert process.error is None
    assert answer["home"] == str(process._home)
    assert answer["threads"] == 1
    child = psutil.Process(answer["pid"])
    assert child.ppid() == os.getpid()
    if hasattr(os, "nice"):
        assert child.nice() == psutil.Process().nice()
    pid = answer.pop("pid")
    assert process.ask([HEALTH]).answers[0]["pid"] == pid


def test_it_computes_with_as_many_threads_as_there_are_to_spare_now(tmp_path):
    spare = iter([1, 2])
    process = AnalysisProcess(tmp_path, threads=lambda: next(spare))
    answer = settle(process.ask([HEALTH])).answers[0]
    assert process.health["threads"] == 1  # when it started
    assert answer["threads"] == 2
    process.close()


def test_answers_come_in_order_and_are_known_the_next_time(process):
    jobs = [numbers(f"{i}, 20") for i in range(20)]
    first = settle(process.ask(jobs))
    assert first.answers == [(i, 20) for i in range(20)]
    assert first.done
    assert first.seconds > 0
    again = process.ask(jobs[::-1])
    assert again.done  # without any wait
    assert again.answers == first.answers[::-1]
    assert again.seconds == 0


def test_answers_are_recalled_when_all_are_known_and_nothing_is_asked(process):
    known, unknown = numbers("3, 1, 4"), numbers("1, 5, 9, 2")
    assert process.recall([known]) is None
    settle(process.ask([known]))
    assert process.recall([known]) == [(3, 1, 4)]
    assert process.recall([known, unknown]) is None
    assert process.recall([]) == []
    health = settle(process.ask([HEALTH])).answers  # its turn comes after whatever was asked
    assert process.recall([HEALTH, known]) == [*health, (3, 1, 4)]
    assert process.recall([unknown]) is None


def test_a_message_for_a_person_comes_alone(process):
    inquiry = settle(process.ask([numbers("8"), numbers("eight"), numbers("20")]))
    assert inquiry.answers == [(8,)]
    assert inquiry.error == "depths 'eight' is not a list of whole numbers such as 8,20,32"
    assert inquiry.trouble is None
    assert inquiry.ended
    assert not inquiry.done


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("checks:parse_numbers", "TypeError: parse_numbers() missing"),
        ("checks:no_such_function", "AttributeError: module 'resnet_viz.checks'"),
        ("no_such_module:f", "ModuleNotFoundError"),
        ("home:data_home", "resnet_viz.home:data_home answers with a pathlib."),
    ],
)
def test_any_other_error_brings_its_traceback(process, function, said):
    inquiry = settle(process.ask([Job(f"resnet_viz.{function}", {})]))
    assert said in inquiry.error
    assert "Traceback (most recent call last)" in inquiry.trouble
    assert settle(process.ask([numbers("8")])).answers == [(8,)]


def test_a_short_question_does_not_wait_for_a_long_one(process):
    long = process.ask([numbers(f"1, {i}") for i in range(5000)])
    short = settle(process.ask([numbers(f"2, {i}") for i in range(5)]))
    assert short.done
    assert 0 < len(long.answers) < 5000
    long.cancel()
    assert long.cancelled
    assert long.wait(0)
    so_far = long.answers
    assert settle(process.ask([numbers("3")])).done  # after the job that ran has finished
    assert long.answers == so_far
    assert not long.done
    assert long.error is None


def test_after_a_death_the_next_question_starts_a_fresh_process(process):
    settle(process.ask([numbers("8")]))
    pids = [process.health["pid"]]

    exiting = Job("resnet_viz.analysis.child:live_with", {"server": unused_pid()})
    died = settle(process.ask([exiting]))
    assert died.error.startswith("The analysis process ended (perhaps it ran out of memory).")
    assert died.answers == []
    assert settle(process.ask([numbers("8, 32")])).answers == [(8, 32)]
    pids.append(process.health["pid"])

    os.kill(pids[-1], signal.SIGKILL)  # while it has nothing to do: nobody need know
    while not process._executor._flags.broken:
        time.sleep(0.02)
    hit = process.ask([numbers("8, 44"), SLOW])
    while not hit.answers and not hit.ended:
        time.sleep(0.02)
    assert hit.answers == [(8, 44)]
    pids.append(process.health["pid"])

    waiting = process.ask([numbers("8, 56")])
    time.sleep(0.3)
    os.kill(pids[-1], signal.SIGKILL)  # in the middle of a job
    assert settle(hit).error == died.error
    assert settle(waiting).answers == [(8, 56)]  # whose turn it was not
    pids.append(process.health["pid"])

    assert len(set(pids)) == 4
    assert [alive(pid) for pid in pids] == [False, False, False, True]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no file here is without an end")
def test_a_job_that_never_ends_is_given_up_and_the_next_question_is_answered(tmp_path):
    pipe = tmp_path / "net.pt"  # whoever reads it waits for a writer who never comes
    os.mkfifo(pipe)
    source = {"kind": "file", "name": "net.pt", "path": str(pipe)}
    endless = Job("resnet_viz.analysis.opened:measure_card", {"source": source})
    process = AnalysisProcess(tmp_path, threads=1, job_seconds=4)
    settle(process.ask([numbers("8")]))
    pid = process.health["pid"]
    stuck = process.ask([numbers("20"), endless, numbers("32")])
    waiting = process.ask([numbers("44"), numbers("56")])
    error = settle(stuck).error
    assert error.startswith("This took longer than 4 seconds and was given up. Choose a smaller")
    assert stuck.answers == [(20,)]
    assert settle(waiting).answers == [(44,), (56,)]
    assert process.health["pid"] != pid
    assert not alive(pid)
    process.close()


def unused_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    return ended.pid


def test_a_process_that_cannot_be_started_says_why(tmp_path):
    process = AnalysisProcess(tmp_path, threads=0)
    inquiry = settle(process.ask([numbers("8")]))
    assert inquiry.error.startswith("The analysis process cannot be started: ")
    assert "positive integer" in inquiry.error  # torch, of its number of threads
    assert process.error == inquiry.error
    assert not process.ready
    process.close()


def test_after_closing_nothing_is_answered(tmp_path):
    process = AnalysisProcess(tmp_path, threads=1)
    waiting = process.ask([numbers("8")])
    process.close()
    for inquiry in (waiting, process.ask([numbers("20")])):
        assert settle(inquiry).error
    assert not [child for child in psutil.Process().children() if is_analysis_of(child, tmp_path)]


def is_analysis_of(child: psutil.Process, home: Path) -> bool:
    try:
        return child.environ().get("RESNET_VIZ_HOME") == str(home)
    except psutil.NoSuchProcess:  # it ended a moment ago, or is a zombie
        return False


SERVER = """
import sys, time
from pathlib import Path
from resnet_viz.analysis.process import HEALTH, AnalysisProcess, Job

process = AnalysisProcess(Path(sys.argv[1]), threads=1)
process.start()
print("at once", process.ready, flush=True)
pid = process.ask([HEALTH])
pid.wait()
process.ask([Job("resnet_viz.checks:parse_numbers", {"text": str(i)}) for i in range(10**5)])
print("torch" in sys.modules, pid.answers[0]["pid"], flush=True)
time.sleep(float(sys.argv[2]))
"""


@pytest.mark.parametrize("killed", [False, True])
def test_it_ends_with_its_server(tmp_path, killed):
    """Whose end is silent, even in the midst of a question, unless it is killed."""
    server = subprocess.Popen(
        [sys.executable, "-W", "always", "-c", SERVER, str(tmp_path), "600" if killed else "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stdout.readline() == "at once False\n"  # and so the page was not held up
    torch_in_server, pid = server.stdout.readline().split()
    assert torch_in_server == "False"
    child = psutil.Process(int(pid))
    if killed:
        server.kill()
    _, noise = server.communicate(timeout=TIMEOUT_SECONDS)
    child.wait(TIMEOUT_SECONDS)
    if not killed:
        assert server.returncode == 0
        assert noise == ""
