"""Texts in the reader's language. Standard library only.

The language belongs to whoever is reading, not to the process: the top floor says how
to find it (`set_language_source`), so that two sessions of one server can differ.
"""

from __future__ import annotations

import gettext
from collections.abc import Callable
from functools import cache
from pathlib import Path

DOMAIN = "resnet_viz"
LOCALES = Path(__file__).parent / "assets" / "locales"
DEFAULT_LANGUAGE = "en"


def _default_language() -> str:
    return DEFAULT_LANGUAGE


_language: Callable[[], str] = _default_language


def set_language_source(source: Callable[[], str]) -> None:
    """Let `source` name the language, such as "en" or "zh_CN", at every call of `_`."""
    global _language
    _language = source


def languages() -> list[str]:
    """The default language and every one with a compiled catalogue."""
    return [DEFAULT_LANGUAGE, *sorted(p.parts[-3] for p in LOCALES.glob("*/LC_MESSAGES/*.mo"))]


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALES, languages=[language], fallback=True)


def _(text: str) -> str:
    """`text` in the reader's language, or as it is where there is no translation."""
    return _catalogue(_language()).gettext(text)
