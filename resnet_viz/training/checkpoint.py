"""A training frozen at a step: tensors and plain values in one safetensors file."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

SCHEMA = 1


class CheckpointError(ValueError):
    """A file that is not a checkpoint of this program."""


@dataclass(frozen=True)
class Checkpoint:
    """What a run needs to go on as if it had never stopped.

    Attributes:
        step: gradient steps taken.
        tensors: by name; "net.…" weights and buffers, "optimizer.<i>.…", "window.…".
        meta: JSON values: spec, dtype, threads and the like.
    """

    step: int
    tensors: dict[str, Tensor]
    meta: dict[str, Any] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write to `path` so that it holds the old file or the whole new one, never a part."""
        path.parent.mkdir(parents=True, exist_ok=True)
        tensors = {name: t.detach().cpu().contiguous() for name, t in self.tensors.items()}
        meta = {"schema": SCHEMA, "step": self.step, **self.meta}
        part = path.with_suffix(".part")
        try:
            save_file(tensors, part, {"resnet_viz": json.dumps(meta)})
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """The checkpoint in a file, which is not trusted.

        Raises:
            CheckpointError: missing, damaged, or not a checkpoint of this program.
        """
        try:
            with safe_open(path, "pt") as file:
                meta = json.loads((file.metadata() or {}).get("resnet_viz", "null"))
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, ValueError, RecursionError) as error:
            raise CheckpointError(f"{path.name} cannot be read as a checkpoint: {error}") from None
        if not isinstance(meta, dict) or meta.get("schema") != SCHEMA:
            raise CheckpointError(f"{path.name} is not a checkpoint that this program wrote")
        step = meta.get("step")
        if not isinstance(step, int) or step < 0:
            raise CheckpointError(f"{path.name} does not say at which step it was written")
        return cls(step, tensors, meta)
