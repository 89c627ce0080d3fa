"""torchvision's ResNets with ImageNet weights: which there are, and where their files lie.

No torch: the page server offers these nets, and `nets.imagenet` opens their files. Addresses and
figures are torchvision's own and are held against it by the tests.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from resnet_viz.checks import check_choice
from resnet_viz.home import data_home
from resnet_viz.i18n import _
from resnet_viz.sources import Source
from resnet_viz.specs import NetSpec

PREFIX = "imagenet:"  # of their names as sources and as downloads
ADDRESS = "https://download.pytorch.org/models/"
IMAGE_SIZE = 224
NUM_CLASSES = 1000
_HASH = re.compile(r"-([0-9a-f]{8,64})\.pth$")


@dataclass(frozen=True)
class WeightsFile:
    """One published file of weights.

    Attributes:
        name: of the file; it ends in the first digits of its SHA-256.
        version: torchvision's name of these weights.
        mebibytes: its size, to three decimals.
        top1_error: fraction of the 50,000 validation images of ImageNet (ILSVRC 2012) on which
            its first guess is wrong, for one central crop of 224 pixels, as torchvision says.
        resize: to how many pixels the short side was brought before that crop.
    """

    name: str
    version: str
    mebibytes: float
    top1_error: float
    resize: int

    @property
    def url(self) -> str:
        """Where it is published."""
        return ADDRESS + self.name

    @property
    def size_bytes(self) -> int:
        """Its size, to about a thousand bytes."""
        return round(self.mebibytes * 2**20)

    @property
    def protocol(self) -> str:
        """How the error was measured, in words."""
        return _(
            "one central crop of {size} pixels after the short side was brought to {resize}; "
            "50,000 validation images"
        ).format(size=IMAGE_SIZE, resize=self.resize)


@dataclass(frozen=True)
class ImageNetNet:
    """A net of torchvision.

    Attributes:
        name: torchvision's: "resnet50".
        title: the papers': "ResNet-50".
        spec: of the same net of our blocks; a bottleneck's stride stands on its 3x3 convolution.
        files: weights that fit it. The first is the one that is downloaded.
    """

    name: str
    title: str
    spec: NetSpec
    files: tuple[WeightsFile, ...]


def _net(depth: int, blocks: tuple[int, ...], *files: WeightsFile) -> ImageNetNet:
    block = "basic" if depth < 50 else "bottleneck"
    spec = NetSpec("resnet", depth, block, "B", width=64, blocks=blocks, stem="imagenet")
    return ImageNetNet(f"resnet{depth}", f"ResNet-{depth}", spec, files)


_V1, _V2 = "IMAGENET1K_V1", "IMAGENET1K_V2"
NETS = {
    net.name: net
    for net in (
        _net(18, (2, 2, 2, 2), WeightsFile("resnet18-f37072fd.pth", _V1, 44.661, 0.30242, 256)),
        _net(34, (3, 4, 6, 3), WeightsFile("resnet34-b627a593.pth", _V1, 83.275, 0.26686, 256)),
        _net(
            50,
            (3, 4, 6, 3),
            WeightsFile("resnet50-11ad3fa6.pth", _V2, 97.79, 0.19142, 232),
            WeightsFile("resnet50-0676ba61.pth", _V1, 97.781, 0.2387, 256),
        ),
        _net(
            101,
            (3, 4, 23, 3),
            WeightsFile("resnet101-cd907fc2.pth", _V2, 170.53, 0.18114, 232),
            WeightsFile("resnet101-63fe2227.pth", _V1, 170.511, 0.22626, 256),
        ),
        _net(
            152,
            (3, 8, 36, 3),
            WeightsFile("resnet152-f82ba261.pth", _V2, 230.474, 0.17716, 232),
            WeightsFile("resnet152-394f9c45.pth", _V1, 230.434, 0.21688, 256),
        ),
    )
}


def imagenet_net(name: str) -> ImageNetNet:
    """The net of that name, with or without "imagenet:" before it.

    Raises:
        SpecError: there is none; the message names the nearest.
    """
    short = name.removeprefix(PREFIX)
    check_choice("ImageNet net", short, tuple(NETS))
    return NETS[short]


def weights_home() -> Path:
    """Folder into which weights are downloaded, or put by hand."""
    return data_home() / "nets"


def hub_home() -> Path:
    """Folder in which torch keeps what it downloads (`torch.hub.get_dir`)."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    torch_home = os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))
    return Path(os.path.expanduser(torch_home)) / "hub" / "checkpoints"


def find_weights(name: str) -> Path | None:
    """The net's file with weights: in the data folder, else in torch's cache; None if in neither.

    It is not opened or verified here.

    Raises:
        SpecError: there is no such net.
    """
    for file in imagenet_net(name).files:
        for folder in (weights_home(), hub_home()):
            if os.path.isfile(folder / file.name):  # False, too, where it may not be looked at
                return folder / file.name
    return None


def imagenet_source(name: str) -> Source:
    """The net as a source; without its file the path is "", and opening it says what to do.

    Raises:
        SpecError: there is no such net.
    """
    net, path = imagenet_net(name), find_weights(name)
    missing = Source("imagenet", PREFIX + net.name)
    if path is None:
        return missing
    try:
        about = path.stat()
    except OSError:  # it was removed in between
        return missing
    return replace(missing, path=str(path), fingerprint=f"{about.st_size}-{about.st_mtime_ns}")


def by_hand(name: str) -> str:
    """What a person can do where the download does not work."""
    return _(
        "You can also download {url} elsewhere and put it into place by hand: {path} (or {cache}, "
        "where torchvision keeps it). The included nets need no download."
    ).format(
        url=imagenet_net(name).files[0].url,
        path=weights_home() / imagenet_net(name).files[0].name,
        cache=hub_home() / imagenet_net(name).files[0].name,
    )


def missing_message(name: str) -> str:
    """That the weights of a net are not there, and what to do."""
    net = imagenet_net(name)
    return _(
        "The weights of {title} are not on this computer. Download them ({megabytes} MB) here or "
        "with: python -m resnet_viz download {name}. {by_hand}"
    ).format(
        title=net.title,
        megabytes=net.files[0].size_bytes // 10**6,
        name=PREFIX + net.name,
        by_hand=by_hand(name),
    )


def is_intact(path: Path) -> bool:
    """Whether a file's SHA-256 begins with the digits at the end of its name; False without any.

    Raises:
        OSError: it cannot be read.
    """
    about = path.stat()
    return _is_intact(path, about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=16)
def _is_intact(path: Path, _size_bytes: int, _modified: int) -> bool:
    """`is_intact`, asked again only of a file that has changed."""
    found = digest_of(path.name)
    if found is None:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().startswith(found)


def digest_of(file_name: str) -> str | None:
    """The first digits of a published file's SHA-256, out of its name; None if it has none."""
    found = _HASH.search(file_name)
    return found[1] if found else None
