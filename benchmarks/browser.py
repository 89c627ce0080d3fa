"""A real Chromium and a real Streamlit server, for measurements and browser tests alike."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import psutil

from resnet_viz.runs.reaper import Reaper
from resnet_viz.runs.rows import WorkerInfo
from resnet_viz.runs.store import RunStore

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

ROOT = Path(__file__).parents[1]
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    "--use-fake-device-for-media-stream",  # its camera shows a drawing
]
TIMEOUT_SECONDS = 180.0  # of something that hangs; no promise about speed

# Tables are drawn on a canvas: remember what is written there, by its height in the table.
WATCH_TABLES = """
window.written = new Map()
const fillText = CanvasRenderingContext2D.prototype.fillText
CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...rest) {
  if (!window.written.has(text)) window.written.set(text, new Set())
  window.written.get(text).add(Math.round(y))
  return fillText.call(this, text, x, y, ...rest)
}
"""
CHARTS = "[...document.querySelectorAll('.resnet-viz-chart')]"


class NoChromiumError(RuntimeError):
    """There is no browser to drive."""


@contextmanager
def open_chromium() -> Iterator[Browser]:
    """A headless Chromium: the system's own, else the one that Playwright installs.

    Raises:
        NoChromiumError: there is neither.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        found = next(filter(None, map(shutil.which, NAMES)), None)
        path = found or (own if Path(own).exists() else None)
        if path is None:
            raise NoChromiumError("no Chromium: install one, or run `playwright install chromium`")
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


class Server:
    """A Streamlit server of one script on a free port, which may be killed and started again."""

    def __init__(self, script: Path, **environment: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://localhost:{self.port}"
        self.script = script
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = [f"--server.port={self.port}", "--server.headless=true"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(self.script), *options],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not self._answers():
            assert self.process.poll() is None, "the server ended at once"
            assert time.monotonic() < deadline, "the server did not answer"
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            return urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1).status == 200
        except OSError:
            return False

    def kill(self) -> None:
        """End it at once, as `kill -9` does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()


class App(Server):
    """The program itself, on a data folder of its own.

    Args:
        home: the data folder.
    """

    def __init__(self, home: Path) -> None:
        super().__init__(ROOT / "app.py", RESNET_VIZ_HOME=str(home))
        self.store = RunStore(home)

    def page_url(self, path: str = "", **query: str | list[str]) -> str:
        """Address of a page: page_url("error_vs_depth", depths=["8", "14"])."""
        return f"{self.url}/{path}?{urlencode(query, doseq=True)}"

    def workers(self) -> list[WorkerInfo]:
        """Training processes that count as alive."""
        return Reaper(self.store).workers()

    def wait_until_warm(self) -> None:
        """Wait until the computer is measured and every worker has nothing to do."""

        def warm() -> bool:
            states = [worker.state for worker in self.workers()]
            return bool(states) and set(states) == {"idle"} and self.store.machine() is not None

        wait_for(warm)
        time.sleep(3)  # an idle worker's last act is a step that loads what the next will need

    def end(self) -> None:
        """Kill the server, and the workers, which would outlive it."""
        if self.process is not None:
            self.kill()
        end_workers(self.store)


def end_workers(store: RunStore) -> None:
    """Kill the training processes of a store."""
    for worker in Reaper(store).workers():
        with suppress(psutil.NoSuchProcess):
            if worker.pid and worker.id in psutil.Process(worker.pid).cmdline():
                os.kill(worker.pid, signal.SIGKILL)


@contextmanager
def temporary_home() -> Iterator[Path]:
    """An empty data folder; a worker that is just ending may write to it while it goes."""
    folder = tempfile.mkdtemp(prefix="resnet_viz_")
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_app(home: Path | None = None) -> Iterator[App]:
    """The program, started; ended with its workers. Without `home`, on a new data folder."""
    if home is None:
        with temporary_home() as new_home, running_app(new_home) as app:
            yield app
        return
    app = App(home)
    try:
        app.start()
        yield app
    finally:
        app.end()


def wait_for(what: Callable[[], object], seconds: float = TIMEOUT_SECONDS) -> None:
    """Return as soon as `what` holds.

    Raises:
        TimeoutError: it did not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not happen")
        time.sleep(0.02)


def button(page: Page, name: str) -> Locator:
    """A button of the page, by the text on it (Streamlit's own bar may have a "Stop", too)."""
    return page.get_by_test_id("stMain").get_by_role("button", name=name, exact=True)


def click_and_time(page: Page, target: Locator, condition: str) -> tuple[float, float]:
    """Click, and wait in the browser until `condition` holds in a drawn frame.

    Args:
        condition: a JavaScript expression that does not hold before the click.

    Returns:
        Seconds from the click to the frame, and the time of the click, since the epoch.
    """
    assert not page.evaluate(f"!!({condition})"), f"holds before the click: {condition}"
    page.evaluate(
        f"""() => {{
            window.answered = new Promise((resolve) => {{
                const clicked = () => {{
                    const start = performance.now(), at = Date.now() / 1000
                    const look = () => {{
                        if ({condition}) resolve([(performance.now() - start) / 1000, at])
                        else requestAnimationFrame(look)
                    }}
                    requestAnimationFrame(look)
                }}
                window.addEventListener("click", clicked, {{ capture: true, once: true }})
            }})
        }}"""
    )
    target.click()
    seconds, at = page.evaluate("window.answered")
    return float(seconds), float(at)


def new_point(page: Page) -> str:
    """The condition that a net not drawn so far has a point in both charts, drawn."""
    known = page.evaluate(f"{CHARTS}.flatMap(c => (c.data ?? []).map(t => t.uid))")
    return f"""(() => {{
        const charts = {CHARTS}, known = {known}
        const place = charts.findIndex(chart => chart.data?.some(
            t => t.uid.startsWith('run-') && !known.includes(t.uid) && t.x.length))
        return place > 0 && charts[place - 1].querySelector('.scatterlayer path.point')
    }})()"""


def written_rows(page: Page, text: str, rows: int) -> str:
    """The condition that, from now on, `text` is written in so many rows of tables."""
    page.evaluate("window.written.clear()")
    return f"(window.written.get({text!r})?.size ?? 0) >= {rows}"


def open_charts(page: Page, url: str, count: int = 1) -> None:
    """Go to a page and wait until its first `count` charts are drawn."""
    page.goto(url)
    page.wait_for_function(
        f"{CHARTS}[{count - 1}]?.data?.length > 0", timeout=1000 * TIMEOUT_SECONDS
    )


def open_page(page: Page, url: str) -> None:
    """Go to "Error against depth" and wait until its charts are drawn and Start can be clicked."""
    open_charts(page, url, 2)
    button(page, "Start").wait_for(timeout=1000 * TIMEOUT_SECONDS)
