"""CIFAR-10, CIFAR-100 and Fashion-MNIST, out of their published archives.

Addresses and checksums are torchvision's, and it is torchvision that unpacks and reads. The
archives stay where torchvision looks for them; unpacked files are only ever temporary, so that
nothing half unpacked can be taken for good.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch

from resnet_viz.datasets.catalogue import info
from resnet_viz.datasets.errors import DataError
from resnet_viz.datasets.images import Images
from resnet_viz.home import datasets_home
from resnet_viz.i18n import _
from resnet_viz.transfer import Remote


def _torchvision_class(name: str) -> Any:
    from torchvision import datasets  # takes a second, so only when an archive is opened

    return {
        "cifar10": datasets.CIFAR10,
        "cifar100": datasets.CIFAR100,
        "fashion_mnist": datasets.FashionMNIST,
    }[name]


def archives(name: str) -> list[Remote]:
    """The files of a data set that has to be downloaded."""
    kind, root = _torchvision_class(name), datasets_home() / name
    if name == "fashion_mnist":
        raw = root / "FashionMNIST" / "raw"
        return [
            Remote(kind.mirrors[0] + file, raw / file, "md5", md5) for file, md5 in kind.resources
        ]
    return [Remote(kind.url, root / kind.filename, "md5", kind.tgz_md5)]


def is_intact(archive: Remote) -> bool:
    """Whether the file lies in its place and has its checksum."""
    from torchvision.datasets.utils import check_integrity

    return bool(check_integrity(archive.path, archive.digest))


def by_hand(name: str) -> str:
    """What a person can do where a download does not work."""
    files = "; ".join(f"{a.url} → {a.path}" for a in archives(name))
    return _(
        "You can also download it elsewhere and put it into place by hand ({files}). "
        "The digits, the shapes and a folder of your own images need no download."
    ).format(files=files)


def unpack(name: str) -> Images:
    """The images of archives that lie in their place.

    Raises:
        DataError: not downloaded, a file that is not the published one, or no room on the disk.
    """
    for archive in archives(name):
        if not archive.path.is_file():
            raise DataError(
                _("{title} has not been downloaded. Start its download first. {by_hand}").format(
                    title=info(name).title, by_hand=by_hand(name)
                )
            )
        if not is_intact(archive):
            raise DataError(
                _(
                    "{path} is damaged or is not the published file: its checksum is wrong. "
                    "Start the download again; it replaces the file. {by_hand}"
                ).format(path=archive.path, by_hand=by_hand(name))
            )
    try:
        with tempfile.TemporaryDirectory(prefix="unpack-", dir=datasets_home() / name) as folder:
            return _read(name, Path(folder))
    except OSError as error:
        raise DataError(
            _("{title} cannot be unpacked in {folder}: {reason}. Make room on this disk.").format(
                title=info(name).title,
                folder=datasets_home() / name,
                reason=error.strerror or error,
            )
        ) from error


def _read(name: str, folder: Path) -> Images:
    """Unpack into `folder` and read; torchvision verifies each file of CIFAR once more."""
    from torchvision.datasets.utils import extract_archive

    home = datasets_home() / name
    for archive in archives(name):
        target = folder / archive.path.relative_to(home).parent
        target.mkdir(parents=True, exist_ok=True)
        extract_archive(archive.path, target)
    halves = [_torchvision_class(name)(folder, train=train) for train in (True, False)]
    images = [torch.as_tensor(half.data) for half in halves]
    images = [x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2) for x in images]
    labels = [torch.as_tensor(half.targets) for half in halves]
    return Images(
        train_images=images[0],
        train_labels=labels[0],
        test_images=images[1],
        test_labels=labels[1],
        classes=tuple(halves[0].classes),
    )
