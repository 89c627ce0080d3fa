"""Signals and splits with numbers that the tests choose."""

from collections.abc import Sequence

from resnet_viz.layers import blocks_of
from resnet_viz.signals import Decomposition, Signal, Split
from resnet_viz.specs import LAYERS_PER_BLOCK, NetSpec


def signal(
    family: str = "plain",
    depth: int = 8,
    *,
    seed: int = 0,
    images: int = 16,
    gradient: Sequence[float] | None = None,
    response: Sequence[float] | None = None,
    boundary: Sequence[float] | None = None,
    gains: Sequence[float] | None = None,
    **net: object,
) -> Signal:
    """A signal that is 1 everywhere except where told otherwise."""
    spec = NetSpec(family, depth, **net)  # type: ignore[arg-type]
    blocks = sum(spec.stage_blocks)
    return Signal(
        spec,
        seed,
        images,
        tuple(response or [1.0] * depth),
        tuple(gradient or [1.0] * depth),
        tuple(boundary or [1.0] * (blocks + 1)),
        tuple(gains or [1.0] * blocks * LAYERS_PER_BLOCK[spec.block]),
    )


def split(**values: object) -> Split:
    """A split with an identity, parts of norm 3 and 4 at right angles, and nothing held back."""
    usual: dict[str, object] = {
        "shortcut": "identity",
        "shortcut_norm": 3.0,
        "branch_norm": 4.0,
        "total_norm": 5.0,
        "cosine": 0.0,
        "residue": 1e-16,
        "passed": 1.0,
        "blocked": 0.0,
        "arrived": 1.0,
        "arrived_cosine": 0.5,
        "shared_first": False,
    }
    return Split(**{**usual, **values})  # type: ignore[arg-type]


def decomposition(
    family: str = "resnet",
    depth: int = 8,
    splits: Sequence[Split] | None = None,
    *,
    step: int = 0,
    **net: object,
) -> Decomposition:
    """One split a block; the first of stages 2 and 3 zero-padded unless told otherwise."""
    spec = NetSpec(family, depth, **net)  # type: ignore[arg-type]
    usual = [split(shortcut="zero_padding" if b.changes else "identity") for b in blocks_of(spec)]
    return Decomposition(spec, step, tuple(splits or usual), 2.3, 32)
