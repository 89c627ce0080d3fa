"""A thousand files that are no good pictures: `python -m tests.bad_images FOLDER` writes them.

The same at every call. Which of them must be refused is known; of the others, such as those with
one flipped bit, some are still pictures.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.bad_images.bombs import bombs, odd_sizes
from tests.bad_images.burdens import animations, burdened, tiff_loops
from tests.bad_images.damage import damaged, other_files, wrong_extensions
from tests.bad_images.making import SEED, Bad, whole_files


def bad_images() -> Iterator[Bad]:
    """All of them, one at a time."""
    rng = random.Random(SEED)
    whole = whole_files()
    yield from damaged(whole, rng)
    yield from wrong_extensions(whole)
    yield from other_files(rng)
    yield from bombs()
    yield from odd_sizes()
    yield from burdened(whole)
    yield from tiff_loops()
    yield from animations()
