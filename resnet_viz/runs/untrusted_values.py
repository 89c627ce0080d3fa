"""Values of a file that may come from anybody: as they must be, or refused. No torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from resnet_viz.i18n import _


class ArchiveError(Exception):
    """A file that cannot be imported; the message says why."""


def refuse(reason: str) -> NoReturn:
    """Raise the error for a file that is no archive of ours, or a damaged one."""
    message = _("This file cannot be imported: {reason}. Nothing was changed.")
    raise ArchiveError(message.format(reason=reason))


def read_json(data: bytes, what: str) -> Any:
    """Strict JSON: no NaN, no infinity, nothing nested without end."""
    try:
        return json.loads(data, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        refuse(_("{what} is not JSON: {error}").format(what=what, error=error))


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")


def mapping(value: object, what: str) -> Mapping[str, Any]:
    """Refuse what is no JSON object."""
    if not isinstance(value, dict):
        refuse(_("{what} must be an object with named fields").format(what=what))
    return value


def whole(value: object, name: str, low: int, high: int) -> int:
    """Refuse what is no whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        message = _("{name} {value!r:.80} is not a whole number from {low} to {high}")
        refuse(message.format(name=name, value=value, low=low, high=high))
    return value


def text(value: object, name: str, longest: int) -> str | None:
    """Refuse what is neither a text nor null; cut off what is longer than `longest`."""
    if value is None:
        return None
    if not isinstance(value, str):
        refuse(_("{name} is not a text").format(name=name))
    return value[:longest].encode(errors="replace").decode()  # JSON can hold half characters


def number(value: object, name: str, low: float, high: float) -> float:
    """Refuse what is no number from `low` to `high`."""
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not low <= value <= high:  # type: ignore[operator]
        refuse(_("{name} cannot be {value!r:.80}").format(name=name, value=value))
    return float(value)  # type: ignore[arg-type]
