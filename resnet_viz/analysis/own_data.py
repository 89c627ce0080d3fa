"""The labelled images that a net was trained for, as the page Residual blocks asks for them.

No torch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from resnet_viz.analysis.evaluation_jobs import match_classes
from resnet_viz.datasets.catalogue import DatasetInfo, describe, is_present
from resnet_viz.datasets.errors import DataError
from resnet_viz.datasets.scan import scan
from resnet_viz.i18n import _
from resnet_viz.sources import NetCard
from resnet_viz.specs import DataSpec, SpecError


@dataclass(frozen=True)
class OwnData:
    """A net's own data set, which is on this computer.

    Attributes:
        data: without augmentation, at the net's image size.
        about: what is known of it.
        targets: for each class of the data, its position among the net's.
    """

    data: DataSpec
    about: DatasetInfo
    targets: tuple[int, ...]

    def count(self, split: str, most: int) -> int:
        """Images of "train" or "test", at most so many."""
        training = self.about.train_images - self.data.val_images
        return min(most, training if split == "train" else self.about.test_images)

    def arguments(self) -> dict[str, Any]:
        """For jobs; with them an answer depends on nothing else of the data."""
        folder = self.data.folder
        return {
            "data": self.data.to_dict(),
            "targets": list(self.targets),
            "fingerprint": scan(folder).fingerprint if folder is not None else "",
        }


def own_data(card: NetCard) -> OwnData:
    """The data set on which a net was trained.

    Raises:
        SpecError: it is not known.
        DataError: it is not on this computer; the message says how to get it.
    """
    if card.data is None:
        raise SpecError(
            _(
                "This needs labelled images, and it is not known on which ones {net} was trained. "
                "Choose an included net, or a run of this computer."
            ).format(net=card.title)
        )
    data = replace(card.data, crop_padding=0, flip=False, image_size=card.image_size)
    if not is_present(data):
        raise DataError(
            _(
                "This needs images of the data set of {net}, {data}, which is not on this "
                "computer. Get it on the page of error against depth, or with: "
                "python -m resnet_viz download {data}"
            ).format(net=card.title, data=data.name)
            if data.folder is None
            else _(
                "This needs the images of the folder {folder!r} on which {net} was trained, and "
                "there is no such folder on this computer. Put it back, or choose another net."
            ).format(net=card.title, folder=data.folder)
        )
    about = describe(data)
    return OwnData(data, about, match_classes(card.classes, about.classes))
