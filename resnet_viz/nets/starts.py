"""Files of weights with which a run begins, kept under the SHA-256 of their bytes.

They lie in the folder "starts" of the data folder. A file goes when the last sweep that has a run
with it is deleted (`RunStore.delete_sweep`); an exported sweep carries its own.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors, save as save_tensors
from torch import Tensor, nn

from resnet_viz.i18n import _
from resnet_viz.nets.start_files import StartError, start_path


def write_start(net: nn.Module) -> str:
    """Keep the weights and buffers of a net; equal ones once.

    Returns:
        What `RunSpec.start` takes.

    Raises:
        StartError: the file cannot be written.
    """
    tensors = {name: t.detach().cpu().contiguous() for name, t in net.state_dict().items()}
    data = save_tensors(tensors)
    start = hashlib.sha256(data).hexdigest()
    path = start_path(start)
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        os.replace(part, path)  # also over an equal one, whose age then begins anew
    except OSError as error:
        text = _("The weights to start from cannot be kept in {folder}: {reason}")
        reason = error.strerror or str(error)
        raise StartError(text.format(folder=path.parent, reason=reason)) from error
    finally:
        part.unlink(missing_ok=True)
    return start


def read_start(start: str) -> dict[str, Tensor]:
    """The tensors of a file that `write_start` has kept; it is not trusted.

    Raises:
        StartError: it is missing, or its bytes are not those of its name.
    """
    return _tensors(start_path(start), start)


def _tensors(path: Path, start: str) -> dict[str, Tensor]:
    try:
        data = path.read_bytes()
    except OSError as error:
        text = _(
            "The weights that this run starts from are gone ({file}: {reason}). Import the sweep "
            "again from its archive, or start it anew from the page Residual blocks."
        )
        reason = error.strerror or str(error)
        raise StartError(text.format(file=f"{start[:12]}…", reason=reason)) from None
    if hashlib.sha256(data).hexdigest() != start:
        text = _("The file of weights {file} is damaged: its bytes are not those of its name.")
        raise StartError(text.format(file=path.name))
    try:
        return dict(load_tensors(data))
    except (SafetensorError, ValueError) as error:
        text = _("{file} is no file of weights: {error:.200}")
        raise StartError(text.format(file=path.name, error=" ".join(str(error).split()))) from None


def load_start(net: nn.Module, start: str, name: str) -> None:
    """Give a net the weights and buffers of a kept file.

    Args:
        net: gets them in its own number format.
        name: of the net, for messages.

    Raises:
        StartError: as `read_start`, or the file is of another net.
    """
    tensors = read_start(start)
    try:
        net.load_state_dict(tensors)
    except (RuntimeError, ValueError, TypeError) as error:
        text = _("The weights that this run starts from do not fit {net}: {error:.300}")
        raise StartError(text.format(net=name, error=" ".join(str(error).split()))) from None
