"""The usual names of a ResNet's tensors, as this program names them.

Understood are this program's own names and those of the usual CIFAR and ImageNet ResNets
(akamaster/pytorch_resnet_cifar10, chenyaofo/pytorch-cifar-models, kuangliu/pytorch-cifar,
torchvision), with the prefixes that wrappers leave.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from torch import Tensor

from resnet_viz.i18n import _
from resnet_viz.nets.weights_file import WeightsError

PREFIXES = ("module.", "_orig_mod.", "model.", "net.")
_IGNORED = ("n_averaged",)  # a counter of torch.optim.swa_utils
_NAMED = 5  # tensors that a message names

# A name of the usual ResNets -> ours; a stage is counted from 1 there and from 0 here.
_BLOCK = r"layer(?P<stage>\d)\.(?P<block>\d+)\."
_USUAL = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"conv1\.(?P<what>\w+)", "stem.conv.{what}"),
        (r"bn1\.(?P<what>\w+)", "stem.norm.{what}"),
        (_BLOCK + r"conv(?P<n>\d)\.(?P<what>\w+)", "stages.{s}.{block}.branch.conv{n}.{what}"),
        (_BLOCK + r"bn(?P<n>\d)\.(?P<what>\w+)", "stages.{s}.{block}.branch.norm{n}.{what}"),
        (
            _BLOCK + r"(?:downsample|shortcut)\.0\.(?P<what>\w+)",
            "stages.{s}.{block}.shortcut.conv.{what}",
        ),
        (
            _BLOCK + r"(?:downsample|shortcut)\.1\.(?P<what>\w+)",
            "stages.{s}.{block}.shortcut.norm.{what}",
        ),
        (r"(?:fc|linear)\.(?P<what>\w+)", "head.linear.{what}"),
    )
)
_OWN = re.compile(r"(stem|stages|head)\.")


def own_names(tensors: Mapping[str, Tensor], name: str) -> tuple[dict[str, Tensor], bool]:
    """The tensors under this program's names, and whether they had the usual ones.

    Args:
        name: of the file, for messages.

    Raises:
        WeightsError: some have neither.
    """
    tensors = {key: value for key, value in tensors.items() if key not in _IGNORED}
    while prefix := next((p for p in PREFIXES if all(k.startswith(p) for k in tensors)), ""):
        tensors = {key.removeprefix(prefix): value for key, value in tensors.items()}
        if not tensors:
            break
    if any(_OWN.match(key) for key in tensors):
        return tensors, False
    names = {key: _translate(key) for key in tensors}
    taken = Counter(names.values())
    unknown = [key for key, own in names.items() if own is None or taken[own] > 1]
    if unknown:
        text = _("{file} has tensors that are not known here: {names}. {known}")
        raise WeightsError(text.format(file=name, names=few(unknown), known=supported()))
    return {str(names[key]): value for key, value in tensors.items()}, True


def _translate(name: str) -> str | None:
    for pattern, own in _USUAL:
        if found := pattern.fullmatch(name):
            parts = found.groupdict()
            return own.format(**parts, s=int(parts.get("stage", 1)) - 1)
    return None


def supported() -> str:
    """Which nets are known, for a person whose net is not."""
    return _(
        "Known are plain, residual and pre-activation nets of basic or bottleneck blocks, whose "
        "channels double from stage to stage, with the tensor names of this program, of "
        "torchvision or of the usual CIFAR ResNets."
    )


def few(names: Iterable[str]) -> str:
    """The first few names, each cut to a length that a message can hold."""
    names = list(names)
    more = ", …" if len(names) > _NAMED else ""
    return ", ".join(f"{name:.80}" for name in names[:_NAMED]) + more
