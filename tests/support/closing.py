# SPDX-License-Identifier: Apache-2.0
"""What a run of tests says at its end: failures by cause, skips by reason, one closing line.

A record is kept of each outcome, where it outlives the process that ran the test.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

STARTED, MISSING = "started", "missing"
_WORDS = ("failed", "passed", "skipped", "xfailed", "xpassed", "error")
FAILURES = ("failed", "error", MISSING)
_MOST_CHARACTERS = 160
_encode = json.JSONEncoder().encode  # a test may replace json.dumps

BY_FORKS = pytest.StashKey[bool]()
"""Set where tests run in several processes, none of which knows whether all were skipped."""


class Recorder:
    """The plugin that writes a record for each outcome into a file."""

    def __init__(self, records: int, config: pytest.Config) -> None:
        self._records, self._config = records, config

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._record(STARTED, nodeid, "")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        word, *_ = self._config.hook.pytest_report_teststatus(report=report, config=self._config)
        if word:
            self._record(word, report.nodeid, reason_of(report))

    def _record(self, word: str, test: str, reason: str) -> None:
        os.write(self._records, f"{_encode([word, test, reason])}\n".encode())


def reason_of(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return why a test was skipped, or the first line of what it failed with."""
    shown = report.longrepr
    if report.skipped and isinstance(shown, tuple):
        return str(shown[2]).removeprefix("Skipped: ")
    crash = getattr(shown, "reprcrash", None)
    text = crash.message if crash else str(shown or "")
    return (text.strip().splitlines() or [""])[0][:_MOST_CHARACTERS]


def _record_of(line: bytes) -> tuple[str, str, str]:
    """Return what a line records; a test may have written to any descriptor that it inherited."""
    try:
        word, test, reason = json.loads(line)
    except (ValueError, TypeError):
        return "", "", ""
    return word, test, reason


@dataclass
class Outcomes:
    """What has come of the tests that were collected."""

    of: dict[str, str] = field(default_factory=dict)
    """Each test's: a word of pytest, or ``MISSING``."""
    reasons: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, records: bytes) -> None:
        """Add the records of a process."""
        for word, test, reason in map(_record_of, records.split(b"\n")):
            if word not in _WORDS:
                continue
            self.counts[word] += 1
            if self.of.get(test) not in ("failed", "error"):
                self.of[test], self.reasons[test] = word, reason

    @property
    def failing(self) -> list[str]:
        """The tests that failed, or of which nothing is known."""
        return [test for test, outcome in self.of.items() if outcome in FAILURES]

    @property
    def skips(self) -> Counter[str]:
        """How many tests were skipped, by the reason."""
        return Counter(self.reasons[test] for test, word in self.of.items() if word == "skipped")

    def lines(self) -> list[str]:
        """Return the skips by reason and the failures by cause."""
        lines = []
        if self.skips:
            lines += ["skipped, by reason:"]
            lines += [f"  {number:6} {reason}" for reason, number in self.skips.most_common()]
        causes: dict[str, list[str]] = {}
        for test in self.failing:
            causes.setdefault(self.reasons.get(test, "its process ended"), []).append(test)
        if causes:
            lines.append("failed, by cause:")
        for cause, tests in sorted(causes.items(), key=lambda item: -len(item[1])):
            lines += [f"  {len(tests):6} {cause}", *(f"         {test}" for test in tests)]
        return lines

    def closing(self, seconds: float, cpu_s: float, remarks: Iterable[str] = ()) -> str:
        """Return the closing line as pytest writes it, with the CPU time and remarks."""
        counted = ", ".join(
            f"{self.counts[word]} {word}{'s' * (self.counts[word] > 1 and word == 'error')}"
            for word in _WORDS
            if self.counts[word]
        )
        took = f"{seconds:.2f}s ({timedelta(seconds=int(seconds))})"
        line = f"{counted or 'no tests ran'} in {took}, CPU {timedelta(seconds=int(cpu_s))}"
        return "; ".join((line, *self._fewer(), *remarks))

    def _fewer(self) -> list[str]:
        """Return by how many tests this machine shows less than one that has what they need."""
        fewer = sum(number for reason, number in self.skips.items() if reason.startswith("needs"))
        return [f"{fewer} fewer than where all that they need is there"] if fewer else []


def nothing_shown(passed: int, skipped: int) -> str:
    """Return what is wrong with a run in which tests were skipped and none passed, or ""."""
    return "" if passed or not skipped else f"nothing was tested: all {skipped} were skipped"
