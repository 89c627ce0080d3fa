"""What an archive may hold: every part is checked before anything of it is kept. No torch."""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from resnet_viz.i18n import _
from resnet_viz.records import ACTIVE, COLUMNS, PROBE_EVERY, STATUSES, Record
from resnet_viz.runs.untrusted_values import mapping, number, read_json, refuse, text, whole
from resnet_viz.specs import RunSpec, SpecError
from resnet_viz.sweeps import MAX_RUNS, SweepSpec
from resnet_viz.training.schedule import MAX_PROBE_EVERY

FORMAT = "resnet_viz sweep"
SCHEMA = 3  # 1 has no profiles, 2 no weights to start from
MAX_ERROR_CHARS = 20_000
MAX_HEADER_BYTES = 16 << 20
MAX_STEPS_FIELD = 10_000_000
MAX_THREADS = 256
MAX_RECORDS = 200_000  # of one run
MAX_RECORD_BYTES = 2_000  # one that this program writes has about 150
MAX_SPEED = 1e12  # seconds, and images a second: beyond any, and far from overflow
_DEVICES = (None, "cpu", "cuda", "mps")
_DTYPES = (None, "float32", "bfloat16")
_TENSOR_BYTES = {
    **dict.fromkeys(("F64", "I64", "U64"), 8),
    **dict.fromkeys(("F32", "I32", "U32"), 4),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 2),
    **dict.fromkeys(("I8", "U8", "BOOL"), 1),
}


@dataclass(frozen=True)
class ArchivedRun:
    """One run of a manifest, checked. `values` are columns of the table `runs`."""

    spec: RunSpec
    values: dict[str, Any]
    checkpoint_step: int | None


@dataclass(frozen=True)
class Manifest:
    """The checked contents of manifest.json."""

    schema: int
    name: str
    spec: SweepSpec
    runs: tuple[ArchivedRun, ...]
    starts: tuple[str, ...] = ()  # which weights to start from it carries

    @property
    def has_profiles(self) -> bool:
        """Whether it is of a version that kept profiles."""
        return self.schema >= 2


def read_manifest(data: bytes) -> Manifest:
    """Check manifest.json.

    Raises:
        ArchiveError: anything in it is not as `archive.export_sweep` writes it.
    """
    values = mapping(read_json(data, "manifest.json"), "manifest.json")
    if values.get("format") != FORMAT:
        refuse(_("it is not an archive of this program"))
    schema = whole(values.get("schema"), "schema", 0, MAX_STEPS_FIELD)
    if schema > SCHEMA:
        refuse(_("it was written by a newer version of resnet_viz; update the program"))
    runs = values.get("runs")
    if not isinstance(runs, list) or not 1 <= len(runs) <= MAX_RUNS:
        refuse(_("it must hold 1 to {n} runs").format(n=MAX_RUNS))
    name = values.get("name")
    if not isinstance(name, str) or not any(c.isprintable() and c != " " for c in name):
        refuse(_("its sweep has no name"))
    try:
        spec = SweepSpec.from_dict(values.get("spec"))
        specs = [RunSpec.from_dict(mapping(run, "run").get("spec")) for run in runs]
    except (SpecError, TypeError, ValueError, OverflowError) as error:
        refuse(str(error))
    _check_grid(spec, specs)
    starts = _read_starts(values.get("starts", []), specs)
    return Manifest(schema, name, spec, tuple(map(_read_run, specs, runs)), starts)


def _read_starts(values: object, specs: list[RunSpec]) -> tuple[str, ...]:
    """The carried weights, which runs of the manifest start from."""
    known = {spec.start for spec in specs}
    if not isinstance(values, list) or len(values) > len(specs):
        refuse(_("its weights to start from are no list"))
    for value in values:
        if not isinstance(value, str) or value not in known or values.count(value) > 1:
            refuse(_("it carries weights from which no run of it starts"))
    return tuple(values)


def _check_grid(sweep: SweepSpec, specs: list[RunSpec]) -> None:
    """Every run is one of the sweep, once, and reads no folder of this computer's choosing."""
    planned = set(sweep.runs())
    for spec in specs:
        if spec not in planned:
            refuse(_("its run {name} is not one of its sweep").format(name=spec.net.name))
        planned.remove(spec)
    folder = sweep.data.folder
    if folder is not None and _leads_out(folder):
        message = _(
            "its images are in {folder!r:.200}, outside the data folder; choose the folder again: "
            "move it into the data folder, and train a sweep with its name"
        )
        refuse(message.format(folder=folder))


def _leads_out(folder: str) -> bool:
    """Whether a folder's name could mean one outside the data folder, on any system."""
    windows = PureWindowsPath(folder)
    rooted = windows.anchor or PurePosixPath(folder).is_absolute() or folder.startswith("~")
    return bool(rooted) or ".." in windows.parts  # which splits at / and at \


