"""How far the input pixels lie on which one output depends: the theoretical receptive field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

_WHOLE_KINDS = ("linear", "flatten")


@dataclass(frozen=True)
class Reach:
    """Output i of one dimension depends on input pixels i·jump - left to i·jump + right.

    Attributes:
        whole: it depends on the whole image, whatever its size.
    """

    left: int = 0
    right: int = 0
    jump: int = 1
    whole: bool = False

    @classmethod
    def pixel(cls) -> Reach:
        """The input's own."""
        return cls()

    @classmethod
    def joined(cls, several: Sequence[Reach]) -> Reach:
        """Of what is added, concatenated or multiplied: all that any of them sees."""
        return cls(
            left=max(r.left for r in several),
            right=max(r.right for r in several),
            jump=max(r.jump for r in several),
            whole=any(r.whole for r in several),
        )

    def through(self, settings: Mapping[str, Any], kind: str) -> Reach:
        """Of the output of an operation with this kernel, stride and padding."""
        kernel = int(settings.get("kernel", 0))
        if kind in _WHOLE_KINDS or (kind == "pool" and not kernel):
            return replace(self, whole=True)
        stride = int(settings.get("stride", 1))
        if not kernel:
            return replace(self, jump=self.jump * stride)
        note = str(settings.get("note", ""))
        dilation = int(note.removeprefix("dilation ")) if note.startswith("dilation ") else 1
        padding = int(settings.get("padding", 0))
        return Reach(
            left=self.left + padding * self.jump,
            right=self.right + (dilation * (kernel - 1) - padding) * self.jump,
            jump=self.jump * stride,
            whole=self.whole,
        )

    @property
    def pixels(self) -> int:
        """Side in pixels; 0 for the whole image."""
        return 0 if self.whole else self.left + self.right + 1


def pooled_kernel(side_in: int, side_out: int) -> int:
    """The kernel of adaptive pooling where every output has one of its own; else 0.

    0 also for one output, which sees everything.
    """
    return 0 if side_out == 1 or side_in % side_out else side_in // side_out
