"""Profiles of an archive: checked against their net before any is kept. No torch."""

from __future__ import annotations

import io
import math

from resnet_viz.i18n import _
from resnet_viz.records import BLOCK_COLUMNS, LAYER_COLUMNS, Profile
from resnet_viz.runs.rows import ProfileRow, profile_row
from resnet_viz.runs.untrusted_values import mapping, number, read_json, refuse, whole
from resnet_viz.specs import SHORTCUT_FAMILIES, NetSpec, RunSpec

MAX_VALUE_BYTES = 32  # one number of a profile has about 12
MAX_FLOAT32 = 3.4e38


def read_profiles(data: bytes, spec: RunSpec) -> list[ProfileRow]:
    """Check the profiles of one run, JSON a line, in the order in which they were written.

    Raises:
        ArchiveError: a line is not a profile of the spec's net, a value is neither null nor a
            number from 0 that a float32 holds, or the steps do not ascend within the recipe's.
    """
    lengths = profile_lengths(spec.net)
    most = MAX_VALUE_BYTES * (100 + sum(lengths.values()))
    out: list[ProfileRow] = []
    step = 0
    for line in io.BytesIO(data):
        if len(line) > most:
            refuse(_("its profiles are too long"))
        found = mapping(read_json(line, _("a profile")), _("a profile"))
        step = whole(found.get("step"), "step", step + 1, spec.train.steps)
        columns = mapping(found.get("values"), _("a profile"))
        if set(columns) != set(lengths):
            refuse(_("a profile does not fit its net"))
        measured = {name: _column(columns[name], name, n) for name, n in lengths.items()}
        out.append(profile_row(Profile(step, measured)))  # a tenth of the numbers' memory
    return out


def profile_lengths(net: NetSpec) -> dict[str, int]:
    """Column to how many values a profile of the net has there."""
    lengths = dict.fromkeys(LAYER_COLUMNS, net.depth)
    lengths |= dict.fromkeys(BLOCK_COLUMNS, sum(net.stage_blocks))
    if net.family not in SHORTCUT_FAMILIES:
        del lengths["sum_norm"]
    return lengths


def _column(values: object, name: str, length: int) -> tuple[float, ...]:
    if not isinstance(values, list) or len(values) != length:
        refuse(_("a profile does not fit its net"))
    return tuple(math.nan if v is None else number(v, name, 0.0, MAX_FLOAT32) for v in values)
