"""The table of the training benchmark. No torch."""

from __future__ import annotations

from typing import Any

# Ours ÷ rival in speed, at least (issue "As fast as the machine allows").
AIMS = {
    "cpu": {"tutorial": 2.6, "sequential": 1.10, "processes": 1.0, "bare": 0.95},
    "cuda": {"tutorial": 10.0, "sequential": 1.6, "processes": 1.0, "bare": 0.98},
}
ROOFLINE_AIM = {"cuda": 0.40}


def print_table(results: dict[str, Any]) -> None:
    """Ratios with quartiles, with warm-up, the aims, the roofline, and what went wrong."""
    for line in lines(results):
        print(line)


def lines(results: dict[str, Any]) -> list[str]:
    """The table's lines."""
    machine = results["machine"]
    device = machine["device"]
    out = [
        f"{machine['device_name']}, {machine['cores']} cores, torch {machine['torch']}, "
        f"{machine['machine']['dtype']}, "
        f"{'channels_last' if machine['machine']['channels_last'] else 'contiguous'}, "
        f"copy {machine['copy_bytes_per_second'] / 1e9:.1f} GB/s; {machine['content']}.",
        "Rival's seconds over ours; above 1 ours is faster. With warm-up: both sides' once, over "
        "the real number of steps.",
        f"{'workload':>10}  {'rival':>10}  {'median':>7}  {'quartiles':>13}  {'rounds':>6}  "
        f"{'with warm-up':>12}  {'aim':>5}",
    ]
    for name, workload in results["workloads"].items():
        for part in ("rivals", "app"):
            for rival, ratio in workload.get(part, {}).get("ratios", {}).items():
                aim = AIMS.get(device, {}).get(rival)
                warm = ratio.get("with_warm_up")
                quartiles = f"{ratio['low']:.2f} to {ratio['high']:.2f}"
                out.append(
                    f"{name:>10}  {rival:>10}  {ratio['median']:>7.2f}  {quartiles:>13}  "
                    f"{ratio['count']:>6}  {'-' if warm is None else f'{warm:.2f}':>12}  "
                    f"{'-' if aim is None else f'{aim:g}':>5}"
                )
    for name, workload in results["workloads"].items():
        roofline = workload.get("roofline")
        if roofline:
            aim = ROOFLINE_AIM.get(device)
            text = "" if aim is None else f" (aim {aim:g})"
            out.append(
                f"{name}: {roofline['bytes_a_step'] / 1e9:.2f} GB a step of every net, "
                f"{roofline['share']:.2f} of the speed of a copy{text}"
            )
        for part in ("rivals", "app"):
            for rival, error in workload.get(part, {}).get("errors", {}).items():
                out.append(f"{name}, {rival}: {error.strip().splitlines()[-1][:200]}")
    return out
