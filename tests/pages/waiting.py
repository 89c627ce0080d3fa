"""A page run again and again, as its fragments do by themselves."""

import time

TIMEOUT_SECONDS = 180  # of something that hangs; no promise about speed


def texts(elements):
    return " ".join(e.value for e in elements)


def until(page, condition, seconds=TIMEOUT_SECONDS):
    """Run the page again until `condition` holds."""
    deadline = time.monotonic() + seconds
    while not condition(page):
        assert time.monotonic() < deadline, texts(page.markdown)
        assert not page.exception, page.exception
        time.sleep(0.2)
        page.run()
    assert not page.exception, page.exception
    return page


def said(text):
    return lambda page: text in texts(page.markdown)


def warned(text):
    return lambda page: text in texts(page.warning)
