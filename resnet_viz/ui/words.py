"""Numbers and names as a person reads them."""

from __future__ import annotations

import re

from resnet_viz.i18n import _

# A number and its unit, between which a line must not break.
_UNIT = re.compile(r"(?<=\d) (?=(?:%|s|min|h|days|kB|MB|GB|M|k)(?!\w))")


def plain(text: str) -> str:
    """Text with names that others gave, for st.markdown and the like: it says what it says.

    Else the name of a class, in a file from anywhere, could be a link or fetch a picture. A line
    does not break between a number and its unit.
    """
    text = _UNIT.sub("\u00a0", text)
    return re.sub(r"[\\`*_\[\]#|~$]|[<:](?=\S)", r"\\\g<0>", text)


def short_time(seconds: float) -> str:
    """ "0.045 s", "3.2 s"; from ten seconds on as `duration`."""
    return duration(seconds) if seconds >= 10 else _("{n:.2g} s").format(n=seconds)


def duration(seconds: float) -> str:
    """ "40 s", "12 min", "3.5 h" or "2.1 days"."""
    if seconds < 100:
        return _("{n:.0f} s").format(n=seconds)
    if seconds < 100 * 60:
        return _("{n:.0f} min").format(n=seconds / 60)
    if seconds < 48 * 3600:
        return _("{n:.1f} h").format(n=seconds / 3600)
    return _("{n:.1f} days").format(n=seconds / 86400)


def size(count: float) -> str:
    """ "3 kB", "12 MB" or "1.2 GB"."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count / 1e3:.0f} kB"


def quantity(count: float) -> str:
    """ "0.84 M" or "12 k"."""
    if count >= 1e5:
        return f"{count / 1e6:.2f} M"
    return f"{count / 1e3:.0f} k" if count >= 1e3 else f"{count:.0f}"
