"""In which ways stock PyTorch can train a net. No torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mode:
    """One way.

    Attributes:
        dtype: "float32", or "bfloat16" by autocast.
        channels_last: memory format.
        graph: the whole step as a captured CUDA graph.
        compile: mode of torch.compile for forward and backward, or "" for none.
    """

    dtype: str = "float32"
    channels_last: bool = False
    graph: bool = False
    compile: str = ""

    @property
    def name(self) -> str:
        """For people."""
        parts = [self.dtype, "channels_last" if self.channels_last else "contiguous"]
        parts += [f"compile {self.compile}"] if self.compile else []
        parts += ["CUDA graph"] if self.graph else []
        return ", ".join(parts)


EAGER = (
    Mode(),
    Mode(channels_last=True),
    Mode("bfloat16", channels_last=True),
    Mode("bfloat16"),
)


def modes(device: str, *, compiled: bool = False) -> list[Mode]:
    """The ways that are tried on a device, the plainest first.

    Args:
        compiled: try torch.compile, too, which takes minutes for deep nets.
    """
    found = list(EAGER)
    if device == "cuda":
        found += [Mode(m.dtype, m.channels_last, graph=True) for m in EAGER]
    if compiled:
        found.append(Mode(channels_last=True, compile="default"))
        found.append(Mode("bfloat16", True, compile="default"))
        if device == "cuda":
            found.append(Mode("bfloat16", True, compile="reduce-overhead"))
            found.append(Mode("bfloat16", True, graph=True, compile="default"))
    return found
