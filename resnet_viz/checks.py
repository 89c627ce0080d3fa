"""Checks of values that a person, a link or a file brought. Standard library only."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Sequence

from resnet_viz.i18n import _


class SpecError(ValueError):
    """A spec with a value that cannot be used; the message says which would do."""


def check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Refuse a value that is not one of `choices`; the message names the closest."""
    if value in choices:
        return
    close = difflib.get_close_matches(str(value), choices, n=1)
    hint = _("did you mean {value!r}? ").format(value=close[0]) if close else ""
    text = _("{name} {value!r} is not known; {hint}choose one of: {choices}")
    raise SpecError(text.format(name=name, value=value, hint=hint, choices=", ".join(choices)))


def check_integer(name: str, value: object, low: int, high: int) -> None:
    """Refuse what is not a whole number from `low` to `high`; the message names the nearest."""
    if isinstance(value, bool) or not isinstance(value, int):
        text = _("{name} {value!r} is not a whole number; use {low} to {high}")
        raise SpecError(text.format(name=name, value=value, low=low, high=high))
    _check_range(name, value, low, high)


def check_number(name: str, value: object, low: float, high: float) -> None:
    """Refuse what is not a finite number from `low` to `high`; the message names the nearest."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        text = _("{name} {value!r} is not a number; use {low:g} to {high:g}")
        raise SpecError(text.format(name=name, value=value, low=low, high=high))
    _check_range(name, value, low, high)


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        nearest = min(max(value, low), high)
        text = _("{name} {value:g} is out of range; use {low:g} to {high:g}, nearest: {nearest:g}")
        raise SpecError(text.format(name=name, value=value, low=low, high=high, nearest=nearest))


def check_flag(name: str, value: object) -> None:
    """Refuse what is not true or false."""
    if not isinstance(value, bool):
        text = _("{name} {value!r} is not true or false")
        raise SpecError(text.format(name=name, value=value))


def parse_numbers(text: str, name: str = "depths") -> tuple[int, ...]:
    """Whole numbers from "8, 20,32" as a person types them.

    Raises:
        SpecError: something between the commas is not a whole number, or there is nothing.
    """
    parts = [part for part in re.split(r"[,;\s]+", text.strip()) if part]
    try:
        numbers = tuple(int(part) for part in parts)
    except ValueError:
        message = _("{name} {text!r} is not a list of whole numbers such as 8,20,32")
        raise SpecError(message.format(name=name, text=text)) from None
    if not numbers:
        message = _("{name} is empty; give numbers such as 8,20,32")
        raise SpecError(message.format(name=name))
    return numbers
