# SPDX-License-Identifier: Apache-2.0
"""The mixes of questions to measure a filter with, as files for dnsperf.

blocked
    Listed names, half of them as a subdomain, uniform over the list: most are asked
    once, the worst case for any cache.
cached
    10,000 names that were asked beforehand.
miss
    Every name new: one question upstream each.
school
    60 % cached, 25 % blocked, 10 % miss, 5 % of other types.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_POPULAR = [f"{('www', 'cdn', 'api')[n % 3]}.ok-{n}.com" for n in range(10_000)]
_SCHOOL = (60, 25, 10, 5)


class Questions:
    """Draws questions; a name of the mix ``miss`` is never drawn twice."""

    def __init__(self, listed: list[str], folder: Path) -> None:
        self._listed, self._folder = listed, folder
        self._random = random.Random(11)
        self._serial = 0

    def warming(self) -> Path:
        """Return a file that asks for everything that ``cached`` and ``school`` find cached."""
        lines = [f"{name} {qtype}" for name in _POPULAR for qtype in ("A", "AAAA", "HTTPS")]
        return self._write("warming", lines)

    def of(self, mix: str, count: int) -> Path:
        """Return a file with new questions of a mix."""
        draw: dict[str, Callable[[], str]] = {
            "blocked": self._blocked,
            "cached": self._cached,
            "miss": self._miss,
            "school": self._school,
        }
        return self._write(mix, [draw[mix]() for _ in range(count)])

    def _write(self, mix: str, lines: list[str]) -> Path:
        path = self._folder / f"{mix}.txt"
        path.write_text("\n".join(lines) + "\n", encoding="ascii")
        return path

    def _blocked(self) -> str:
        name = self._random.choice(self._listed)
        beneath = self._random.choice(("", "", "", "www.", "cdn3.", "a.b."))
        return f"{beneath}{name} A"

    def _cached(self) -> str:
        return f"{self._random.choice(_POPULAR)} A"

    def _miss(self) -> str:
        self._serial += 1
        return f"u{self._serial:x}.ok-{self._random.randrange(50_000)}.com A"

    def _school(self) -> str:
        draws = (self._cached, self._blocked, self._miss, self._other_type)
        return self._random.choices(draws, _SCHOOL)[0]()

    def _other_type(self) -> str:
        return f"{self._random.choice(_POPULAR)} {self._random.choice(('AAAA', 'HTTPS'))}"
