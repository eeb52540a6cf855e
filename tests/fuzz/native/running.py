# SPDX-License-Identifier: Apache-2.0
"""Run drivers as processes on a build with sanitizers, and read their results."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fuzz.native import building
from tests.fuzz.native.session import last_input

if TYPE_CHECKING:
    from pathlib import Path

_SANITIZERS_SAY = ("ERROR: AddressSanitizer", "runtime error:")
_REPORT_LINES = 40
_GRACE_S = 300.0
"""How much longer than it draws inputs a driver may take."""


@dataclass(frozen=True)
class Outcome:
    """What became of a driver.

    Attributes:
        driver: its name.
        seed: repeats the run.
        finding: what ended it, empty if nothing did.
        inputs: how many it gave.
        seconds: how long it drew them.
        reached: what came of them, by kind.
        last: the input at hand when it ended.
    """

    driver: str
    seed: int
    finding: str = ""
    inputs: int = 0
    seconds: float = 0.0
    reached: dict[str, int] = field(default_factory=dict)
    last: bytes = b""

    def __str__(self) -> str:
        """Return a line for the table, or the finding with what repeats it."""
        if not self.finding:
            reached = ", ".join(f"{count:,} {what}" for what, count in sorted(self.reached.items()))
            return f"{self.driver:<28} {self.inputs:>12,} inputs {self.seconds:>6.0f} s  {reached}"
        return (
            f"{self.driver}: seed {self.seed}, the input at hand {self.last[:600].hex()}\n"
            f"{self.finding}"
        )


def run(built: Path, driver: str, seconds: float, seed: int) -> Outcome:
    """Run a driver on a build with sanitizers."""
    last = built / f"{driver}.last"
    command = ("-m", "tests.fuzz.native.driving", driver, str(seconds), str(seed), str(last))
    try:
        done = subprocess.run(
            building.python(*command),
            cwd=built,
            env=building.environment(built),
            capture_output=True,
            text=True,
            timeout=seconds + _GRACE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Outcome(
            driver, seed, f"it did not end within {_GRACE_S:.0f} s", last=last_input(last)
        )
    if done.returncode:
        return Outcome(driver, seed, _finding(done.stderr, done.returncode), last=last_input(last))
    if not done.stderr.startswith(str(built)):
        return Outcome(driver, seed, f"another build was driven: {done.stderr}")
    return Outcome(driver, seed, **json.loads(done.stdout.splitlines()[-1]))


def _finding(stderr: str, code: int) -> str:
    """Return the output of a failed process, from the line of its error."""
    lines = stderr.splitlines()
    begins = (n for n, line in enumerate(lines) if any(one in line for one in _SANITIZERS_SAY))
    start = next(begins, max(0, len(lines) - _REPORT_LINES))
    report = lines[start : start + _REPORT_LINES]
    return "\n".join([*report, f"exit code {code}"])
