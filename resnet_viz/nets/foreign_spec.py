"""The spec of a net, read off the names and shapes of its tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from resnet_viz.i18n import _
from resnet_viz.layers import blocks_of
from resnet_viz.nets.foreign_names import few
from resnet_viz.nets.weights_file import WeightsError
from resnet_viz.specs import LAYERS_PER_BLOCK, PLAIN_SHORTCUTS, NetSpec

_OWN_BLOCK = re.compile(r"stages\.(\d+)\.(\d+)\.")
_OWN_CONV = re.compile(r"stages\.(\d+)\.(\d+)\.branch\.conv(\d)\.weight")


def read_spec(tensors: Mapping[str, Tensor]) -> tuple[NetSpec, tuple[str, ...]]:
    """The spec of a net with these tensors, and what could not be told from them.

    Args:
        tensors: by this program's names (`foreign_names.own_names`).

    Raises:
        WeightsError: they are not those of a net that this program knows.
        SpecError: there is no such net.
    """
    stem = matrix(tensors, "stem.conv.weight", 4)
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
    raise WeightsError(text.format(found=few(map(str, sorted(kinds))) or "0"))


def _shortcut(tensors: Mapping[str, Tensor], spec: NetSpec) -> str:
    found = {b.module for b in blocks_of(spec) if f"{b.module}.shortcut.conv.weight" in tensors}
    for option in PLAIN_SHORTCUTS:
        expected = {
            b.module for b in blocks_of(spec) if option == "C" or (option == "B" and b.changes)
        }
        if found == expected:
            return option
    text = _("its projections ({found}) stand neither where dimensions change nor everywhere")
    raise WeightsError(text.format(found=few(sorted(found))))


def matrix(tensors: Mapping[str, Tensor], key: str, dimensions: int) -> Tensor:
    """A tensor of so many dimensions.

    Raises:
        WeightsError: it is not there, is empty, or has other dimensions.
    """
    if key not in tensors or tensors[key].dim() != dimensions or not tensors[key].numel():
        raise WeightsError(_("it has no {tensor}").format(tensor=key))
    return tensors[key]
