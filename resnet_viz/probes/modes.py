"""A net lent to a probe comes back as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


@contextmanager
def preserved(net: nn.Module) -> Iterator[None]:
    """Lend a net: what is done to it inside is undone at the end, also after an error.

    Undone: training or evaluation mode of every module, values of buffers (a batch norm's
    running statistics), `requires_grad`, `.grad`, and hooks on modules. Inside, every `.grad`
    is None at first, so that a backward pass adds to nobody's gradients. Not undone: changes of
    the parameters, and hooks on tensors, which go with their graph.

    Args:
        net: left in the modes that it is in.
    """
    modules = [(module, module.training, _hooks(module)) for module in net.modules()]
    parameters = [(p, p.requires_grad, p.grad) for p in net.parameters()]
    buffers = [(buffer, buffer.clone()) for buffer in net.buffers()]
    for parameter, _, _ in parameters:
        parameter.grad = None
    try:
        yield
    finally:
        for module, training, hooks in modules:
            module.training = training  # not `train`, which sets the children's mode too
            for name, kept in hooks.items():
                found = vars(module)[name]
                found.clear()  # in place: the handles of its hooks refer to this object
                found.update(kept)
        for parameter, requires_grad, grad in parameters:
            parameter.requires_grad_(requires_grad)
            parameter.grad = grad
        with torch.no_grad():
            for buffer, value in buffers:
                buffer.copy_(value)


def _hooks(module: nn.Module) -> dict[str, dict[int, Any]]:
    """Every kind of hook that a module keeps, by the name of the attribute that holds them."""
    return {
        name: dict(value)
        for name, value in vars(module).items()
        if name.endswith(("_hooks", "_hooks_with_kwargs", "_hooks_always_called"))
        and isinstance(value, dict)
    }
