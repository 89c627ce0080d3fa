"""Nets out of files, and what their files say of them: our own checkpoints and other people's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from resnet_viz.analysis.trained import restore
from resnet_viz.datasets.catalogue import (
    CIFAR10_CLASSES,
    CIFAR100_CLASSES,
    FOLDER_IMAGE_SIZE,
    info,
)
from resnet_viz.i18n import _
from resnet_viz.nets.build import Net, count_parameters
from resnet_viz.nets.foreign import MAX_CLASSES, ForeignNet, make_net
from resnet_viz.nets.imagenet import class_names
from resnet_viz.nets.imagenet_files import IMAGE_SIZE as IMAGENET_SIZE
from resnet_viz.nets.weights_file import check_size, check_tensors, read_weights
from resnet_viz.sources import STATISTICS, NetCard
from resnet_viz.specs import DataSpec, RunSpec
from resnet_viz.training.checkpoint import Checkpoint, CheckpointError

MAX_CLASS_CHARS = 200
# Of an image's statistics, whose pixels are fractions; beyond, float32 would hold no finite pixel.
MAX_MEAN, MIN_STD, MAX_STD = 1e3, 1e-6, 1e3


def trained_net(found: Checkpoint, run: RunSpec, title: str, name: str) -> tuple[Net, NetCard]:
    """The net of a checkpoint of this program, whose contents are not trusted.

    Args:
        run: of which it is.
        title: of the card.
        name: of the file, for messages.

    Raises:
        CheckpointError, WeightsError: it is not such a checkpoint.
    """
    tensors = {
        key: tensor.float() if tensor.is_floating_point() else tensor
        for key, tensor in found.tensors.items()
        if key.startswith("net.")
    }
    check_tensors(tensors, name)
    classes, mean, std = _read_meta(found.meta, name)
    net = restore(Checkpoint(found.step, tensors), run.net, len(classes), len(mean))
    card = NetCard(
        title=title,
        net=run.net,
        classes=classes,
        image_size=_image_size(run.data),
        channels=len(mean),
        mean=mean,
        std=std,
        parameters=count_parameters(net),
        step=found.step,
        data=run.data,
        trained_on=data_words(run.data),
    )
    return net, card


def _read_meta(
    meta: Mapping[str, Any], name: str
) -> tuple[tuple[str, ...], tuple[float, ...], tuple[float, ...]]:
    """Classes, mean and standard deviation, checked."""
    classes: Any = meta.get("classes")
    mean: Any = meta.get("mean")
    std: Any = meta.get("std")
    named = (
        isinstance(classes, list)
        and 1 <= len(classes) <= MAX_CLASSES
        and all(isinstance(c, str) and 0 < len(c) <= MAX_CLASS_CHARS for c in classes)
    )
    measured = (
        _are_numbers(mean, -MAX_MEAN, MAX_MEAN)
        and _are_numbers(std, MIN_STD, MAX_STD)
        and len(mean) == len(std) in (1, 3)
    )
    if not named or not measured:
        text = _("{file} does not say for which classes and colours of images its net is made.")
        raise CheckpointError(text.format(file=name))
    return tuple(classes), tuple(map(float, mean)), tuple(map(float, std))


def _are_numbers(values: object, low: float, high: float) -> bool:
    return isinstance(values, list) and all(
        isinstance(v, int | float) and not isinstance(v, bool) and low <= v <= high for v in values
    )


def _image_size(data: DataSpec) -> int:
    if data.image_size is not None:
        return data.image_size
    return FOLDER_IMAGE_SIZE if data.name == "folder" else info(data.name).image_size


def data_words(data: DataSpec) -> str:
    """What a net was trained on, for a person."""
    if data.folder is not None:
        return _("the images of the folder {name}").format(name=Path(data.folder).name)
    return info(data.name).title


def file_net(path: Path, name: str, statistics: str) -> tuple[Net, NetCard]:
    """The net of a file that a person brings: a checkpoint of this program, or weights alone.

    Args:
        name: of the file, for the card.
        statistics: one of `STATISTICS`; "" for the file's own, or ImageNet's if it has none.

    Raises:
        WeightsError, CheckpointError, SpecError: it cannot be opened; the message says why.
    """
    check_size(path)
    if _is_ours(path):
        return _our_net(path, name, statistics)
    return _foreign_net(read_weights(path), path, name, statistics)


def _is_ours(path: Path) -> bool:
    try:
        with safe_open(path, "pt") as file:
            return "resnet_viz" in (file.metadata() or {})
    except (OSError, SafetensorError):  # a PyTorch file, or one that `read_weights` refuses
        return False


def _our_net(path: Path, name: str, statistics: str) -> tuple[Net, NetCard]:
    found = Checkpoint.load(path)
    run = RunSpec.from_dict(found.meta.get("spec"))
    net, card = trained_net(found, run, f"{run.net.name} ({name})", path.name)
    changes: dict[str, Any] = {}
    if run.data.folder is not None:  # of the computer that trained it, not of this one
        changes = {"data": None, "trained_on": _("the images of a folder")}
    if statistics and card.channels == len(STATISTICS[statistics][0]):
        mean, std = STATISTICS[statistics]
        notes = (_("Images are normalised as chosen, not as the file says."),)
        changes |= {"mean": mean, "std": std, "notes": notes}
    return net, replace(card, **changes)


def _foreign_net(
    tensors: Mapping[str, Tensor], path: Path, name: str, statistics: str
) -> tuple[Net, NetCard]:
    found = make_net(tensors, path.name)
    net = found.net
    mean, std = _statistics(found.channels, statistics or "imagenet")
    classes, classes_note = _class_names(found)
    notes = (*found.notes, classes_note, *([] if statistics else [_statistics_note()]))
    card = NetCard(
        title=f"{net.spec.name} ({name})",
        net=net.spec,
        classes=classes,
        image_size=IMAGENET_SIZE if net.spec.stem == "imagenet" else 32,
        channels=found.channels,
        mean=mean,
        std=std,
        parameters=count_parameters(net),
        notes=notes,
    )
    return net, card


def _statistics(channels: int, name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation a channel; of a grey net, the mean of the colours'."""
    mean, std = STATISTICS[name]
    if channels == 3:
        return mean, std
    return (sum(mean) / 3,), (sum(std) / 3,)


def _statistics_note() -> str:
    return _(
        "The file does not say how images were normalised in training: with ImageNet's mean and "
        "standard deviation, it is assumed. With others than it was trained with, a net errs more."
    )


def _class_names(found: ForeignNet) -> tuple[tuple[str, ...], str]:
    """Names of the classes by their number alone, and what was assumed."""
    assumed = _("Classes assumed to be those of {data} in their usual order.")
    if found.classes == 10:
        return CIFAR10_CLASSES, assumed.format(data="CIFAR-10")
    if found.classes == 100:
        return CIFAR100_CLASSES, assumed.format(data="CIFAR-100")
    if found.classes == 1000:
        return class_names(), assumed.format(data="ImageNet")
    numbered = tuple(f"class {number}" for number in range(found.classes))
    return numbered, _("The file does not name its classes; they are numbered.")
