"""What a page shows, as commands for a shell."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote
from typing import Any

from resnet_viz.datasets.picture import centre_square
from resnet_viz.methods import Method
from resnet_viz.sources import Source
from resnet_viz.ui.inside.nets import Shown
from resnet_viz.ui.pictures.seen import Seen


def features_command(seen: Seen, net: Shown, at: str, number: int) -> str:
    """The maps at a point.

    Args:
        at: name of the point.
        number: in the names of the files.
    """
    command = _command("features", seen, net.source)
    return f"{command} --at {at} --out maps-{number}.png --npy maps-{number}.npy"


def attribute_command(
    seen: Seen, net: Shown, target: int, method: Method, parameters: Mapping[str, Any], number: int
) -> str:
    """One attribution.

    Args:
        number: in the names of the files.
    """
    sets = "".join(f" --set {name}={value}" for name, value in parameters.items())
    return (
        f"{_command('attribute', seen, net.source)} --method {method.name} "
        f"--target {quote(net.card.classes[target])}{sets} "
        f"--out {method.name}-{number}.png --npy {method.name}-{number}.npy"
    )


def _command(name: str, seen: Seen, source: Source) -> str:
    """The beginning of a command: the square that is seen, and the net.

    What others have named is quoted, so that a shell takes it for a name.
    """
    parts = [f"python -m resnet_viz {name} IMAGE"]
    square = seen.square
    if square != centre_square(seen.found.picture):
        parts.append(f"--square {square.x},{square.y},{square.side}")
    parts.append(f"--net {quote(source.path if source.kind == 'file' else source.name)}")
    if source.statistics:
        parts.append(f"--statistics {source.statistics}")
    return " ".join(parts)
