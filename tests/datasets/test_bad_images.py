"""Whatever file a person drops, it ends in a picture or in a sentence, and memory stays flat."""

import re

import numpy as np
import psutil
import pytest

from resnet_viz.datasets.errors import PictureError
from resnet_viz.datasets.picture import centre_square, cut, open_picture
from resnet_viz.datasets.picture_file import LONGEST, MIN_SIDE
from tests.bad_images import bad_images, whole_files

MAX_GROWTH_BYTES = 100e6  # a single decoded bomb of the corpus has over 144 MB
INTERNAL = re.compile(r"Traceback|File \"|object at 0x|site-packages|Error\b|\\|/")

# Pillow and libtiff warn of what the corpus is full of.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Where the files are, so that they are not held in memory, and which must be refused."""
    folder = tmp_path_factory.mktemp("corpus")
    refused = {}
    for bad in bad_images():
        assert bad.name not in refused
        (folder / bad.name).write_bytes(bad.data)
        refused[bad.name] = bad.refused
    return folder, refused


def test_there_are_a_thousand_and_they_are_the_same_at_every_call(corpus):
    folder, refused = corpus
    assert len(refused) >= 1000
    assert sum(refused.values()) >= 700
    assert all((folder / bad.name).read_bytes() == bad.data for bad in bad_images())


def test_each_ends_in_a_message_or_a_picture_and_memory_stays_flat(corpus):
    folder, refused = corpus
    process = psutil.Process()
    open_picture(whole_files()["rgb.png"], "first.png")  # what the first one loads stays
    before = process.memory_info().rss
    opened = 0
    for name, must_be_refused in refused.items():
        try:
            picture = open_picture((folder / name).read_bytes(), name)
        except PictureError as error:
            assert len(str(error)) > 20, name
            assert not INTERNAL.search(str(error)), f"{name}: {error}"
        else:
            opened += 1
            assert not must_be_refused, name
            assert picture.pixels.dtype == np.uint8
            height, width, channels = picture.pixels.shape
            assert channels == 3
            assert min(height, width) >= MIN_SIDE
            assert max(height, width) <= LONGEST
            assert cut(picture, centre_square(picture), 32).shape == (32, 32, 3)
        growth = process.memory_info().rss - before
        assert growth < MAX_GROWTH_BYTES, f"{growth / 1e6:.0f} MB more after {name}"
    assert opened > 50


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        ("svg.*", "SVG drawing; export it as PNG"),
        ("html.*", "web page"),
        ("empty.*", "empty"),
        ("pickle-5.*", "pickle.*not opened"),
        ("torch.*", "pickle.*not opened"),
        ("heic.*", "HEIC"),
        ("cut-*-rgb.png", "ends in the middle"),
        ("bomb-true.png", "144 megapixels"),
        ("bomb-tile.tiff", "tiles"),
        ("thin-1x20000.png", "1×20000 pixels"),
        ("many-scans.jpg", "passes"),
        ("comment.gif", "more than its picture"),
    ],
)
def test_the_message_says_what_it_is(corpus, pattern, what):
    folder, _refused = corpus
    messages = []
    for path in folder.glob(pattern):
        try:
            open_picture(path.read_bytes(), path.name)
        except PictureError as error:
            messages.append(str(error))
    assert any(re.search(what, message) for message in messages)


def test_a_name_is_shown_without_what_could_harm():
    with pytest.raises(PictureError) as refused:
        open_picture(b"", "/home/somebody/holiday\n\x1b[31m" + 200 * "x" + ".png")
    assert "somebody" not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "\x1b" not in str(refused.value)
    assert len(str(refused.value)) < 150
