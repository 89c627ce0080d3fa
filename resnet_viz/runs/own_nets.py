"""Files with a person's own nets, kept in the data folder until they are deleted. No torch.

Nothing of them is trusted or opened here; `nets.foreign` does that, in the analysis process.
"""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path

from resnet_viz.i18n import _
from resnet_viz.runs.schema import StoreError
from resnet_viz.sources import MAX_BYTES

ENDINGS = ("safetensors", "pt", "pth", "th", "bin", "ckpt")
MAX_FILES = 50
MAX_TOTAL_BYTES = 4_000_000_000  # of all that are kept


def own_nets_folder(home: Path) -> Path:
    """Where they lie."""
    return home / "nets" / "own"


def list_own_nets(home: Path) -> list[Path]:
    """Every file that was kept, the newest first."""
    found = _stats(home)
    return sorted(found, key=lambda path: found[path].st_mtime, reverse=True)


def _stats(home: Path) -> dict[Path, os.stat_result]:
    """Of every file that was kept and is still there."""
    found = {}
    with suppress(OSError):  # there is no folder yet
        for path in own_nets_folder(home).iterdir():
            with suppress(OSError):  # another session has deleted it meanwhile
                if not path.name.startswith("."):
                    found[path] = path.stat()
    return found


def keep_own_net(home: Path, name: str, data: bytes) -> Path:
    """Keep a file under a name made of its own and a hash of its bytes; the same bytes once.

    Raises:
        StoreError: too large, too many or too large together, or it cannot be written.
    """
    if len(data) > MAX_BYTES:
        text = _("{name} has {size:.1f} GB; a net's file may have {most:.0f} GB.")
        raise StoreError(text.format(name=name, size=len(data) / 1e9, most=MAX_BYTES / 1e9))
    path = own_nets_folder(home) / f"{hashlib.sha256(data).hexdigest()[:12]}-{_clean(name)}"
    if path.exists():
        os.utime(path)
        return path
    _check_room(home, name, len(data))
    part = path.with_name(f".{path.name}")  # not listed while it is written
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        text = _("The file cannot be kept in {folder}: {reason}")
        reason = error.strerror or str(error)
        raise StoreError(text.format(folder=path.parent, reason=reason)) from error
    finally:
        with suppress(OSError):  # it is there only if writing failed halfway
            part.unlink()
    return path


def _check_room(home: Path, name: str, size: int) -> None:
    kept = _stats(home)
    if len(kept) >= MAX_FILES:
        text = _("{n} files of nets are kept already; delete one of them first.")
        raise StoreError(text.format(n=MAX_FILES))
    used = sum(stat.st_size for stat in kept.values())
    if used + size > MAX_TOTAL_BYTES:
        text = _(
            "{name} has {size:.1f} GB, and files of nets that are kept have {used:.1f} GB; "
            "together they may have {most:.0f} GB. Delete one of those first."
        )
        gigabytes = {"size": size / 1e9, "used": used / 1e9, "most": MAX_TOTAL_BYTES / 1e9}
        raise StoreError(text.format(name=name, **gigabytes))


def delete_own_net(home: Path, name: str) -> None:
    """Delete one of them; nothing happens if it is gone."""
    for path in list_own_nets(home):
        if path.name == name:
            path.unlink(missing_ok=True)


def own_net_title(path: Path) -> str:
    """The name that the file came with."""
    return path.name.partition("-")[2]


def _clean(name: str) -> str:
    """A file name without anything that a file system could take amiss."""
    text = re.sub(r"[^A-Za-z0-9._-]+", "_", Path(name.replace("\\", "/")).name).strip("._")
    return text[-80:] or "net"
