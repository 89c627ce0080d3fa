"""Downloading a published data set, with progress, so that only what is whole is kept."""

from __future__ import annotations

import errno
import hashlib
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError

from resnet_viz.datasets.catalogue import DECODED, DatasetInfo, info
from resnet_viz.datasets.errors import DataError
from resnet_viz.datasets.images import write_cache
from resnet_viz.datasets.published import Archive, archives, by_hand, is_intact, unpack
from resnet_viz.home import datasets_home
from resnet_viz.i18n import _

TIMEOUT_SECONDS = 30  # without a byte
_CHUNK_BYTES = 1 << 18


class _StoppedError(Exception):
    """The person no longer wants it."""


def _never() -> bool:
    return False


def download(
    name: str,
    on_progress: Callable[[int, int], None],
    should_stop: Callable[[], bool] = _never,
) -> bool:
    """Download a data set, verify it and decode its images, so that `load` finds it at once.

    Files that are already in place with the right checksum are not downloaded again.

    Args:
        name: "cifar10", "cifar100" or "fashion_mnist"; with any other there is nothing to do.
        on_progress: called with the bytes that are there and the bytes in all.
        should_stop: asked several times a second; nothing half done is kept.

    Returns:
        False if it was stopped.

    Raises:
        DataError: no network, a broken transfer, a wrong checksum, or no room on the disk.
    """
    about, home = info(name), datasets_home() / name
    if not about.files or (home / DECODED).is_file():
        return True
    try:
        for leftover in home.glob("unpack-*"):  # of a process that was killed
            shutil.rmtree(leftover)
        _check_room(about, home)
        _fetch_all(about, on_progress, should_stop)
        write_cache(home / DECODED, unpack(name).shuffled(), fingerprint=name)
    except _StoppedError:
        return False
    except OSError as error:
        raise DataError(
            _("{title} cannot be stored in {folder}: {reason}. {advice}").format(
                title=about.title, folder=home, reason=error.strerror or error, advice=_room(about)
            )
        ) from error
    return True


def _bytes_needed(about: DatasetInfo) -> int:
    """Archive, unpacked files and decoded images, which for a while lie side by side."""
    images = about.train_images + about.test_images
    return about.download_bytes + 2 * images * about.channels * about.image_size**2


def _room(about: DatasetInfo) -> str:
    return _(
        "It needs {megabytes} MB that can be written to; make room, or move the data folder with "
        "RESNET_VIZ_HOME."
    ).format(megabytes=_bytes_needed(about) // 10**6)


def _check_room(about: DatasetInfo, home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(home).free < _bytes_needed(about):
        raise OSError(errno.ENOSPC, _("the disk is too full"))


def _fetch_all(
    about: DatasetInfo, on_progress: Callable[[int, int], None], should_stop: Callable[[], bool]
) -> None:
    done = 0
    for archive, (_path, size_bytes) in zip(archives(about.name), about.files, strict=True):
        if not is_intact(archive):
            for received in _fetch(about, archive):
                if should_stop():
                    raise _StoppedError
                on_progress(done + received, about.download_bytes)
        done += size_bytes
        on_progress(done, about.download_bytes)


def _fetch(about: DatasetInfo, archive: Archive) -> Iterator[int]:
    """Download one file, saying how many bytes have come; it gets its name once it is verified."""
    archive.path.parent.mkdir(parents=True, exist_ok=True)
    part = archive.path.with_name(archive.path.name + ".part")
    digest, received = hashlib.md5(usedforsecurity=False), 0
    try:
        with part.open("wb") as file:
            for block in _blocks(about, archive):
                file.write(block)
                digest.update(block)
                received += len(block)
                yield received
        if digest.hexdigest() != archive.md5:
            reason = _("what came from {url} has a wrong checksum")
            raise _failure(about, reason.format(url=archive.url))
        part.replace(archive.path)
    finally:
        part.unlink(missing_ok=True)


def _blocks(about: DatasetInfo, archive: Archive) -> Iterator[bytes]:
    """The body of the file's address; an error of the network becomes a DataError."""
    request = urllib.request.Request(archive.url, headers={"User-Agent": "resnet_viz"})
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
        text = reason.format(url=archive.url, code=error.code, text=error.reason)
        raise _failure(about, text) from error
    except (URLError, TimeoutError, ConnectionError, HTTPException) as error:
        reason = _("{url} cannot be reached: {reason}")
        cause = getattr(error, "reason", error)
        raise _failure(about, reason.format(url=archive.url, reason=cause)) from error
    if expected is not None and received < expected:
        reason = _("the transfer from {url} broke off after {received} of {expected} bytes")
        raise _failure(about, reason.format(url=archive.url, received=received, expected=expected))


def _failure(about: DatasetInfo, reason: str) -> DataError:
    return DataError(
        _(
            "{title} could not be downloaded: {reason}. Check the connection and start it again. "
            "{by_hand}"
        ).format(title=about.title, reason=reason, by_hand=by_hand(about.name))
    )
