"""Checks of values that a person, a link or a file brought. Standard library only."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Sequence


class SpecError(ValueError):
    """A spec with a value that cannot be used; the message says which would do."""


def check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Refuse a value that is not one of `choices`; the message names the closest."""
    if value in choices:
        return
    close = difflib.get_close_matches(str(value), choices, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise SpecError(f"{name} {value!r} is not known; {hint}choose one of: {', '.join(choices)}")


def check_integer(name: str, value: object, low: int, high: int) -> None:
    """Refuse what is not a whole number from `low` to `high`; the message names the nearest."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise SpecError(f"{name} {value!r} is not a whole number; use {low} to {high}")
    if not low <= value <= high:
        raise SpecError(
            f"{name} {value} is out of range; use {low} to {high}, "
            f"nearest: {min(max(value, low), high)}"
        )


def check_number(name: str, value: object, low: float, high: float) -> None:
    """Refuse what is not a finite number from `low` to `high`; the message names the nearest."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise SpecError(f"{name} {value!r} is not a number; use {low:g} to {high:g}")
    if not low <= value <= high:
        raise SpecError(
            f"{name} {value:g} is out of range; use {low:g} to {high:g}, "
            f"nearest: {min(max(value, low), high):g}"
        )


def check_flag(name: str, value: object) -> None:
    """Refuse what is not true or false."""
    if not isinstance(value, bool):
        raise SpecError(f"{name} {value!r} is not true or false")


def parse_numbers(text: str, name: str = "depths") -> tuple[int, ...]:
    """Whole numbers from "8, 20,32" as a person types them.

    Raises:
        SpecError: something between the commas is not a whole number, or there is nothing.
    """
    parts = [part for part in re.split(r"[,;\s]+", text.strip()) if part]
    try:
        numbers = tuple(int(part) for part in parts)
    except ValueError:
        raise SpecError(f"{name} {text!r} is not a list of whole numbers such as 8,20,32") from None
    if not numbers:
        raise SpecError(f"{name} is empty; give numbers such as 8,20,32")
    return numbers
