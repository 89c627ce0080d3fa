"""How fast the page answers, measured in a real Chromium against a real server.

python -m benchmarks.page [--json FILE] [--rounds N]

Nothing else should run meanwhile. Every time is from the browser's click event to the first
frame in which the answer is there, except "in the store", which the store's readers see.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import re
import statistics
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from benchmarks.browser import (
    CHARTS,
    TIMEOUT_SECONDS,
    WATCH_TABLES,
    App,
    button,
    click_and_time,
    new_point,
    open_chromium,
    open_page,
    running_app,
    temporary_home,
    wait_for,
    written_rows,
)
from resnet_viz.runs.archive import export_sweep, import_archive
from resnet_viz.runs.hardware import processor_name
from resnet_viz.runs.lanes import available_cores

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

PAGE = "error_vs_depth"
FIRST_POINT, STOP, CONTROL, SWEEP = 2.0, 0.5, 0.25, 45.0  # targets in seconds
ESTIMATE = re.compile(r"nets? · .* about ")
CONTROL_CLICKS = 15  # of each kind
FULL_STORE_SWEEPS = 13  # of eight runs: more than a hundred
# A step of this one takes more than half a second.
HEAVY: dict[str, str | list[str]] = {
    "data": "shapes",
    "size": "32",
    "families": "resnet",
    "depths": "110",
    "width": "16",
    "batch": "128",
}


@dataclass
class Result:
    """Measured seconds of one kind, and the most that their median may be."""

    name: str
    target: float | None
    seconds: list[float]

    @property
    def met(self) -> bool | None:
        """Whether the median is within the target; None without one."""
        return None if self.target is None else statistics.median(self.seconds) <= self.target

    def row(self) -> str:
        """A line of the table."""
        low, middle, high = min(self.seconds), statistics.median(self.seconds), max(self.seconds)
        target = "" if self.target is None else f"{self.target:g}"
        met = {None: "", True: "met", False: "MISSED"}[self.met]
        numbers = f"{len(self.seconds):>3}  {middle:>8.3f}  {low:>8.3f}  {high:>8.3f}"
        return f"{self.name:<64}  {numbers}  {target:>6}  {met}"


def describe_machine(browser_version: str) -> dict[str, str]:
    """Where this was measured, and what else ran there."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return {
        "processor": f"{processor_name()}, {available_cores()} cores in use",
        "memory": f"{psutil.virtual_memory().total / 1e9:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "software": f"Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in ("torch", "streamlit", "plotly"))
        + f", Chromium {browser_version}",
        "load_average_at_start": f"{load:.1f}",
    }


def new_page(browser: Browser) -> Page:
    """A page in a browser context of its own."""
    context = browser.new_context(viewport={"width": 1440, "height": 1200})
    page = context.new_page()
    page.set_default_timeout(1000 * TIMEOUT_SECONDS)
    page.add_init_script(WATCH_TABLES)
    return page


def open_warm_page(page: Page, app: App, **query: str | list[str]) -> None:
    """Open the page as it is once it has been open for a while: with an estimate, all idle."""
    open_page(page, app.page_url(PAGE, **query))
    app.wait_until_warm()
    open_page(page, page.url)
    page.get_by_text(ESTIMATE).wait_for()


def first_point(page: Page) -> float:
    """Click Start; seconds until a net of the new sweep has a point in both charts."""
    return click_and_time(page, button(page, "Start"), new_point(page))[0]


def cold_clicks(browser: Browser, rounds: int) -> tuple[Result, Result]:
    """The very first click after the page loads: in a new data folder, and after a restart."""
    fresh = Result("Start to first point, at once, new data folder", None, [])
    again = Result("Start to first point, at once, server just started", None, [])
    for _round in range(rounds):
        with temporary_home() as home:
            for result in (fresh, again):
                with running_app(home) as app:
                    page = new_page(browser)
                    open_page(page, app.page_url(PAGE))
                    result.seconds.append(first_point(page))
                    if result is fresh:
                        button(page, "Stop").click()
                        wait_for(partial(all_are, app, "stopped"))
                        app.wait_until_warm()
                    page.context.close()
    return fresh, again


def all_are(app: App, status: str) -> bool:
    """Whether every run of the newest sweep has this status."""
    return all(r.status == status for r in app.store.runs(app.store.sweeps()[0].id))


def start_and_stop(
    browser: Browser, app: App, rounds: int, what: str, **query: str | list[str]
) -> list[Result]:
    """Start a sweep with warm workers, let it train for a moment, stop it."""
    chance = random.Random(what)
    start = Result(f"Start to first point, warm workers, {what}", FIRST_POINT, [])
    shown = Result(f"Stop to “stopped” on the page, {what}", STOP, [])
    stored = Result(f"Stop to “stopped” in the store, {what}", STOP, [])
    with ThreadPoolExecutor(1) as pool:
        for _round in range(rounds):
            page = new_page(browser)
            open_warm_page(page, app, **query)
            start.seconds.append(first_point(page))
            page.wait_for_timeout(1000 * chance.uniform(1, 4))
            nets = len(app.store.runs(app.store.sweeps()[0].id))
            end = watch_store(pool, app)
            condition = written_rows(page, "stopped", nets)
            seconds, clicked = click_and_time(page, button(page, "Stop"), condition)
            shown.seconds.append(seconds)
            stored.seconds.append(end.result() - clicked)
            page.context.close()
    return [start, shown, stored]


