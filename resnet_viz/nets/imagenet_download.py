"""Downloading the weights of ImageNet nets, with progress, so that only what is whole is kept.

No torch.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable

from resnet_viz.i18n import _
from resnet_viz.nets.imagenet_files import (
    ImageNetNet,
    WeightsFile,
    by_hand,
    digest_of,
    find_weights,
    imagenet_net,
    is_intact,
    weights_home,
)
from resnet_viz.transfer import Remote, TransferError, fetch


def _never() -> bool:
    return False


def download_weights(
    name: str,
    on_progress: Callable[[int, int], None],
    should_stop: Callable[[], bool] = _never,
) -> bool:
    """Download the weights of an ImageNet net into the data folder and verify them.

    Nothing is downloaded when a file that fits lies whole in the data folder or in torch's cache.

    Args:
        name: "resnet50" or "imagenet:resnet50".
        on_progress: called with the bytes that are there and the bytes in all.
        should_stop: asked several times a second; nothing half done is kept.

    Returns:
        False if it was stopped.

    Raises:
        SpecError: there is no such net.
        TransferError: no network, a broken transfer, a wrong checksum, or no room on the disk; the
            message says what to do.
    """
    net = imagenet_net(name)
    file = net.files[0]
    try:
        found = find_weights(name)
        if found is not None and is_intact(found):
            return True
        _check_room(file)
        return _fetch(file, on_progress, should_stop)
    except TransferError as error:
        raise _failure(net, str(error)) from error
    except OSError as error:
        reason = _("it cannot be stored in {folder}: {reason}").format(
            folder=weights_home(), reason=error.strerror or error
        )
        raise _failure(net, reason) from error


def _fetch(
    file: WeightsFile, on_progress: Callable[[int, int], None], should_stop: Callable[[], bool]
) -> bool:
    digest = digest_of(file.name)
    assert digest is not None  # every published name has it
    received = 0
    for received in fetch(Remote(file.url, weights_home() / file.name, "sha256", digest)):
        if should_stop():
            return False
        on_progress(received, max(received, file.size_bytes))
    on_progress(received, received)
    return True


def _check_room(file: WeightsFile) -> None:
    home = weights_home()
    home.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(home).free < file.size_bytes:
        raise OSError(errno.ENOSPC, _("the disk is too full"))


def _failure(net: ImageNetNet, reason: str) -> TransferError:
    return TransferError(
        _(
            "The weights of {title} could not be downloaded: {reason}. Check the connection and "
            "the room on the disk ({megabytes} MB), and start it again. {by_hand}"
        ).format(
            title=net.title,
            reason=reason,
            megabytes=net.files[0].size_bytes // 10**6,
            by_hand=by_hand(net.name),
        )
    )
