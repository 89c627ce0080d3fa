"""Seconds from a click to the drawing of a large net on the page Architectures.

python -m benchmarks.drawing [--rounds 5]

A browser on this computer chooses ResNet-152, and DenseNet-BC-100 (k=12) by its toggle. The first
click on a new server builds the net; later ones find it built.
"""

from __future__ import annotations

import argparse
import statistics

from playwright.sync_api import Page

from benchmarks.browser import App, click_and_time, open_chromium, running_app

AIM_SECONDS = 1.0
_HERE = "document.querySelector('.resnet-viz-net .way .here')?.textContent"
_DRAWN = "document.querySelectorAll('.resnet-viz-net svg [data-place^=\"{stage}.block\"]').length"


def drawn(title: str, stage: str, blocks: int) -> str:
    """The condition that a net is drawn, and this stage of it with all its blocks."""
    return f"({_HERE} ?? '').startsWith({title!r}) && {_DRAWN.format(stage=stage)} === {blocks}"


def resnet_seconds(page: Page, app: App) -> float:
    """From the click on "ResNet-152" in the list of nets to its drawing."""
    _open(page, app, "ResNet-50")
    page.locator(".st-key-net [role=combobox], .st-key-net input").first.click()
    option = page.get_by_role("option", name="ResNet-152", exact=True)
    return click_and_time(page, option, drawn("ResNet-152", "stage3", 36))[0]


def densenet_seconds(page: Page, app: App) -> float:
    """From the click on the toggle that makes a DenseNet-40 a DenseNet-BC-100 to its drawing."""
    _open(page, app, "densenet-40", nets="cifar", family="densenet")
    page.get_by_text("Growth rate, bottlenecks").click()
    toggle = page.locator(".st-key-dense_bc label").first
    toggle.wait_for()
    return click_and_time(page, toggle, drawn("densenet-100", "stage3", 16))[0]


def _open(page: Page, app: App, title: str, **query: str) -> None:
    page.goto(app.page_url("architectures", **query))
    page.wait_for_function(f"({_HERE} ?? '').startsWith({title!r})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with open_chromium() as chromium, running_app() as app:
        page = chromium.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(120_000)
        for name, measure in (
            ("ResNet-152", resnet_seconds),
            ("DenseNet-BC-100", densenet_seconds),
        ):
            first, *later = [measure(page, app) for _round in range(1 + rounds)]
            print(
                f"{name}: the first time {first:.2f} s, then median {statistics.median(later):.2f} "
                f"s, at most {max(later):.2f} s (aim {AIM_SECONDS:.0f} s)"
            )


if __name__ == "__main__":
    main()
