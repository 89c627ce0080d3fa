"""Whatever file a person drops, it ends in a picture or in a sentence, and memory stays flat."""

import re

import numpy as np
import psutil
import pytest

from resnet_viz.datasets.errors import PictureError
from resnet_viz.datasets.picture import centre_square, cut, open_picture
from resnet_viz.datasets.picture_file import LONGEST, MIN_SIDE
from tests.bad_images import bad_images

KEPT_BYTES = 300e6  # the largest picture that is opened has 64 million pixels of 4 bytes
GROWTH_BYTES = 40e6
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


def check(picture):
    assert picture.pixels.dtype == np.uint8
    height, width, channels = picture.pixels.shape
    assert channels == 3
    assert min(height, width) >= MIN_SIDE
    assert max(height, width) <= LONGEST
    assert cut(picture, centre_square(picture), 32).shape == (32, 32, 3)


def message_for(folder, name):
    """Why a file is refused; empty where it is opened."""
    try:
        picture = open_picture((folder / name).read_bytes(), name)
    except PictureError as error:
        return str(error) or "nothing is said"
    check(picture)
    return ""


@pytest.fixture(scope="module")
def passes(corpus):
    """What every file ends in, and memory before, after those that cost most, and after all.

    What costs most shows what an allocator keeps for itself.
    """
    folder, refused = corpus
    costly = [n for n in refused if "bomb" in n or "lie" in n or "short" in n or "many" in n]
    process = psutil.Process()
    sizes = [process.memory_info().rss]
    for name in costly:
        message_for(folder, name)
    sizes.append(process.memory_info().rss)
    messages = {name: message_for(folder, name) for name in refused}
    return messages, [*sizes, process.memory_info().rss]


def test_each_ends_in_a_message_or_a_picture(corpus, passes):
    (_folder, refused), (messages, _sizes) = corpus, passes
    assert [name for name in refused if refused[name] and not messages[name]] == []
    assert sum(not message for message in messages.values()) > 50
    for message in filter(None, messages.values()):
        assert len(message) > 20
        assert not INTERNAL.search(message), message


def test_memory_stays_flat(passes):
    _messages, (before, warm, after_all) = passes
    assert warm - before < KEPT_BYTES
    assert after_all - warm < GROWTH_BYTES


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
    messages = [message_for(folder, path.name) for path in folder.glob(pattern)]
    assert any(re.search(what, message) for message in messages)


def test_a_name_is_shown_without_what_could_harm():
    with pytest.raises(PictureError) as refused:
        open_picture(b"", "/home/somebody/holiday\n\x1b[31m" + 200 * "x" + ".png")
    assert "somebody" not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "\x1b" not in str(refused.value)
    assert len(str(refused.value)) < 150
