"""The worst files that a person could drop, one after another, on a page and its live process."""

from resnet_viz.ui import session
from tests.bad_images import bad_images
from tests.pages.inside import RESIDUAL, is_there, numbers, png
from tests.pages.waiting import texts, until

WORST = (
    "cut-30-rgb.png",
    "empty.png",
    "html.png",
    "pickle-5.jpg",
    "torch.webp",
    "bomb-true.png",
    "bomb-tile.tiff",
    "lie-65535x65535.gif",
    "lie-2147483647x2147483647.bmp",
    "thin-1x20000.png",
    "text-bomb.png",
    "many-scans.jpg",
    "many-chunks.png",
    "long-profile.tiff",
)


def drop(page, name, data):
    uploader = page.file_uploader(key="picture_file")
    return uploader.set_value((name, data, "application/octet-stream")).run()


def test_the_worst_files_one_after_another_are_refused_and_the_page_still_draws(app):
    worst = {bad.name: bad.data for bad in bad_images() if bad.name in WORST}
    assert worst.keys() == set(WORST)
    page = app("feature_maps", net=RESIDUAL, beside_what="none", picture="upload")
    until(page, is_there("feature_strip.png"))
    first = numbers(page, "probability")
    process = session.open_backend().analysis
    pid = process.health["pid"]
    for name, data in worst.items():
        drop(page, name, data)
        assert not page.exception, name
        assert name in texts(page.error), name
    drop(page, "red.png", png(50, 40))
    until(page, lambda p: not numbers(p, "probability").equals(first))
    assert not page.error
    assert process.health["pid"] == pid
