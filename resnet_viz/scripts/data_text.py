"""The data of a script: where its images come from, their order, and their augmentation.

The numbers drawn here are those of `resnet_viz.datasets`: the same split, the same batches,
the same crops and mirrored images.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from importlib.resources import files

from resnet_viz.scripts.templates import fill
from resnet_viz.specs import DataSpec

FOLDER_IMAGE_SIZE = 32


@dataclass(frozen=True)
class Source:
    """Where a script's images come from.

    Attributes:
        title: in the sentence "<net> on <title>".
        read: source of `read_images()`.
        imports: lines that `read` needs.
        packages: what pip installs beside torch.
        channels: 1 (grey) or 3 (colour).
        classes: how many; None where only the data can say.
        own_size: side of the images in pixels; None where `read` makes them at any size.
        more: source that stands below the main program.
    """

    title: str
    read: str
    imports: tuple[str, ...]
    packages: tuple[str, ...]
    channels: int = 3
    classes: int | None = 10
    own_size: int | None = None
    more: str = field(default="", repr=False)


_DIGITS = '''
def read_images():
    """Scikit-learn's 8x8 digits: 1,437 to train on; every fifth of each class is for the test."""
    digits = load_digits()
    images = torch.from_numpy(np.rint(digits.images * (255 / 16)).astype(np.uint8))[:, None]
    labels = torch.from_numpy(digits.target).long()
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(1998))
    order = order[torch.argsort(labels[order], stable=True)]
    is_test = torch.arange(len(order)) % 5 == 0
    train, test = order[~is_test], order[is_test]
    return (images[train], labels[train]), (images[test], labels[test])
'''

_SHAPES = '''
def read_images():
    """5,000 drawn shapes to train on and 1,000 for the test; see `draw` below."""
    parts = []
    for count, seed in ((5000, _TRAIN_SEED), (1000, _TEST_SEED)):
        labels = np.arange(count) % CLASSES
        images = draw(labels, IMAGE_SIZE, seed).images
        parts.append((torch.from_numpy(images), torch.from_numpy(labels).long()))
    return parts
'''

_COLOUR = '''
def read_images():
    """Downloads the images into the folder data/ on the first call."""
    parts = []
    for train in (True, False):
        part = datasets.$kind("data", train=train, download=True)
        images = torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous()
        parts.append((images, torch.tensor(part.targets)))
    return parts
'''

_GREY = '''
def read_images():
    """Downloads the images into the folder data/ on the first call."""
    parts = []
    for train in (True, False):
        part = datasets.$kind("data", train=train, download=True)
        parts.append((part.data[:, None], part.targets))
    return parts
'''

_FOLDER = '''
EXTENSIONS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")


def list_images(folder):
    """Names of the folder's class folders, and (path, class name) of their images."""
    classes = sorted(c.name for c in folder.iterdir() if c.is_dir() and c.name[0] != ".")
    listed = []
    for name in classes:
        paths = sorted((folder / name).iterdir(), key=lambda path: path.name)
        images = (p for p in paths if p.suffix.lower() in EXTENSIONS and p.name[0] != ".")
        listed += [(path, name) for path in images]
    return classes, listed


def read_image(path):
    """Centre square of an image, scaled: uint8 (3, size, size).

    resnet_viz also takes transparent and 16-bit images, and leaves out broken ones.
    """
    with Image.open(path) as image:
        image.draft(None, (2 * IMAGE_SIZE, 2 * IMAGE_SIZE))  # decode a large JPEG in part
        image = ImageOps.exif_transpose(image).convert("RGB")
    side = min(image.size)
    x, y = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((x, y, x + side, y + side))
    image = image.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def read_images(folder):
    """Images of train/<class>/ and test/<class>/, or of <class>/, of which a fifth is the test."""
    has_parts = (folder / "train").is_dir()
    classes, train = list_images(folder / "train" if has_parts else folder)
    has_test = has_parts and (folder / "test").is_dir()
    test = list_images(folder / "test")[1] if has_test else []
    if not test:
        shuffler, members, train = random.Random(20151210), train, []
        for name in classes:
            of_class = [image for image in members if image[1] == name]
            shuffler.shuffle(of_class)
            n_test = max(1, round(0.2 * len(of_class))) if len(of_class) > 1 else 0
            test, train = test + of_class[:n_test], train + of_class[n_test:]
    parts = []
    for part in (train, test):
        images = [read_image(path) for path, _ in part]
        labels = torch.tensor([classes.index(name) for _, name in part])
        parts.append((torch.stack(images).contiguous(), labels))
    return classes, parts
'''

_LOAD = '''
def load_data($folder):
    """Name of each part -> uint8 images (n, channels, size, size) and int64 labels (n,)."""
    $read
    # A constant random order, the same for every run and seed.
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(151203385))
    images, labels = images[order], labels[order]
    $resize
    $split
    return $result
'''

_RESIZE = """
images, test_images = (
    F.interpolate(x, (IMAGE_SIZE, IMAGE_SIZE), mode="bilinear", antialias=True)
    for x in (images, test_images)
)
"""

_SPLIT = """
n = len(labels) - VAL_IMAGES
val, images, labels = (images[n:], labels[n:]), images[:n], labels[:n]
"""

_BATCHES = '''
def random_numbers(purpose, counter):
    """A generator for one purpose and step; splitmix64 (Steele et al. 2014) mixes its seed."""
    state = 0
    for value in (SEED, purpose, counter):
        state = (state + value + 0x9E3779B97F4A7C15) % 2**64
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB % 2**64
        state ^= state >> 31
    return torch.Generator().manual_seed(state)


