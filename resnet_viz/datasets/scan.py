"""Which images lie in an image folder. Standard library only; nothing is decoded here."""

from __future__ import annotations

import hashlib
import os
import random
from dataclasses import dataclass
from pathlib import Path

from resnet_viz.datasets.errors import DataError
from resnet_viz.home import datasets_home
from resnet_viz.i18n import _

EXTENSIONS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
TEST_FRACTION = 0.2
_SPLIT_SEED = 20151210  # any constant: the split must be the same for every run


@dataclass(frozen=True)
class Listing:
    """The images of a folder by name.

    Attributes:
        root: the folder.
        classes: names of the class folders, sorted; a label is a position in it.
        train, test: (path, label) of every image, in a fixed order.
        fingerprint: changes when a file is added, removed, renamed or written to.
        notes: what was left out and why.
    """

    root: Path
    classes: tuple[str, ...]
    train: tuple[tuple[str, int], ...]
    test: tuple[tuple[str, int], ...]
    fingerprint: str
    notes: tuple[str, ...]


def folders_home() -> Path:
    """Where image folders lie that are asked for by name alone."""
    return datasets_home() / "folders"


def find_folder(folder: str) -> Path:
    """The folder for `DataSpec.folder`: one of the data folder by its name, else a path.

    Raises:
        DataError: there is no such folder.
    """
    try:
        named = folders_home() / folder
        by_name = Path(folder).name == folder != ".." and named.is_dir()
        path = named if by_name else Path(folder).expanduser()
        if path.is_dir():
            return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # too long, forbidden, ~nobody
        reason = f" ({error})"
    else:
        reason = ""
    raise DataError(
        _(
            "There is no folder {folder!r}{reason}. Give the path of a folder with one folder of "
            "images for each class, or put such a folder into {home} and give its name."
        ).format(folder=folder, reason=reason, home=folders_home())
    )


def scan(folder: str) -> Listing:
    """List the images of `train/<class>/` and `test/<class>/`, or of `<class>/` alone.

    Without images in `test` a fifth of each class, drawn with a constant seed, is the test set.
    Files that begin with a dot or are not images by their name are passed over; links that lead
    out of the folder are not followed.

    Raises:
        DataError: the folder is missing or cannot be read, has fewer than two classes, a class
            has no image, or `test` has a class that `train` has not.
    """
    root = find_folder(folder)
    walk = _Walk(root)
    try:
        base = root / "train" if (root / "train").is_dir() else root
        test_base = root / "test" if base != root else None
        found = walk.classes(base)
        classes = tuple(found)
        _check_classes(base, found)
        train = [(path, k) for k, paths in enumerate(found.values()) for path in paths]
        test = []
        if test_base is not None and test_base.is_dir():
            test = _test_images(walk.classes(test_base), classes, root)
        if not test:
            train, test = _split(train)
    except OSError as error:
        raise DataError(
            _("The folder {folder} cannot be read: {reason}. Check its permissions.").format(
                folder=root, reason=error.strerror or error
            )
        ) from None
    return Listing(root, classes, tuple(train), tuple(test), walk.fingerprint(), walk.notes())


class _Walk:
    """Lists class folders and remembers what it saw: sizes, times and links left out."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.digest = hashlib.sha256()
        self.links: list[str] = []

    def classes(self, base: Path) -> dict[str, list[str]]:
        """Class name to paths of its images, both sorted."""
        found = {}
        for entry in sorted(os.scandir(base), key=lambda entry: entry.name):
            if entry.name.startswith(".") or not entry.is_dir():
                continue
            # realpath for each class folder: is_symlink does not see a Windows junction.
            if self._inside(entry.path):
                found[entry.name] = self._images(entry.path)
        return found

    def _images(self, folder: str) -> list[str]:
        paths = []
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.name.startswith(".") or not entry.name.lower().endswith(EXTENSIONS):
                continue
            if entry.is_symlink() and not self._inside(entry.path):
                continue
            if entry.is_file():
                stat = entry.stat()
                self.digest.update(f"{entry.path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
                paths.append(entry.path)
        return paths

    def _inside(self, path: str) -> bool:
        inside = Path(os.path.realpath(path)).is_relative_to(self.root)
        if not inside:
            self.links.append(os.path.relpath(path, self.root))
        return inside

    def fingerprint(self) -> str:
        """Of names, sizes and times of everything listed so far."""
        return self.digest.hexdigest()[:16]

    def notes(self) -> tuple[str, ...]:
        """For the person whose folder it is."""
        if not self.links:
            return ()
        return (
            _("{n} links that lead out of the folder were not followed: {names}").format(
                n=len(self.links), names=", ".join(self.links[:5])
            ),
        )


def _check_classes(base: Path, found: dict[str, list[str]]) -> None:
    if len(found) < 2:
        raise DataError(
            _(
                "{folder} holds {n} class folders; at least two are needed. Put the images of each "
                "class into a folder of its own: train/cats/…, train/dogs/…."
            ).format(folder=base, n=len(found))
        )
    empty = [name for name, paths in found.items() if not paths]
    if empty:
        raise DataError(
            _(
                "The class folder {name} in {folder} has no images ({extensions}). "
                "Put some in, or remove the folder."
            ).format(name=empty[0], folder=base, extensions=" ".join(EXTENSIONS))
        )


def _test_images(
    found: dict[str, list[str]], classes: tuple[str, ...], root: Path
) -> list[tuple[str, int]]:
    unknown = [name for name in found if name not in classes]
    if unknown:
        raise DataError(
            _("{folder} has the class {name}, which train has not. Rename or remove it.").format(
                folder=root / "test", name=unknown[0]
            )
        )
    return [(path, classes.index(name)) for name, paths in found.items() for path in paths]


_Labelled = list[tuple[str, int]]


def _split(images: _Labelled) -> tuple[_Labelled, _Labelled]:
    """A fifth of each class, rounded and at least one, goes to the test set.

    The only image of a class stays in the training set.
    """
    generator = random.Random(_SPLIT_SEED)
    by_class: dict[int, _Labelled] = {}
    for image in images:
        by_class.setdefault(image[1], []).append(image)
    train, test = [], []
    for members in by_class.values():
        generator.shuffle(members)
        n_test = max(1, round(len(members) * TEST_FRACTION)) if len(members) > 1 else 0
        test += members[:n_test]
        train += members[n_test:]
    return train, test