def _read_run(spec: RunSpec, values: Mapping[str, Any]) -> ArchivedRun:
    status = values.get("status")
    if status not in STATUSES:
        refuse(_("{value!r:.80} is not a status").format(value=status))
    for name, known in (("device", _DEVICES), ("dtype", _DTYPES)):
        if values.get(name) not in known:
            refuse(_("{name} {value!r:.80} is not known").format(name=name, value=values[name]))
    step = values.get("checkpoint_step")
    if step is not None:
        step = whole(step, "checkpoint_step", 0, spec.train.steps)
    columns = {
        "status": "stopped" if status in ACTIVE else status,  # nobody trains it here
        "device": values.get("device"),
        "dtype": values.get("dtype"),
        "threads": whole(values.get("threads", 1), "threads", 1, MAX_THREADS),
        "probe_every": whole(
            values.get("probe_every", PROBE_EVERY), "probe_every", 0, MAX_PROBE_EVERY
        ),
        "version": text(values.get("version"), "version", 200),
        "error": text(values.get("error"), "error", MAX_ERROR_CHARS),
    }
    return ArchivedRun(spec, columns, step)


def read_records(data: bytes, spec: RunSpec, most: int = MAX_RECORDS) -> list[Record]:
    """Check the records of one run, JSON a line, in the order in which they were written.

    Raises:
        ArchiveError: a line is not a record, a value is not a finite number, the steps do not
            ascend within the recipe's, or there are more than `most`.
    """
    out: list[Record] = []
    last = dict.fromkeys(COLUMNS, -1)
    for line in io.BytesIO(data):  # no list of lines: each would cost more than its bytes
        if len(out) >= most or len(line) > MAX_RECORD_BYTES:
            refuse(_("its records are too many or too long"))
        values = mapping(read_json(line, _("a record")), _("a record"))
        kind = values.get("kind")
        if not isinstance(kind, str) or kind not in COLUMNS:
            refuse(_("{value!r:.80} is not a kind of record").format(value=kind))
        step = whole(values.get("step"), "step", last[kind] + 1, spec.train.steps)
        measured = mapping(values.get("values"), _("a record"))
        for column, value in measured.items():
            if column not in COLUMNS[kind]:
                refuse(_("{value!r:.80} is not a column").format(value=column))
            number(value, column, *_bounds(column))
        last[kind] = step
        # The names are those of `COLUMNS`, not a copy for every record.
        columns = {c: float(measured[c]) for c in COLUMNS[kind] if c in measured}
        out.append(Record(kind, step, columns))
    return out


def _bounds(column: str) -> tuple[float, float]:
    if column in COLUMNS["speed"]:
        return 0.0, MAX_SPEED
    # Errors are fractions; 1e300 is what a float can hold, and what no measurement reaches.
    return (0.0, 1.0) if column.endswith("_error") else (-1e300, 1e300)


def check_checkpoint(path: Path, step: int, spec: RunSpec) -> None:
    """Check that a file has a safetensors header which fits it, and is of this run and step.

    The header is all that is read: the tensors are opened by a worker, which checks them again
    against the run's spec.

    Raises:
        ArchiveError: it is not such a file.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = struct.unpack("<Q", file.read(8).ljust(8, b"\xff"))[0]
        if length > min(MAX_HEADER_BYTES, size - 8):
            refuse(_("a checkpoint is damaged"))
        header = mapping(read_json(file.read(length), _("a checkpoint")), _("a checkpoint"))
    notes = mapping(header.get("__metadata__"), _("a checkpoint"))
    ours = notes.get("resnet_viz")
    if not isinstance(ours, str):
        refuse(_("a checkpoint is not one of this program"))
    meta = mapping(read_json(ours.encode(), _("a checkpoint")), _("a checkpoint"))
    if whole(meta.get("step"), "step", 0, MAX_STEPS_FIELD) != step:
        refuse(_("a checkpoint is not of the step that it should be of"))
    if meta.get("spec") != spec.to_dict():
        refuse(_("the checkpoint of {name} is of another run").format(name=spec.net.name))
    tensors = [value for name, value in header.items() if name != "__metadata__"]
    end = 0
    for begin, end_of_tensor in sorted(_tensor_range(mapping(t, _("a tensor"))) for t in tensors):
        if begin != end:
            refuse(_("a checkpoint is damaged"))
        end = end_of_tensor
    if end != size - 8 - length:
        refuse(_("a checkpoint is damaged"))


def _tensor_range(tensor: Mapping[str, Any]) -> tuple[int, int]:
    """Begin and end of a tensor's bytes, which agree with its shape and type."""
    shape, offsets = tensor.get("shape"), tensor.get("data_offsets")
    lists = isinstance(shape, list) and isinstance(offsets, list) and len(offsets) == 2
    dtype = tensor.get("dtype")
    if not lists or not isinstance(dtype, str) or dtype not in _TENSOR_BYTES:
        refuse(_("a checkpoint is damaged"))
    assert isinstance(shape, list)
    assert isinstance(offsets, list)
    if len(shape) > 8:
        refuse(_("a checkpoint is damaged"))
    begin, end = (whole(offset, "offset", 0, 1 << 50) for offset in offsets)
    values = math.prod(whole(n, "size", 0, 1 << 50) for n in shape)
    if end - begin != values * _TENSOR_BYTES[dtype]:
        refuse(_("a checkpoint is damaged"))
    return begin, end
