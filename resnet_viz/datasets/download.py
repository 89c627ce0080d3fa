"""Downloading a published data set, with progress, so that only what is whole is kept."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

from resnet_viz.datasets.catalogue import DECODED, DatasetInfo, info
from resnet_viz.datasets.errors import DataError
from resnet_viz.datasets.images import write_cache
from resnet_viz.datasets.published import archives, by_hand, is_intact, unpack
from resnet_viz.home import datasets_home
from resnet_viz.i18n import _
from resnet_viz.transfer import TransferError, fetch


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
            try:
                for received in fetch(archive):
                    if should_stop():
                        raise _StoppedError
                    on_progress(done + received, about.download_bytes)
            except TransferError as error:
                raise _failure(about, str(error)) from error
        done += size_bytes
        on_progress(done, about.download_bytes)


def _failure(about: DatasetInfo, reason: str) -> DataError:
    return DataError(
        _(
            "{title} could not be downloaded: {reason}. Check the connection and start it again. "
            "{by_hand}"
        ).format(title=about.title, reason=reason, by_hand=by_hand(about.name))
    )
