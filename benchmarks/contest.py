"""Rounds in which the sides of a comparison take turns, A B C A B C, and what is made of them."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.ratios import Spread, ratios, with_warm_up
from benchmarks.rivals.side import ChildError, Side, Turn

SETTLE_SECONDS = 0.3  # between turns, in which a DataLoader fills up
PILOT_STEPS = {"cpu": 1, "cuda": 20, "mps": 5}


def say(text: str) -> None:
    """Tell what goes on; the table goes to stdout."""
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


class Contest:
    """Ours and its rivals on one workload.

    Args:
        device: "cpu", "cuda" or "mps".
        ours: name of the side that the ratios compare with.
        turn_seconds: how long a turn is to take, about.
        steps: of every turn; None to choose by `turn_seconds`, for each side by its own pace.
        method: what the children are asked for, "train" or "train_whole".
        real_steps: of every net, over which the warm-up is spread; None where it says nothing.
        end: by `time.monotonic`, when nothing new is to begin.
        save: called with the results whenever there are new ones.
    """

    def __init__(
        self,
        device: str,
        ours: str,
        *,
        turn_seconds: float,
        steps: int | None,
        method: str = "train",
        real_steps: int | None,
        end: float = float("inf"),
        save: Callable[[dict[str, Any]], None],
    ) -> None:
        self._device, self._ours, self._method = device, ours, method
        self._turn_seconds, self._fixed_steps = turn_seconds, steps
        self._sides: dict[str, Side] = {}
        self._steps: dict[str, int] = {}
        self._turns: dict[str, list[Turn]] = {}
        self._extra: dict[str, dict[str, Any]] = {}
        self.errors: dict[str, str] = {}
        self._load: list[float] = []
        self._real_steps, self._end, self._save = real_steps, end, save

    def enter(self, name: str, side: Side, extra: dict[str, Any] | None = None) -> None:
        """Warm a side up and find its pace; what goes wrong is kept in `errors`.

        Args:
            extra: what else the results shall say of it.
        """
        try:
            if time.monotonic() > self._end:
                raise TimeoutError("left out, since the time is over")
            side.warm_up()
            self._sides[name], self._turns[name] = side, []
            self._extra[name] = extra or {}
            self._steps[name] = self._choose_steps(side)
        except Exception as error:  # noqa: BLE001 - the other sides can be measured all the same
            self._lose(name, error, side)
        else:
            say(
                f"  {name}: started in {side.start_seconds:.1f} s, warm in "
                f"{side.warm_seconds:.1f} s, {self._steps[name]} steps a turn; {side.info}"
            )
        self._save(self.results())

    def _choose_steps(self, side: Side) -> int:
        if self._fixed_steps:
            return self._fixed_steps
        pilot = side.turn(PILOT_STEPS[self._device])
        return max(PILOT_STEPS[self._device], round(self._turn_seconds / pilot.step_seconds))

    def _lose(self, name: str, error: Exception, side: Side) -> None:
        text = str(error) if isinstance(error, ChildError) else f"{type(error).__name__}: {error}"
        say(f"  {name}: {text.strip().splitlines()[-1] if text.strip() else error!r}")
        self.errors[name] = text
        self._sides.pop(name, None)
        side.close()

    def rounds(self, repeats: int, deadline: float) -> None:
        """Take turns; the side that begins changes from round to round.

        Args:
            deadline: by `time.monotonic`, after which no further round begins; the first one
                always does.
        """
        for number in range(repeats):
            if self._ours not in self._sides or len(self._sides) < 2:
                return
            if number and time.monotonic() > deadline:
                say(f"  out of time after {number} of {repeats} rounds")
                return
            names = list(self._sides)
            for name in names[number % len(names) :] + names[: number % len(names)]:
                self._take_turn(name)
            self._load.append(os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan)
            say(f"  round {number + 1}: {self._line()}")
            self._save(self.results())

    def _take_turn(self, name: str) -> None:
        side = self._sides[name]
        time.sleep(SETTLE_SECONDS)
        try:
            self._turns[name].append(side.turn(self._steps[name], method=self._method))
        except Exception as error:  # noqa: BLE001 - the other sides go on
            self._lose(name, error, side)

    def _line(self) -> str:
        """The last turns in milliseconds a step."""
        last = {n: 1000 * t[-1].step_seconds for n, t in self._turns.items() if t}
        return ", ".join(f"{name} {value:.2f} ms" for name, value in last.items())

    def step_seconds(self, name: str) -> list[float]:
        """Seconds of one step of every net, turn by turn."""
        return [turn.step_seconds for turn in self._turns.get(name, [])]

    def results(self) -> dict[str, Any]:
        """Plain values: every turn, spreads, ratios, errors."""
        sides: dict[str, Any] = {}
        for name, turns in self._turns.items():
            side = self._sides.get(name)
            sides[name] = {
                **self._extra[name],
                "steps_a_turn": self._steps.get(name),
                "turns": [
                    {"seconds": t.seconds, "steps": t.steps, "answers": t.answers} for t in turns
                ],
            }
            if side is not None:
                sides[name] |= {
                    "start_seconds": side.start_seconds,
                    "warm_seconds": side.warm_seconds,
                    "info": side.info,
                }
            if turns:
                sides[name]["step_seconds"] = Spread.of(self.step_seconds(name)).to_dict()
        return {
            "sides": sides,
            "ratios": self._ratios(),
            "load_average": self._load,
            "errors": dict(self.errors),
        }

    def _ratios(self) -> dict[str, Any]:
        """Rival over ours by round, and with the warm-up of both over the real number of steps."""
        mine, out = self.step_seconds(self._ours), {}
        for name in self._turns:
            theirs = self.step_seconds(name)
            if name == self._ours or not theirs or not mine:
                continue
            by_round = ratios(theirs, mine)
            out[name] = {"rounds": by_round, **Spread.of(by_round).to_dict()}
            both = [self._sides.get(side) for side in (name, self._ours)]
            if self._real_steps and all(both):
                rival, ours = (side.warm_seconds for side in both if side)
                whole = with_warm_up(rival, theirs, self._real_steps)
                out[name]["with_warm_up"] = whole / with_warm_up(ours, mine, self._real_steps)
        return out

    def close(self) -> None:
        """End every process."""
        for side in self._sides.values():
            side.close()
