# SPDX-License-Identifier: Apache-2.0
"""The compile report, which is stored in the index: taken, refused, set aside.

Counts are per list and per reason, because the remedy differs: a *problem* is a
line without a usable meaning, a *refused* entry names what no list may name, a
*set aside* one names what is protected from lists of third parties. A report
holds samples of all three; every single one goes to the file of problems.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

SAMPLES = 20
"""Lines of each list that the report quotes."""
SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Sample:
    """A rejected line.

    ``text`` is shortened and printable ASCII.
    """

    line: int
    reason: str
    text: str


@dataclass(slots=True)
class ListReport:
    """The counts of one list.

    ``kept``, ``duplicate``, ``redundant`` and ``cancelled`` count entries.
    Redundant ones are kept: the ancestor that covers them may be suspended.
    """

    id: str
    category: str
    format: str
    path: str
    lines: int = 0
    kept: int = 0
    duplicate: int = 0
    redundant: int = 0
    cancelled: int = 0
    set_aside: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    problems: dict[str, int] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)

    def add_sample(self, line: int, reason: str, text: str) -> None:
        """Quote a line, if there is room; ``text`` as ``shown`` returns it."""
        if len(self.samples) < SAMPLES:
            self.samples.append(Sample(line, reason, text))


@dataclass(slots=True)
class CompileReport:
    """The report on all lists.

    ``names`` counts distinct names, ``seconds`` is the time of the compilation.
    The copy in the index has no seconds: the same lists give the same octets.
    """

    lists: list[ListReport]
    names: int = 0
    seconds: float = 0.0

    @property
    def kept(self) -> int:
        """The number of kept entries of all lists."""
        return sum(report.kept for report in self.lists)

    @property
    def refused(self) -> int:
        """The number of entries for names that no list may have."""
        return sum(sum(report.refused.values()) for report in self.lists)

    @property
    def set_aside(self) -> int:
        """The number of entries for protected names."""
        return sum(report.set_aside for report in self.lists)

    @property
    def problems(self) -> int:
        """The number of lines without a usable meaning."""
        return sum(sum(report.problems.values()) for report in self.lists)

    def to_plain(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_plain(cls, data: dict[str, Any]) -> CompileReport:
        """Return the report from plain data of ``to_plain``.

        Raises:
            KeyError, TypeError: it is something else.
        """
        lists = [
            ListReport(**{**one, "samples": [Sample(**sample) for sample in one["samples"]]})
            for one in data["lists"]
        ]
        return cls(lists, data["names"], data["seconds"])


def shown(text: str) -> str:
    """Return a text of a list in a form that is safe for terminals, tables and logs."""
    cut = text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 3] + "..."
    return cut.encode("unicode_escape").decode("ascii")


def count(counts: dict[str, int], reason: str) -> None:
    """Count one more for this reason."""
    counts[reason] = counts.get(reason, 0) + 1
