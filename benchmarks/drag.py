"""From a move of the depth slider to its answer on the screen, on the page Gradients.

python -m benchmarks.drag

Both nets of every depth are new to the program at the first visit of a depth; at the second,
their answers are known. 32x32 pixels, width 16, batch norm.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from benchmarks.browser import CHARTS, TIMEOUT_SECONDS, open_charts, open_chromium, running_app

if TYPE_CHECKING:
    from playwright.sync_api import Page

AIM_SECONDS = 1.0
DEPTHS_OF_RATIO = {8, 20, 32, 56, 110}  # which are measured at the start


def shown(depth: int) -> str:
    """JavaScript: whether both nets of a depth are drawn."""
    names = f"['plain-{depth}', 'resnet-{depth}']"
    return f"{names}.every(n => ({CHARTS}[0]?.data ?? []).some(t => t.name === n))"


def seconds_to(page: Page, depth: int, key: str) -> float:
    """Press a key on the slider, and wait for the nets of the depth that it leads to."""
    start = time.perf_counter()
    page.keyboard.press(key)
    page.wait_for_function(shown(depth))
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    with open_chromium() as browser, running_app() as app:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(1000 * TIMEOUT_SECONDS)
        start = time.perf_counter()
        open_charts(page, app.page_url("gradients", view="start", depth=56))
        page.wait_for_function(shown(56))
        print(f"first picture of a new server: {time.perf_counter() - start:.1f} s")
        app.wait_until_warm()
        page.get_by_text("Take away").wait_for()
        page.get_by_role("slider", name="Depth (weighted layers)").focus()
        found: dict[str, list[float]] = {"new": [], "known": []}
        known, depth = set(DEPTHS_OF_RATIO), 56
        for key in ["ArrowLeft"] * 7 + ["ArrowRight"] * 7:
            depth += 6 if key == "ArrowRight" else -6
            seconds = seconds_to(page, depth, key)
            found["known" if depth in known else "new"].append(seconds)
            known.add(depth)
            page.wait_for_timeout(6000)  # until all batches are measured
        for kind, values in found.items():
            print(
                f"{kind}: median {statistics.median(values):.2f} s, most {max(values):.2f} s "
                f"of {len(values)} (aim {AIM_SECONDS:g} s)"
            )


if __name__ == "__main__":
    main()
