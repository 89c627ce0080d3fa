"""Train the quick sweep with three seeds and keep it as the stored reference sweep.

python -m benchmarks.reference          # trains, then writes resnet_viz/assets/reference.json.gz
python -m benchmarks.reference SWEEP    # writes a sweep that is in the store already
"""

from __future__ import annotations

import platform
import sys
from typing import Any

from resnet_viz import __version__
from resnet_viz.cli import main as run_command
from resnet_viz.runs.hardware import processor_name
from resnet_viz.runs.profile_reader import ProfileReader
from resnet_viz.runs.profile_tables import profiles_json
from resnet_viz.runs.reference import compact_run, reference_path, write_reference
from resnet_viz.runs.store import RunStore
from resnet_viz.runs.tables import sweep_json

ARGUMENTS = ["sweep", "--preset", "quick", "--seeds", "3"]
FIRST_SEED = 0  # whose profiles are kept


def kept(run: dict[str, Any], profiles: list[dict[str, Any]]) -> dict[str, Any]:
    """A run without what belongs to the moment, numbers rounded to what a chart can show."""
    out = compact_run(run)
    if run["spec"]["train"]["seed"] == FIRST_SEED:
        out["profiles"] = [
            {
                k: [four_digits(v) for v in column] if k != "step" else column
                for k, column in p.items()
            }
            for p in profiles
        ]
    return out


def four_digits(value: float | None) -> float | None:
    """The value with four significant digits; None stays None."""
    return None if value is None else float(f"{value:.4g}")


def main() -> None:
    """Write the reference."""
    store = RunStore()
    if len(sys.argv) > 1:
        sweep_id = sys.argv[1]
    else:
        if run_command(ARGUMENTS):
            sys.exit("the sweep did not end well")
        sweep_id = store.sweeps()[0].id
    values = sweep_json(store, sweep_id)
    profiles = [
        run["profiles"]
        for run in profiles_json(ProfileReader(store, sweep_id).refresh(), "reference")["runs"]
    ]
    first = values["runs"][0]
    machine = (
        f"{processor_name()}, {first['device']}, {first['dtype']}, {first['threads']} thread "
        f"a process, {first['version']}, Python {platform.python_version()}"
    )
    runs = [kept(*pair) for pair in zip(values["runs"], profiles, strict=True)]
    path = reference_path()
    write_reference(
        path, runs, machine=machine, command=" ".join(["python -m resnet_viz", *ARGUMENTS])
    )
    print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB, resnet_viz {__version__}")


if __name__ == "__main__":
    main()