def watch_store(pool: ThreadPoolExecutor, app: App) -> Future[float]:
    """The time at which a reader of the store first sees the newest sweep stopped."""

    def look() -> float:
        wait_for(lambda: all_are(app, "stopped"))
        return time.time()

    return pool.submit(look)


def whole_sweeps(browser: Browser, app: App, rounds: int) -> Result:
    """The quick sweep from the click until the page says "done" for every net."""
    result = Result("Start to “done” for all nets, quick sweep", SWEEP, [])
    for _round in range(rounds):
        page = new_page(browser)
        open_warm_page(page, app)
        # Only a sweep that has ended shows nothing but its share; the reference shows no bar.
        bars = "[...document.querySelectorAll('[data-testid=stProgress]')]"
        condition = f"{bars}.some((bar) => bar.innerText.trim() === '100%')"
        result.seconds.append(click_and_time(page, button(page, "Start"), condition)[0])
        page.context.close()
    return result


def control_clicks(browser: Browser, app: App, what: str) -> list[Result]:
    """Clicks on three controls while eight nets train, each to what it changes on the page."""
    page = new_page(browser)
    open_warm_page(page, app, steps="100000")
    first_point(page)
    page.wait_for_timeout(3000)
    pill = page.get_by_test_id("stButtonGroup").get_by_text("preact", exact=True)
    results = [
        Result(f"a family, to the new estimate, {what}", None, alternate(page, pill, pill)),
        Result(
            f"a preset, to the new estimate, {what}",
            None,
            alternate(page, choice(page, "Longer"), choice(page, "Quick"), nets=(10, 8)),
        ),
        Result(f"the error switch, to the redrawn chart, {what}", None, errors(page)),
    ]
    every = Result(f"all of these clicks, {what}", CONTROL, [s for r in results for s in r.seconds])
    button(page, "Stop").click()
    wait_for(lambda: all_are(app, "stopped"))
    page.context.close()
    return [*results, every]


def choice(page: Page, text: str) -> Locator:
    """One choice of a segmented control."""
    return page.get_by_test_id("stButtonGroup").get_by_text(text, exact=True)


def alternate(
    page: Page, there: Locator, back: Locator, nets: tuple[int, int] = (12, 8)
) -> list[float]:
    """Click one control and then another; each time to the number of nets in the estimate."""
    out = []
    for click in range(CONTROL_CLICKS):
        target, count = ((there, nets[0]), (back, nets[1]))[click % 2]
        said = f"[...document.querySelectorAll('strong')].some(e => e.innerText === '{count} nets')"
        out.append(click_and_time(page, target, said)[0])
        page.wait_for_timeout(300)
    return out


def errors(page: Page) -> list[float]:
    """Switch between training and test error; each time to the title of the chart's axis."""
    out = []
    for click in range(CONTROL_CLICKS):
        name = ("Test error", "Training error")[click % 2]
        title = name.lower()
        shown = f"{CHARTS}[1]?.querySelector('.ytitle')?.textContent.startsWith('{title}')"
        out.append(click_and_time(page, choice(page, name), shown)[0])
        page.wait_for_timeout(300)
    return out


def fill_store(app: App) -> int:
    """Copies of the newest finished sweep until there are enough; returns the number of runs."""
    source = next(s for s in app.store.sweeps() if s.status == "done")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sweep.zip"
        export_sweep(app.store, source.id, file)
        while len(app.store.sweeps()) < FULL_STORE_SWEEPS or len(app.store.runs()) < 100:
            import_archive(app.store, file)
    return len(app.store.runs())


def report(results: Iterable[Result]) -> None:
    """Print lines of the table as they come in."""
    for result in results:
        print(result.row(), flush=True)


def main() -> None:
    """Measure everything, print a table, write JSON if asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--rounds", type=int, default=5, help="starts and stops of each kind")
    options = parser.parse_args()
    results: list[Result] = []

    def keep(found: Iterable[Result]) -> None:
        found = list(found)
        results.extend(found)
        report(found)

    with open_chromium() as browser:
        machine = describe_machine(browser.version)
        print("\n".join(f"{name}: {value}" for name, value in machine.items()))
        print(f"\n{'seconds':<64}    n    median       min       max  target")
        keep(cold_clicks(browser, max(1, options.rounds // 2)))
        with running_app() as app:
            keep(start_and_stop(browser, app, options.rounds, "quick sweep"))
            keep(start_and_stop(browser, app, options.rounds, "resnet-110", **HEAVY))
            keep([whole_sweeps(browser, app, max(1, options.rounds // 2))])
            keep(control_clicks(browser, app, "training"))
            runs = fill_store(app)
            keep(control_clicks(browser, app, f"training, {runs} runs stored"))
    if options.json:
        rows = [{**asdict(r), "met": r.met} for r in results]
        text = json.dumps({"machine": machine, "results": rows}, indent=2)
        options.json.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
