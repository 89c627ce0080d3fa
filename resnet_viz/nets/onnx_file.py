"""A net as an ONNX file, for other programs that run or draw nets."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from importlib.util import find_spec
from pathlib import Path

import torch

from resnet_viz.architectures import Architecture, file_stem
from resnet_viz.home import data_home
from resnet_viz.i18n import _
from resnet_viz.nets.architectures import build_architecture


class OnnxError(ValueError):
    """No ONNX file can be made; the message says why and what would do."""


def write_onnx(net: Architecture, seed: int = 0) -> Path:
    """Write exports/NAME-KEY.onnx in the data folder: the net with fresh weights, any batch size.

    Input "images" (batch, channels, height, width), output "logits" (batch, classes); in
    evaluation mode. The file is written whole or not at all.

    Args:
        seed: of the weights.

    Raises:
        OnnxError: the package onnx is missing, or the folder cannot be written.
    """
    if find_spec("onnx") is None:
        text = _("An ONNX file needs the package onnx, which is not installed: {command}")
        raise OnnxError(text.format(command="pip install onnx"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        built = build_architecture(net).eval()
        image = torch.randn(2, *net.image_shape)
    key = hashlib.sha256(json.dumps([net.to_dict(), seed], sort_keys=True).encode()).hexdigest()
    path = data_home() / "exports" / f"{file_stem(net.title)}-{key[:8]}.onnx"
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            # The exporter that torch now prefers also needs onnxscript, and takes 13 s for
            # resnet-20 where this one takes 0.4 (torch 2.14, one core).
            warnings.simplefilter("ignore")
            torch.onnx.export(
                built,
                (image,),
                str(partial),
                dynamo=False,
                input_names=["images"],
                output_names=["logits"],
                dynamic_axes={"images": {0: "batch"}, "logits": {0: "batch"}},
            )
        partial.replace(path)
    except OSError as error:
        text = _("{path} cannot be written: {reason}.")
        raise OnnxError(text.format(path=path, reason=error.strerror or error)) from None
    finally:
        partial.unlink(missing_ok=True)
    return path
