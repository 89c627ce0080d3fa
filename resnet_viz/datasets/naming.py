"""What to call the images of a run where its own folder means nothing to others. No torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath

from resnet_viz.datasets.catalogue import describe, info
from resnet_viz.datasets.scan import Listing, scan
from resnet_viz.i18n import _
from resnet_viz.specs import DataSpec

_JPEG = (".jpg", ".jpeg")
_PUBLISHED_AS_FOLDERS = ("cifar10", "cifar100")


def named_data(data: DataSpec) -> tuple[DataSpec, str]:
    """The data without a folder of somebody's computer, and what they are in words.

    A folder that holds the classes and as many images as a published data set is taken for a copy
    of it, and the words say so; of any other folder the last part of its path is left.

    Raises:
        DataError: the folder is missing, or has no classes or no images.
    """
    if data.folder is None:
        return data, describe(data).title
    listing = scan(data.folder)
    for name in _PUBLISHED_AS_FOLDERS:
        known = info(name)
        counts = (len(listing.train), len(listing.test))
        if (listing.classes, *counts) == (known.classes, known.train_images, known.test_images):
            return replace(data, name=name, folder=None), _copy_of(known.title, listing)
    name = listing.root.name
    return replace(data, folder=name), _("images of the folder {name}").format(name=name)


def _copy_of(title: str, listing: Listing) -> str:
    images = (*listing.train, *listing.test)
    if all(PurePath(path).suffix.lower() in _JPEG for path, _label in images):
        return _("{data}, JPEG copy").format(data=title)
    return _("{data}, a copy in files").format(data=title)
