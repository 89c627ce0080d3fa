"""Which data sets there are, and whether they can be used right now. No torch here.

The page server imports this module; the images themselves are `load`'s affair.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from resnet_viz.datasets.errors import DataError
from resnet_viz.datasets.scan import find_folder, folders_home, scan
from resnet_viz.home import datasets_home
from resnet_viz.i18n import _
from resnet_viz.specs import DataSpec

__all__ = ["DataError", "DatasetInfo", "describe", "info", "is_present", "list_folders"]

FOLDER_IMAGE_SIZE = 32
DRAWN_PIXELS = 64  # largest side at which shapes are drawn for a net; larger ones are enlarged
DECODED = "decoded.safetensors"  # written last, and only after every checksum agreed

CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
CIFAR100_CLASSES = tuple(
    """apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
    butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab
    crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard
    lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom
    oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
    possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake
    spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
    train trout tulip turtle wardrobe whale willow_tree wolf woman worm""".split()  # noqa: SIM905
)
FASHION_MNIST_CLASSES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
SHAPES_CLASSES = (
    *("circle", "ring", "square", "triangle", "star"),
    *("cross", "crescent", "heart", "arrow", "hourglass"),
)


@dataclass(frozen=True)
class DatasetInfo:
    """What a page says about a data set.

    Attributes:
        name: as in `DataSpec.name`.
        title: for people.
        classes: class names in order of their labels.
        channels: 1 (grey) or 3 (colour).
        image_size: side of the square images in pixels.
        train_images, test_images: counts; validation images are taken from the former.
        files: path under `datasets_home() / name` and size in bytes of every file that must be
            downloaded; empty when there is nothing to download.
        source: who made it, and where it comes from.
        licence: under which terms.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    channels: int
    image_size: int
    train_images: int
    test_images: int
    source: str
    licence: str
    files: tuple[tuple[str, int], ...] = ()

    @property
    def download_bytes(self) -> int:
        """Bytes to download; 0 when there is nothing to download."""
        return sum(size for _path, size in self.files)


def _digits() -> DatasetInfo:
    return DatasetInfo(
        "digits",
        _("Digits (8×8)"),
        tuple("0123456789"),
        channels=1,
        image_size=8,
        train_images=1437,
        test_images=360,
        source=_("Alpaydin & Kaynak 1998, UCI machine learning repository; part of scikit-learn"),
        licence="CC BY 4.0",
    )


def _shapes() -> DatasetInfo:
    return DatasetInfo(
        "shapes",
        _("Drawn shapes on clutter"),
        SHAPES_CLASSES,
        channels=3,
        image_size=32,
        train_images=5000,
        test_images=1000,
        source=_("made by this program, each image with the mask of its object"),
        licence="MIT",
    )


def _cifar10() -> DatasetInfo:
    return DatasetInfo(
        "cifar10",
        "CIFAR-10",
        CIFAR10_CLASSES,
        channels=3,
        image_size=32,
        train_images=50_000,
        test_images=10_000,
        source=_("Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images"),
        licence=_("no licence stated; cite the report"),
        files=(("cifar-10-python.tar.gz", 170_498_071),),
    )


def _cifar100() -> DatasetInfo:
    return replace(
        _cifar10(),
        name="cifar100",
        title="CIFAR-100",
        classes=CIFAR100_CLASSES,
        files=(("cifar-100-python.tar.gz", 169_001_437),),
    )


def _fashion_mnist() -> DatasetInfo:
    raw = "FashionMNIST/raw"
    return DatasetInfo(
        "fashion_mnist",
        "Fashion-MNIST",
        FASHION_MNIST_CLASSES,
        channels=1,
        image_size=28,
        train_images=60_000,
        test_images=10_000,
        source="Xiao et al. 2017, arXiv:1708.07747",
        licence="MIT",
        files=(
            (f"{raw}/train-images-idx3-ubyte.gz", 26_421_880),
            (f"{raw}/train-labels-idx1-ubyte.gz", 29_515),
            (f"{raw}/t10k-images-idx3-ubyte.gz", 4_422_102),
            (f"{raw}/t10k-labels-idx1-ubyte.gz", 5_148),
        ),
    )


_INFOS: dict[str, Callable[[], DatasetInfo]] = {
    "digits": _digits,
    "shapes": _shapes,
    "cifar10": _cifar10,
    "cifar100": _cifar100,
    "fashion_mnist": _fashion_mnist,
}
NAMES = tuple(_INFOS)


def info(name: str) -> DatasetInfo:
    """The data set called `name`, with texts in the reader's language.

    Raises:
        DataError: there is none of that name; an image folder is asked for by `describe`.
    """
    if name not in _INFOS:
        raise DataError(
            _("There is no data set {name!r}; choose one of: {names}.").format(
                name=name, names=", ".join(NAMES)
            )
        )
    return _INFOS[name]()


def describe(data: DataSpec) -> DatasetInfo:
    """What `data` holds; `image_size` is the size that `load` will give.

    An image folder is listed at every call, not decoded: 0.2 seconds for 60,000 files.

    Raises:
        DataError: an image folder is missing, or has no classes or no images.
    """
    if data.name != "folder":
        known = info(data.name)
        return replace(known, image_size=data.image_size or known.image_size)
    assert data.folder is not None  # DataSpec promises it
    listing = scan(data.folder)
    return DatasetInfo(
        "folder",
        listing.root.name,
        listing.classes,
        channels=3,
        image_size=data.image_size or FOLDER_IMAGE_SIZE,
        train_images=len(listing.train),
        test_images=len(listing.test),
        source=str(listing.root),
        licence=_("your own images"),
    )


def as_loaded(data: DataSpec, size: int) -> DataSpec:
    """The images to load for a net that takes `size` pixels a side; `images.resize` does the rest.

    Shapes are drawn at the net's size, as a training at that size has them, up to `DRAWN_PIXELS`;
    other named data come as they are published; a folder's images are decoded at the spec's size.
    """
    if data.name == "shapes":
        return replace(data, image_size=min(size, DRAWN_PIXELS))
    return replace(data, image_size=None) if data.folder is None else data


def is_present(data: DataSpec) -> bool:
    """Whether `load` can give these images without a download.

    A data set that was downloaded counts once its checksums have been verified and its images
    decoded, or when every file lies in its place with its right size (put there by hand; `load`
    then verifies it). A folder counts if it exists.
    """
    if data.name == "folder":
        assert data.folder is not None
        try:
            find_folder(data.folder)
        except DataError:
            return False
        return True
    files = info(data.name).files
    home = datasets_home() / data.name
    return (home / DECODED).is_file() or all(_has_size(home / path, n) for path, n in files)


def _has_size(path: Path, size_bytes: int) -> bool:
    try:
        return path.stat().st_size == size_bytes
    except OSError:
        return False


def list_folders() -> list[str]:
    """Names of the image folders in the data folder, for `DataSpec.folder`."""
    try:
        return sorted(
            entry.name
            for entry in folders_home().iterdir()
            if entry.is_dir() and not entry.name.startswith(".")
        )
    except OSError:
        return []
