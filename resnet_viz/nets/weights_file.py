"""Tensors by name out of a file that nobody vouches for: safetensors or PyTorch.

Nothing in the file is run, and nothing is allocated that the file does not hold.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import psutil
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from resnet_viz.i18n import _
from resnet_viz.nets.pickles import PickleError, check_pickle
from resnet_viz.sources import MAX_BYTES

MAX_TENSORS = 20_000
# Memory at most while a file is opened, in sizes of the file: half precision is held beside its
# float32, and 130 MB took 408 MB.
_COPIES = 4
_MEMORY_SHARE = 0.5  # of what is free; the rest is for what trains meanwhile
# Under which training programs keep the weights in a larger dictionary.
WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "module", "weights")
_MAX_WRAPPERS = 4
_OLD_PICKLES = 5  # in a file of torch < 1.6: number, version, system, content, storages' keys

_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"
_FORBIDDEN = re.compile(r"GLOBAL ([\w.]+)")  # in torch's refusals


class WeightsError(ValueError):
    """A file whose weights cannot be used; the message says why and what would do."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, on the CPU, as it names them.

    Raises:
        WeightsError: missing, too large, damaged, neither safetensors nor PyTorch, a pickle that
            would run code, or without finite numbers of ordinary types.
    """
    check_size(path)
    try:
        with path.open("rb") as file:
            head = file.read(9)
    except OSError as error:
        _refuse(path, error.strerror or str(error))
    if not head:
        _refuse(path, _("it is empty"))
    if head[8:] == b"{":
        tensors = _read_safetensors(path)
    elif head.startswith((_ZIP, _PICKLE)):
        tensors = _read_pytorch(path, zipped=head.startswith(_ZIP))
    else:
        text = _("it is neither a safetensors file nor one that torch.save wrote")
        _refuse(path, text)
    check_tensors(tensors, path.name)
    return tensors


def check_size(path: Path) -> None:
    """Refuse a file that is larger than a net's may be.

    Raises:
        WeightsError: it is, or is not there.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        _refuse(path, error.strerror or str(error))
    if size > MAX_BYTES:
        _refuse(path, _("it has more than {n:.1f} GB").format(n=MAX_BYTES / 1e9))


def check_memory(size: int, name: str) -> None:
    """Refuse to open what takes more memory than there is to be had.

    Args:
        size: of a file, or of what it unpacks to, in bytes.
        name: of the file, for the message.

    Raises:
        WeightsError: saying how much it takes and how much there is.
    """
    free = _MEMORY_SHARE * psutil.virtual_memory().available
    if _COPIES * size > free:
        text = _(
            "{file} needs about {need:.1f} GB of memory while it is opened, and {free:.1f} GB can "
            "be used; choose a smaller net, or close other programs."
        )
        raise WeightsError(text.format(file=name, need=_COPIES * size / 1e9, free=free / 1e9))


def check_tensors(tensors: Mapping[str, Tensor], name: str) -> None:
    """Refuse tensors that are not plain finite numbers in memory, before anything is made of them.

    Raises:
        WeightsError: naming the first that is not, or saying that memory does not hold them.
    """
    if not 1 <= len(tensors) <= MAX_TENSORS:
        text = _("{file} holds {n} tensors; a net has 1 to {most}.")
        raise WeightsError(text.format(file=name, n=len(tensors), most=MAX_TENSORS))
    size = 0
    for key, tensor in tensors.items():
        plain = tensor.layout is torch.strided and tensor.device.type == "cpu"
        if not plain or tensor.is_quantized or tensor.is_nested or tensor.is_complex():
            text = _("{file}: {tensor!r:.100} is not an ordinary tensor of numbers.")
            raise WeightsError(text.format(file=name, tensor=key))
        size += tensor.numel() * tensor.element_size()  # a view may be far larger than its storage
        if size > MAX_BYTES:
            text = _("{file}: its tensors would take more than {n:.1f} GB.")
            raise WeightsError(text.format(file=name, n=MAX_BYTES / 1e9))
    check_memory(size, name)
    for key, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor.float()).all()):
            text = _("{file}: {tensor!r:.100} has values that are not finite numbers.")
            raise WeightsError(text.format(file=name, tensor=key))


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError, RuntimeError, KeyError) as error:
        _refuse(path, str(error))


def _read_pytorch(path: Path, *, zipped: bool) -> dict[str, Tensor]:
    try:
        if zipped:
            _check_archive(path)
        else:
            _check_old_file(path)
    except PickleError as error:
        _refuse(path, str(error))
    except WeightsError:
        raise
    except Exception as error:  # noqa: BLE001 - a made-up archive can fail in any way
        _refuse(path, _("it is damaged or cut off ({error:.200})").format(error=str(error)))
    try:
        with warnings.catch_warnings():  # torch's, about files that are then refused
            warnings.simplefilter("ignore")
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - a made-up pickle can fail in any way
        _refuse(path, _reason(str(error)))
    tensors = _unwrap(found)
    if not tensors:
        names = found if isinstance(found, Mapping) else ()
        keys = ", ".join([name for name in names if isinstance(name, str)][:8])
        text = _("it holds no dictionary of tensors by name {keys:.200}")
        _refuse(path, text.format(keys=f"({keys})" if keys else "").rstrip())
    return tensors


def _check_archive(path: Path) -> None:
    """PyTorch's archives are not compressed, so that one whose parts are is a bomb."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        size = sum(part.file_size for part in parts)
        if size > MAX_BYTES:
            text = _("its parts unpack to more than {n:.1f} GB")
            raise PickleError(text.format(n=MAX_BYTES / 1e9))
        check_memory(size, path.name)
        if any(part.filename.endswith("/constants.pkl") for part in parts):
            text = _("it is a TorchScript program; save the weights: {how}")
            raise PickleError(text.format(how="torch.save(net.state_dict(), …)"))
        for part in parts:
            if part.filename.lower().endswith(".pkl"):
                with archive.open(part) as file:
                    check_pickle(file)


def _check_old_file(path: Path) -> None:
    with path.open("rb") as file:
        for _pickle in range(_OLD_PICKLES):
            if file.peek(1):  # torch will say what is missing
                check_pickle(file)


def _reason(error: str) -> str:
    """Why torch did not open a file, for a person."""
    forbidden = _FORBIDDEN.search(error)
    if forbidden:
        return _(
            "it is a pickle that would run code on being opened: it calls {name}. Only weights are "
            "read here. Save them with torch.save(net.state_dict(), …) or as safetensors"
        ).format(name=forbidden[1])
    if "Unsupported operand" in error:
        return _(
            "it is a pickle of another kind than torch.save writes, and could run code on being "
            "opened. Save the weights with torch.save(net.state_dict(), …) or as safetensors"
        )
    return _("it is damaged, cut off, or not a file of weights ({error:.200})").format(
        error=error.rpartition("WeightsUnpickler error: ")[2].strip().partition("\n")[0]
    )


def _unwrap(found: Any) -> dict[str, Tensor]:
    """The tensors of the dictionary in which the weights are; {} if there is none."""
    for _level in range(_MAX_WRAPPERS):
        if not isinstance(found, Mapping):
            return {}
        inner = [found[key] for key in WRAPPERS if isinstance(found.get(key), Mapping)]
        if not inner:
            break
        found = inner[0]
    return {k: v for k, v in found.items() if isinstance(k, str) and isinstance(v, Tensor)}


def _refuse(path: Path, reason: str) -> NoReturn:
    text = _("{file} cannot be opened: {reason}.")
    raise WeightsError(text.format(file=path.name, reason=reason)) from None
