"""The error that data raises: a message for a person. Standard library only."""

from __future__ import annotations


class DataError(Exception):
    """Data that cannot be used as asked; the message says what happened and what to do."""


class PictureError(DataError):
    """A file that cannot be opened as a picture; the message says what it is and what to do."""
