"""In which ways stock PyTorch can train a net. No torch."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Mode:
    """One way.

    Attributes:
        dtype: "float32", or "bfloat16" by autocast.
        channels_last: memory format.
        graph: the whole step as a captured CUDA graph.
        compile: mode of torch.compile for forward and backward, or "" for none.
        threads: of a CPU; 0 for as many as there are cores.
    """

    dtype: str = "float32"
    channels_last: bool = False
    graph: bool = False
    compile: str = ""
    threads: int = 0

    @property
    def name(self) -> str:
        """For people."""
        parts = [self.dtype, "channels_last" if self.channels_last else "contiguous"]
        parts += [f"compile {self.compile}"] if self.compile else []
        parts += ["CUDA graph"] if self.graph else []
        parts += [f"{self.threads} thread"] if self.threads else []
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
    if device == "cuda":  # of the eager ones only what people write; a graph replays faster
        found = [EAGER[0], EAGER[2], *(replace(mode, graph=True) for mode in EAGER)]
    elif device == "cpu":
        found = [*EAGER, *(replace(mode, threads=1) for mode in EAGER)]
    else:
        found = list(EAGER)
    if compiled:
        found.append(Mode(channels_last=True, compile="default"))
        found.append(Mode("bfloat16", True, compile="default"))
        if device == "cuda":
            found.append(Mode("bfloat16", True, compile="reduce-overhead"))
            found.append(Mode("bfloat16", True, graph=True, compile="default"))
    return found
