"""Nets out of files of weights alone.

Their spec is read off the names (`foreign_names`) and shapes (`foreign_spec`) of the tensors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from resnet_viz.i18n import _
from resnet_viz.layers import blocks_of
from resnet_viz.nets.build import Net
from resnet_viz.nets.foreign_names import few, own_names, supported
from resnet_viz.nets.foreign_spec import matrix, read_spec
from resnet_viz.nets.weights_file import WeightsError
from resnet_viz.specs import LAYERS_PER_BLOCK, NetSpec, SpecError

MAX_CLASSES = 100_000  # of each of which a page shows the name


@dataclass(frozen=True, eq=False)
class ForeignNet:
    """A net of which a file held nothing but the weights.

    Attributes:
        net: with these weights, float32.
        classes: how many.
        channels: of its input.
        notes: what was assumed, for a person.
    """

    net: Net
    classes: int
    channels: int
    notes: tuple[str, ...]


def make_net(tensors: Mapping[str, Tensor], name: str) -> ForeignNet:
    """The net that has these weights.

    Args:
        tensors: checked (`weights_file.check_tensors`).
        name: of the file, for messages.

    Raises:
        WeightsError: they are not those of a net that this program knows.
    """
    tensors, usual = own_names(tensors, name)
    try:
        spec, notes = read_spec(tensors)
        weights = _complete(tensors)
        if usual and spec.family == "resnet" and spec.shortcut == "A":
            weights = _renumber(weights, spec)
            notes += (_padding_note(),)
        classes, channels = _outer_shapes(tensors)
        with torch.device("meta"):
            net = Net(spec, classes, channels)
        _check_fit(net, weights)
    except (SpecError, WeightsError) as error:
        text = _("{file} holds weights, but not of a net that is known here: {reason}. {known}")
        raise WeightsError(text.format(file=name, reason=error, known=supported())) from None
    net.load_state_dict(weights, assign=True)
    return ForeignNet(net, classes, channels, notes)


def _outer_shapes(tensors: Mapping[str, Tensor]) -> tuple[int, int]:
    """How many classes and input channels."""
    classes = matrix(tensors, "head.linear.weight", 2).shape[0]
    if classes > MAX_CLASSES:
        text = _("it has {n:,} classes; at most {most:,} are opened")
        raise WeightsError(text.format(n=classes, most=MAX_CLASSES))
    channels = tensors["stem.conv.weight"].shape[1]
    if channels not in (1, 3):
        text = _("it takes images of {n} channels; 1 and 3 are known")
        raise WeightsError(text.format(n=channels))
    return classes, channels


def _complete(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in float32, with the batch counters that older files lack."""
    weights = {k: v.detach().float() if v.is_floating_point() else v for k, v in tensors.items()}
    for key in tensors:
        if key.endswith(".running_mean"):
            counter = key.removesuffix("running_mean") + "num_batches_tracked"
            weights.setdefault(counter, torch.tensor(0))
    return weights


def _padding_note() -> str:
    return _(
        "Shortcuts assumed to pad zeros half before and half after the channels, as the usual "
        "CIFAR ResNets do. Channels are renumbered so that all zeros come last, as in He et al. "
        "2015; the net's answers are the same."
    )


def _renumber(weights: Mapping[str, Tensor], spec: NetSpec) -> dict[str, Tensor]:
    """Weights of the same net with its zero-padded channels last instead of on both sides.

    `order[i]` is the channel in the file that channel i of the residual stream is here.
    """
    out = dict(weights)
    order = torch.arange(spec.width)
    last = LAYERS_PER_BLOCK[spec.block]
    for block in blocks_of(spec):
        path = f"{block.module}.branch"
        _pick(out, f"{path}.conv1.weight", 1, order)
        if block.c_out != block.c_in:
            before = (block.c_out - block.c_in) // 2
            after = torch.arange(before + block.c_in, block.c_out)
            order = torch.cat([before + order, torch.arange(before), after])
        for key in (f"{path}.conv{last}.", f"{path}.norm{last}."):
            for name in [n for n in out if n.startswith(key) and out[n].dim()]:
                _pick(out, name, 0, order)
    _pick(out, "head.linear.weight", 1, order)
    return out


def _pick(weights: dict[str, Tensor], name: str, axis: int, order: Tensor) -> None:
    tensor = weights.get(name)
    if tensor is not None and tensor.dim() > axis and tensor.shape[axis] == len(order):
        weights[name] = tensor.index_select(axis, order)  # else _check_fit will say what is wrong


def _check_fit(net: Net, weights: Mapping[str, Tensor]) -> None:
    expected = net.state_dict()
    if unknown := [key for key in weights if key not in expected]:
        raise WeightsError(_("it has also {names}").format(names=few(unknown)))
    if missing := [key for key in expected if key not in weights]:
        raise WeightsError(_("it lacks {names}").format(names=few(missing)))
    for key, tensor in expected.items():
        if weights[key].shape != tensor.shape:
            text = _("{tensor} is {found}, where {net} of width {width} has {wanted}")
            raise WeightsError(
                text.format(
                    tensor=key,
                    found=_shape(weights[key]),
                    net=net.spec.name,
                    width=net.spec.width,
                    wanted=_shape(tensor),
                )
            )
        if weights[key].is_floating_point() != tensor.is_floating_point():
            text = _("{tensor} holds numbers of another kind than weights")
            raise WeightsError(text.format(tensor=key))


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "1"
