"""The pictures of the README: docs/*.png, light and dark, of nets that really train.

python -m benchmarks.screenshots
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from PIL import Image

from benchmarks.browser import (
    ROOT,
    TIMEOUT_SECONDS,
    App,
    button,
    open_charts,
    open_chromium,
    open_page,
    running_app,
    wait_for,
)
from resnet_viz.specs import DataSpec
from resnet_viz.sweeps import PRESETS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DOCS = ROOT / "docs"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
HALF_WAY = 110  # steps of plain-56: the nets have parted, but none of the deep ones is done
SETTLE_MS = 1500  # fonts, Plotly's drawing, Streamlit's fades


def new_pages(browser: Browser) -> dict[str, Page]:
    """A page for each colour scheme."""
    pages: dict[str, Page] = {}
    for scheme in SCHEMES:
        context = browser.new_context(
            viewport={"width": 1440, "height": 900}, device_scale_factor=1, color_scheme=scheme
        )
        pages[scheme] = context.new_page()
        pages[scheme].set_default_timeout(1000 * TIMEOUT_SECONDS)
    return pages


def shoot(pages: dict[str, Page], name: str) -> None:
    """Write docs/NAME-light.png and docs/NAME-dark.png."""
    for scheme, page in pages.items():
        page.mouse.move(0, 0)
        page.wait_for_timeout(SETTLE_MS)
        path = DOCS / f"{name}-{scheme}.png"
        path.write_bytes(compressed(page.screenshot()))
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1e3:.0f} kB")


def compressed(png: bytes) -> bytes:
    """The picture without transparency, packed as small as its colours allow."""
    out = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(out, "png", optimize=True)
    return out.getvalue()


def train_others(app: App) -> None:
    """Two small sweeps, so that the list of sweeps is one: one done, one stopped."""
    quick = PRESETS["quick"]
    small = replace(quick, depths=(8, 14), width=4)
    shapes = replace(
        small,
        families=("plain", "resnet", "preact"),
        data=DataSpec("shapes", image_size=16),
        train=replace(quick.train, steps=100),
    )
    app.store.create_sweep(shapes, name="Drawn shapes, three families")
    wait_for(lambda: app.store.sweeps()[0].status == "done")
    rates = replace(small, lrs=(0.02, 0.1, 0.3), train=replace(quick.train, lr=0.02, steps=2000))
    app.store.create_sweep(rates, name="Three learning rates")
    wait_for(lambda: any(run.step > 20 for run in app.store.runs(app.store.sweeps()[0].id)))
    app.store.request_stop([run.id for run in app.store.runs(app.store.sweeps()[0].id)])
    wait_for(lambda: app.store.sweeps()[0].status == "stopped")


def shoot_sweep(app: App, pages: dict[str, Page]) -> None:
    """The quick sweep, half-way and done."""
    open_page(pages["light"], app.page_url("error_vs_depth"))
    button(pages["light"], "Start").click()
    wait_for(lambda: app.store.sweeps()[0].preset == "quick")
    sweep_id = app.store.sweeps()[0].id
    open_page(pages["dark"], app.page_url("error_vs_depth", sweep=sweep_id))
    deepest = [run.id for run in app.store.runs(sweep_id) if run.spec.net.name == "plain-56"]
    wait_for(lambda: app.store.history(deepest[0]).steps.get("running_error", [0])[-1] >= HALF_WAY)
    shoot(pages, "training")
    wait_for(lambda: app.store.sweep(sweep_id).status == "done")
    shoot(pages, "error-vs-depth")


def shoot_gradients(app: App, pages: dict[str, Page]) -> None:
    """The views of the page Gradients, the training view with the quick sweep."""
    sweep_id = next(sweep.id for sweep in app.store.sweeps() if sweep.preset == "quick")
    views = {
        "gradients": {"sweep": sweep_id},
        "gradients-start": {"view": "start"},
        "gradients-shortcut": {"view": "shortcut"},
        "gradients-shattered": {"view": "shattered"},
    }
    for name, query in views.items():
        for page in pages.values():
            open_charts(page, app.page_url("gradients", **query))
            page.get_by_text("Take away").wait_for()
        shoot(pages, name)


def shoot_inside(app: App, pages: dict[str, Page]) -> None:
    """The pages that look inside a net, with the nets and the photograph that they begin with."""
    views = {
        "feature-maps": ("feature_maps", {}),
        "feature-maps-place": ("feature_maps", {"maps": "place"}),
        "feature-maps-block": ("feature_maps", {"maps": "block"}),
        "feature-maps-meaning": ("feature_maps", {"maps": "meaning"}),
        "attributions": ("attributions", {}),
        "attributions-trust": ("attributions", {"maps": "trust"}),
        "attributions-localise": ("attributions", {"maps": "localise"}),
    }
    for name, (path, query) in views.items():
        for page in pages.values():
            page.set_viewport_size({"width": 1440, "height": 1500})  # down to the maps
            page.goto(app.page_url(path, **query))
            page.get_by_text("Take away").wait_for()  # drawn when nothing more comes
        shoot(pages, name)
    for page in pages.values():
        page.set_viewport_size({"width": 1440, "height": 900})


def main() -> None:
    """Train, and write the pictures."""
    DOCS.mkdir(exist_ok=True)
    with open_chromium() as browser, running_app() as app:
        pages = new_pages(browser)
        for page in pages.values():
            open_page(page, app.page_url("error_vs_depth"))
        app.wait_until_warm()
        train_others(app)
        shoot_sweep(app, pages)
        shoot_gradients(app, pages)
        shoot_inside(app, pages)
        for path, name in (("", "start"), ("runs", "runs")):
            for page in pages.values():
                page.goto(app.page_url(path))
                page.get_by_role("heading", level=1).wait_for()
            shoot(pages, name)
        for page in pages.values():
            page.context.close()


if __name__ == "__main__":
    main()
