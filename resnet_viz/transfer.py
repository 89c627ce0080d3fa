"""One file over HTTP, which gets its name once it is verified. Standard library only."""

from __future__ import annotations

import errno
import hashlib
import socket
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError

from resnet_viz.i18n import _

TIMEOUT_SECONDS = 30  # without a byte
_CHUNK_BYTES = 1 << 18


class TransferError(Exception):
    """The file did not come, or not as published; the message is the reason, without a stop."""


@dataclass(frozen=True)
class Remote:
    """A published file.

    Attributes:
        url: where it comes from.
        path: where it goes.
        algorithm: of its checksum: "md5", "sha256".
        digest: its checksum in hexadecimal digits, or the beginning of it.
    """

    url: str
    path: Path
    algorithm: str
    digest: str


def fetch(remote: Remote) -> Iterator[int]:
    """Download a file, saying how many bytes have come.

    What comes is written beside `remote.path`, and replaces it once the checksum is right. It is
    deleted when the iteration fails or is left.

    Raises:
        TransferError: no network, a broken transfer, or a wrong checksum.
        OSError: it cannot be written.
    """
    remote.path.parent.mkdir(parents=True, exist_ok=True)
    part = remote.path.with_name(remote.path.name + ".part")
    digest, received = hashlib.new(remote.algorithm, usedforsecurity=False), 0
    try:
        with part.open("wb") as file:
            for block in _blocks(remote.url):
                file.write(block)
                digest.update(block)
                received += len(block)
                yield received
        if not digest.hexdigest().startswith(remote.digest):
            reason = _("what came from {url} has a wrong checksum")
            raise TransferError(reason.format(url=remote.url))
        part.replace(remote.path)
    finally:
        part.unlink(missing_ok=True)


def _blocks(url: str) -> Iterator[bytes]:
    """The body of an address; an error of the network becomes a TransferError."""
    request = urllib.request.Request(url, headers={"User-Agent": "resnet_viz"})
    received = 0
    try:
        response: HTTPResponse
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            expected = response.length
            while block := response.read(_CHUNK_BYTES):
                received += len(block)
                yield block
    except HTTPError as error:
        reason = _("{url} answered {code} {text}")
        raise TransferError(reason.format(url=url, code=error.code, text=error.reason)) from error
    except (URLError, TimeoutError, ConnectionError, HTTPException) as error:
        reason = _("{url} cannot be reached: {reason}")
        cause = _cause(getattr(error, "reason", error))
        raise TransferError(reason.format(url=url, reason=cause)) from error
    if expected is not None and received < expected:
        reason = _("the transfer from {url} broke off after {received} of {expected} bytes")
        raise TransferError(reason.format(url=url, received=received, expected=expected))


def _cause(error: object) -> str:
    """Why a server cannot be reached, in words where there are some for it."""
    code = getattr(error, "errno", None)
    if isinstance(error, socket.gaierror) or code in (errno.ENETUNREACH, errno.ENETDOWN):
        return _("no network, or none that knows this server")
    if isinstance(error, TimeoutError):
        return _("it does not answer")
    if isinstance(error, ConnectionRefusedError):
        return _("it refuses the connection")
    return getattr(error, "strerror", None) or str(error)