def batches(n):
    """Indices of the images of each step: shuffled epochs in one row, cut into full batches."""
    waiting = torch.empty(0, dtype=torch.int64)
    for epoch in itertools.count():
        order = torch.randperm(n, generator=random_numbers(1, epoch))
        waiting = torch.cat([waiting, order])
        while len(waiting) >= BATCH_SIZE:
            yield waiting[:BATCH_SIZE]
            waiting = waiting[BATCH_SIZE:]
'''

_AUGMENT = '''


def augment(images, step):
    """$title"""
    generator = random_numbers(2, step)
    $body
'''

_CROP = """
corners = torch.randint(0, 2 * CROP_PADDING + 1, (2, len(images)), generator=generator)
size, padded = images.shape[-1], F.pad(images, [CROP_PADDING] * 4)
crops = zip(padded, *corners.tolist(), strict=True)
$result torch.stack([image[:, y : y + size, x : x + size] for image, y, x in crops])
"""

_FLIP = """
mirrored = torch.rand(len(images), generator=generator) < 0.5
return torch.where(mirrored[:, None, None, None], images.flip(-1), images)
"""


def source(data: DataSpec) -> Source:
    """Where the images of `data` come from."""
    imports: tuple[str, ...]
    packages: tuple[str, ...]
    if data.name == "digits":
        imports = ("import numpy as np", "from sklearn.datasets import load_digits")
        title = "scikit-learn's handwritten digits"
        return Source(title, _DIGITS, imports, ("scikit-learn",), channels=1, own_size=8)
    if data.name == "shapes":
        imports = (
            "import numpy as np",
            "from dataclasses import dataclass",
            "from numpy.typing import NDArray",
        )
        return Source("drawn shapes", _SHAPES, imports, ("numpy",), more=_shapes_source())
    if data.name == "folder":
        imports = (
            "import random",
            "import numpy as np",
            "from pathlib import Path",
            "from PIL import Image, ImageOps",
        )
        packages = ("numpy", "pillow")
        return Source("a folder of images", _FOLDER, imports, packages, classes=None)
    kind, title, classes, channels, size = {
        "cifar10": ("CIFAR10", "CIFAR-10", 10, 3, 32),
        "cifar100": ("CIFAR100", "CIFAR-100", 100, 3, 32),
        "fashion_mnist": ("FashionMNIST", "Fashion-MNIST", 10, 1, 28),
    }[data.name]
    read = fill(_COLOUR if channels == 3 else _GREY, kind=kind)
    imports, packages = ("from torchvision import datasets",), ("torchvision",)
    return Source(title, read, imports, packages, channels, classes, own_size=size)


def resizes(data: DataSpec) -> bool:
    """Whether the images are scaled after they were read."""
    own_size = source(data).own_size
    return own_size is not None and data.image_size not in (None, own_size)


def data_text(data: DataSpec) -> str:
    """Source of `load_data`, `batches` and, where there is augmentation, `augment`."""
    folder = data.name == "folder"
    scaled = resizes(data)
    parts = "(images, labels), (test_images, test_labels)" if scaled else "(images, labels), test"
    test = "(test_images, test_labels)" if scaled else "test"
    val = '"val": val, ' if data.val_images else ""
    load = fill(
        _LOAD,
        folder="folder" if folder else "",
        read=f"classes, ({parts}) = read_images(folder)" if folder else f"{parts} = read_images()",
        resize=_RESIZE if scaled else "",
        split=_SPLIT if data.val_images else "",
        result=("classes, " if folder else "")
        + f'{{"train": (images, labels), {val}"test": {test}}}',
    )
    return "\n\n\n".join(
        [source(data).read.strip("\n"), load, _BATCHES.strip("\n") + _augment(data)]
    )


def _augment(data: DataSpec) -> str:
    if not data.crop_padding and not data.flip:
        return ""
    titles = {
        (True, True): "Random crops of the zero-padded images; half of them are mirrored.",
        (True, False): "Random crops of the zero-padded images.",
        (False, True): "Half of the images are mirrored.",
    }
    crop = fill(_CROP, result="images =" if data.flip else "return") if data.crop_padding else ""
    body = "\n".join(part.strip("\n") for part in (crop, _FLIP if data.flip else "") if part)
    title = titles[bool(data.crop_padding), data.flip]
    return "\n\n\n" + fill(_AUGMENT, title=title, body=body)


def _shapes_source() -> str:
    """The generator of the drawn shapes: datasets/shapes.py without what ties it to the package."""
    text = files("resnet_viz").joinpath("datasets", "shapes.py").read_text("utf-8")
    lines, tree = text.splitlines(), ast.parse(text)
    for node in reversed(tree.body):
        if _ties(node):
            assert node.end_lineno is not None
            del lines[node.lineno - 1 : node.end_lineno]
    kept = "\n".join(lines)
    kept = kept.replace(
        "assert tuple(_OUTLINES) == SHAPES_CLASSES", "SHAPES_CLASSES = tuple(_OUTLINES)"
    )
    return re.sub(r"\n{4,}", "\n\n\n", kept).strip("\n")


def _ties(node: ast.stmt) -> bool:
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    names = [t.id for t in getattr(node, "targets", []) if isinstance(t, ast.Name)]
    if isinstance(node, ast.FunctionDef):
        names.append(node.name)
    unwanted = {"make_shapes", "FINGERPRINT"} & set(names)
    return docstring or isinstance(node, ast.Import | ast.ImportFrom) or bool(unwanted)
