"""Nets out of files of weights alone: their spec is read off the names and shapes of the tensors.

Understood are this program's own names and those of the usual CIFAR and ImageNet ResNets
(akamaster/pytorch_resnet_cifar10, chenyaofo/pytorch-cifar-models, kuangliu/pytorch-cifar,
torchvision), with the prefixes that wrappers leave.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from resnet_viz.i18n import _
from resnet_viz.layers import blocks_of
from resnet_viz.nets.build import Net
from resnet_viz.nets.weights_file import WeightsError
from resnet_viz.specs import LAYERS_PER_BLOCK, SHORTCUTS, NetSpec, SpecError

PREFIXES = ("module.", "_orig_mod.", "model.", "net.")
_IGNORED = ("n_averaged",)  # a counter of torch.optim.swa_utils
_NAMED = 5  # tensors that a message names
MAX_CLASSES = 100_000  # of each of which a page shows the name

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
_OWN_BLOCK = re.compile(r"stages\.(\d+)\.(\d+)\.")
_OWN_CONV = re.compile(r"stages\.(\d+)\.(\d+)\.branch\.conv(\d)\.weight")


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
    tensors, usual = _own_names(tensors, name)
    try:
        spec, notes = _read_spec(tensors)
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
        raise WeightsError(text.format(file=name, reason=error, known=_supported())) from None
    net.load_state_dict(weights, assign=True)
    return ForeignNet(net, classes, channels, notes)


def _supported() -> str:
    return _(
        "Known are plain, residual and pre-activation nets of basic or bottleneck blocks, whose "
        "channels double from stage to stage, with the tensor names of this program, of "
        "torchvision or of the usual CIFAR ResNets."
    )


# --- names ---


def _own_names(tensors: Mapping[str, Tensor], name: str) -> tuple[dict[str, Tensor], bool]:
    """The tensors under this program's names, and whether they had the usual ones."""
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
        raise WeightsError(text.format(file=name, names=_few(unknown), known=_supported()))
    return {str(names[key]): value for key, value in tensors.items()}, True


def _translate(name: str) -> str | None:
    for pattern, own in _USUAL:
        if found := pattern.fullmatch(name):
            parts = found.groupdict()
            return own.format(**parts, s=int(parts.get("stage", 1)) - 1)
    return None


# --- spec ---


def _read_spec(tensors: Mapping[str, Tensor]) -> tuple[NetSpec, tuple[str, ...]]:
    """The spec of a net with these tensors, and what could not be told from them."""
    stem = _matrix(tensors, "stem.conv.weight", 4)
    kernel = stem.shape[-1]
    if kernel not in (3, 7):
        text = _("its first convolution has a {k}×{k} kernel; 3×3 and 7×7 are known")
        raise WeightsError(text.format(k=kernel))
    blocks = _blocks_per_stage(tensors)
    block = _block_kind(tensors)
    preact = any(key.startswith(("head.norm", "head.before_relu")) for key in tensors)
    depth = LAYERS_PER_BLOCK[block] * sum(blocks) + 2
    normed = any(re.search(r"norm\d?\.", key) for key in tensors)
    fixup = any("before_" in key for key in tensors)
    spec = NetSpec(
        family="preact" if preact else "resnet",
        depth=depth,
        block=block,
        width=stem.shape[0],
        blocks=None if len(blocks) == 3 and len(set(blocks)) == 1 else blocks,
        norm="batch" if normed else "none",
        init="fixup" if fixup else "he",
        stem="imagenet" if kernel == 7 else "cifar",
    )
    spec = replace(spec, shortcut=_shortcut(tensors, spec))
    notes: tuple[str, ...] = ()
    if spec.family == "resnet" and spec.shortcut == "A" and not fixup:
        notes = (
            _(
                "Assumed to be residual: without projections, weights alone do not tell a residual "
                "net from a plain one."
            ),
        )
    return spec, notes


def _blocks_per_stage(tensors: Mapping[str, Tensor]) -> tuple[int, ...]:
    places = {(int(m[1]), int(m[2])) for key in tensors if (m := _OWN_BLOCK.match(key))}
    counts = [sum(stage == s for stage, _b in places) for s in range(len({s for s, _b in places}))]
    expected = {(s, b) for s, count in enumerate(counts) for b in range(count)}
    if not places or places != expected:
        raise WeightsError(_("its stages and blocks are not numbered without gaps"))
    return tuple(counts)


def _block_kind(tensors: Mapping[str, Tensor]) -> str:
    convs: dict[tuple[str, str], set[str]] = {}
    for key in tensors:
        if found := _OWN_CONV.match(key):
            convs.setdefault((found[1], found[2]), set()).add(found[3])
    kinds = {len(numbers) for numbers in convs.values()}
    for block, layers in LAYERS_PER_BLOCK.items():
        if kinds == {layers}:
            return block
    text = _("its blocks have {found} convolutions; all must have 2 (basic) or 3 (bottleneck)")
    raise WeightsError(text.format(found=_few(map(str, sorted(kinds))) or "0"))


def _shortcut(tensors: Mapping[str, Tensor], spec: NetSpec) -> str:
    found = {b.module for b in blocks_of(spec) if f"{b.module}.shortcut.conv.weight" in tensors}
    for option in SHORTCUTS:
        expected = {
            b.module for b in blocks_of(spec) if option == "C" or (option == "B" and b.changes)
        }
        if found == expected:
            return option
    text = _("its projections ({found}) stand neither where dimensions change nor everywhere")
    raise WeightsError(text.format(found=_few(sorted(found))))


def _outer_shapes(tensors: Mapping[str, Tensor]) -> tuple[int, int]:
    """How many classes and input channels."""
    classes = _matrix(tensors, "head.linear.weight", 2).shape[0]
    if classes > MAX_CLASSES:
        text = _("it has {n:,} classes; at most {most:,} are opened")
        raise WeightsError(text.format(n=classes, most=MAX_CLASSES))
    channels = tensors["stem.conv.weight"].shape[1]
    if channels not in (1, 3):
        text = _("it takes images of {n} channels; 1 and 3 are known")
        raise WeightsError(text.format(n=channels))
    return classes, channels


def _matrix(tensors: Mapping[str, Tensor], key: str, dimensions: int) -> Tensor:
    if key not in tensors or tensors[key].dim() != dimensions or not tensors[key].numel():
        raise WeightsError(_("it has no {tensor}").format(tensor=key))
    return tensors[key]


# --- weights ---


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
        raise WeightsError(_("it has also {names}").format(names=_few(unknown)))
    if missing := [key for key in expected if key not in weights]:
        raise WeightsError(_("it lacks {names}").format(names=_few(missing)))
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


def _few(names: Iterable[str]) -> str:
    """The first few names, each cut to a length that a message can hold."""
    names = list(names)
    more = ", …" if len(names) > _NAMED else ""
    return ", ".join(f"{name:.80}" for name in names[:_NAMED]) + more
