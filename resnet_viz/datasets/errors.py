"""The error that data raises: a message for a person. Standard library only."""

from __future__ import annotations


class DataError(Exception):
    """Data that cannot be used as asked; the message says what happened and what to do."""
