"""What to ask for some images of a data set. No torch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from resnet_viz.analysis.inquiry import Job
from resnet_viz.analysis.question import Question
from resnet_viz.datasets.catalogue import as_loaded
from resnet_viz.datasets.scan import scan
from resnet_viz.i18n import _
from resnet_viz.specs import DataSpec

IMAGES = 30


@dataclass(frozen=True, eq=False)  # arrays do not compare as values do
class Gallery:
    """Test images, of every class in turn.

    Attributes:
        images: uint8 (N, S, S, 3), grey ones in three equal channels.
        places: int64 (N,), among the test images.
        labels: int64 (N,), positions in `classes`.
        classes: names.
        masks: bool (N, S, S), true on the object; None where not known.
    """

    images: NDArray[np.uint8]
    places: NDArray[np.int64]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    masks: NDArray[np.bool_] | None

    def title(self, number: int) -> str:
        """The class of an image, and its place: "cat, test image 3"."""
        text = _("{name}, test image {n}")
        return text.format(name=self.classes[self.labels[number]], n=self.places[number])


def gallery_question(data: DataSpec, size: int, count: int = IMAGES) -> Question:
    """Ask for test images of a data set; the result is a `Gallery`.

    Args:
        size: side in pixels, as a net takes them.

    Raises:
        DataError: an image folder cannot be used.
    """
    arguments = {
        "data": replace(as_loaded(data, size), val_images=0, crop_padding=0, flip=False).to_dict(),
        "size": size,
        "count": count,
        "fingerprint": scan(data.folder).fingerprint if data.folder is not None else "",
    }
    job = Job("resnet_viz.analysis.gallery_answers:find_images", arguments)
    return Question((job,), lambda answers: Gallery(**answers[0]))
