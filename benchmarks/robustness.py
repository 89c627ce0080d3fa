"""kill -9 of a worker and of the server in the middle of a sweep, again and again.

python -m benchmarks.robustness [--rounds 10] [--seed 0]

A browser looks on at the sweep, as a person does. A round starts the same sweep anew, kills
one process at a random moment, starts the server again if it was the server, and waits until
the sweep is done. Then all that the store holds is compared, bit by bit, with the records of
a sweep that nobody disturbed. The exit status is 1 if anything is amiss.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.browser import App, button, open_chromium, open_page, running_app, wait_for
from resnet_viz.records import ACTIVE
from resnet_viz.runs.rows import WorkerInfo
from resnet_viz.runs.store import RunStore

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Four nets of about twenty seconds on two cores.
SWEEP: dict[str, str | list[str]] = {"depths": ["8", "14"], "steps": "1000"}
STEPS = 1000
FINISH_SECONDS = 300.0

# (net, kind, step) -> values
Records = dict[tuple[str, str, int], dict[str, float]]


@dataclass
class Round:
    """One sweep and what was done to it."""

    victim: str
    kill_at: float
    at_kill: Records
    trained_on: int = 0  # records that workers wrote while there was no server
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    def row(self) -> str:
        """A line of the table."""
        numbers = f"{self.kill_at:>6.1f}  {len(self.at_kill):>7}  {self.trained_on:>10}"
        return f"{self.victim:<6}  {numbers}  {self.seconds:>7.1f}  {'; '.join(self.faults) or '-'}"


def records_of(store: RunStore, sweep_id: str) -> Records:
    """What the store holds of a sweep, without speeds, which are never the same twice."""
    names = {run.id: run.spec.net.name for run in store.runs(sweep_id)}
    found, _last = store.records_since(names)
    return {
        (names[run_id], record.kind, record.step): dict(record.values)
        for run_id, record in found
        if record.kind != "speed"
    }


def doubled(store: RunStore, sweep_id: str) -> int:
    """Rows beyond the first of any run, kind and step."""
    query = (
        "SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM records "
        "WHERE run_id IN (SELECT id FROM runs WHERE sweep_id = ?) GROUP BY run_id, kind, step)"
    )
    with store.database.read() as db:
        return int(db.execute(query, (sweep_id,)).fetchone()[0])


def start_sweep(app: App, page: Page) -> str:
    """Click Start; returns the new sweep's id once every net has a record."""
    before = {sweep.id for sweep in app.store.sweeps()}
    open_page(page, app.page_url("error_vs_depth", **SWEEP))
    button(page, "Start").click()
    wait_for(lambda: {s.id for s in app.store.sweeps()} - before)
    (sweep_id,) = {s.id for s in app.store.sweeps()} - before
    wait_for(lambda: all(run.step for run in app.store.runs(sweep_id)))
    return str(sweep_id)


def wait_until_over(app: App, sweep_id: str) -> None:
    """Wait until nothing of the sweep waits or trains.

    Raises:
        TimeoutError: something still does after `FINISH_SECONDS`.
    """
    wait_for(
        lambda: not any(run.status in ACTIVE for run in app.store.runs(sweep_id)), FINISH_SECONDS
    )


def train_undisturbed(app: App, page: Page) -> tuple[Records, float]:
    """The reference, and how many seconds it took from the first records."""
    sweep_id = start_sweep(app, page)
    start = time.monotonic()
    wait_until_over(app, sweep_id)
    assert {run.status for run in app.store.runs(sweep_id)} == {"done"}
    return records_of(app.store, sweep_id), time.monotonic() - start


def play(app: App, page: Page, victim: str, chance: random.Random, longest: float) -> Round:
    """One round, without its judgement."""
    sweep_id = start_sweep(app, page)
    start = time.monotonic()
    moment = chance.uniform(0.0, longest)
    time.sleep(moment)
    round_ = Round(victim, moment, records_of(app.store, sweep_id))
    if victim == "worker":
        os.kill(chance.choice(training_workers(app)).pid, signal.SIGKILL)
    else:
        app.kill()
        before = len(records_of(app.store, sweep_id))
        time.sleep(chance.uniform(0.5, 2.0))
        round_.trained_on = len(records_of(app.store, sweep_id)) - before
        app.start()  # the browser finds it again by itself
    try:
        wait_until_over(app, sweep_id)
    except TimeoutError:
        states = ", ".join(sorted({run.status for run in app.store.runs(sweep_id)}))
        round_.faults.append(f"not over after {FINISH_SECONDS:.0f} s: {states}")
    round_.seconds = time.monotonic() - start
    round_.faults += judge(app.store, sweep_id)
    return round_


def training_workers(app: App) -> list[WorkerInfo]:
    """Workers that train, or all of them if none does."""
    workers = [worker for worker in app.workers() if worker.pid]
    return [worker for worker in workers if worker.state == "training"] or workers


def judge(store: RunStore, sweep_id: str) -> list[str]:
    """What is wrong with the runs of a sweep and the steps of their records, in words."""
    faults = []
    for run in store.runs(sweep_id):
        name = run.spec.net.name
        if run.status != "done":
            faults.append(f"{name} is {run.status}")
        found, _last = store.records_since([run.id])
        steps = [record.step for _run, record in found if record.kind == "training"]
        if steps != list(range(1, STEPS + 1)):
            faults.append(f"{name} has {len(steps)} training records that are not 1 to {STEPS}")
    if count := doubled(store, sweep_id):
        faults.append(f"{count} records doubled")
    return faults


def differences(name: str, found: Records, expected: Records, *, whole: bool) -> list[str]:
    """How records differ from those of the undisturbed sweep, in words."""
    lost = expected.keys() - found.keys() if whole else set()
    strange = found.keys() - expected.keys()
    other = {key for key in found.keys() & expected.keys() if found[key] != expected[key]}
    counts: Iterable[tuple[str, set[Any]]] = (
        ("lost", lost),
        ("that should not be", strange),
        ("with other values", other),
    )
    return [f"{name}: {len(keys)} records {what}" for what, keys in counts if keys]


def main() -> None:
    """Play the rounds and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.robustness", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="of each kind")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    rounds: list[Round] = []
    with open_chromium() as browser, running_app() as app:
        page = browser.new_page()
        page.set_default_timeout(180_000)
        open_page(page, app.page_url("error_vs_depth", **SWEEP))
        app.wait_until_warm()
        reference, seconds = train_undisturbed(app, page)
        print(f"undisturbed: {seconds:.1f} s, {len(reference)} records\n")
        print("victim  second  records  meanwhile  finished  amiss")
        for number in range(2 * options.rounds):
            victim = ("worker", "server")[number % 2]
            round_ = play(app, page, victim, chance, 0.8 * seconds)
            sweep_id = app.store.sweeps()[0].id
            found = records_of(app.store, sweep_id)
            round_.faults += differences("before", round_.at_kill, reference, whole=False)
            round_.faults += differences("after", found, reference, whole=True)
            rounds.append(round_)
            print(round_.row(), flush=True)
    bad = sum(bool(round_.faults) for round_ in rounds)
    print(f"\n{len(rounds) - bad} of {len(rounds)} rounds without a fault")
    print("records: stored when it was killed; meanwhile: written while there was no server")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
