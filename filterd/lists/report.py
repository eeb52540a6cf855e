# SPDX-License-Identifier: Apache-2.0
"""Reasons for rejecting a line or entry, and the compile report that counts them.

The codes of reasons are a contract: reports store them, scripts count them, translations are
keyed by them. A code is never reused. Parsers, the host-name reader and the compiler share
one set.

Counts are per list and per reason, because the remedy differs: a *problem* is a line without
a usable meaning, a *refused* entry names what no list may name, a *set aside* one names what
is protected from lists of third parties. The report is stored in the index, with samples of
all three; every single one goes to the file of problems.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from filterd.base.value_class import frozen


class Reason(StrEnum):
    """A short stable code; ``explanation`` is the English sentence for people."""

    explanation: str

    def __new__(cls, code: str, explanation: str = "") -> Self:
        """Make the member whose value is ``code``."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.explanation = explanation
        return member

    # The kind of a text in the place of a host name.
    NOT_A_NAME = "not-a-name", "is not a host name"
    BAD_IDN = "bad-idn", "is not a valid internationalised name"
    IP_ADDRESS = "ip-address", "is an address; lists of filterd hold names"
    URL_WITH_PATH = "url-with-path", "is a URL; its host alone would block a whole site"
    REGULAR_EXPRESSION = "regular-expression", "is a regular expression; lists may not carry any"
    UNSUPPORTED_PATTERN = "unsupported-pattern", "is a pattern that no name or subtree can express"
    TOO_LONG = "too-long", "is too long for a line, a name or a label"

    # Features of a format that filterd does not support; never approximated.
    UNSUPPORTED_MODIFIER = "unsupported-modifier", "has a modifier that DNS filtering cannot honour"
    UNSUPPORTED_OPTION = "unsupported-option", "does not block or except anything"
    UNSUPPORTED_TRIGGER = (
        "unsupported-trigger",
        "is triggered by something other than the query name",
    )
    COSMETIC_RULE = "cosmetic-rule", "hides parts of a page, which only a browser can do"
    NOT_A_SINKHOLE_ADDRESS = "not-a-sinkhole-address", "maps a name to a real address"
    LOCAL_NAME = "local-name", "names the local machine, as hosts files do; harmless"
    BAD_SYNTAX = "bad-syntax", "does not follow the format of the list"
    TOO_MANY_CONDITIONS = (
        "too-many-conditions",
        "has new conditions, and the list already has too many",
    )
    UNKNOWN_ENCODING = "unknown-encoding", "is not UTF-8 text"

    # Names that no list may have, however well they are written.
    EVERYTHING = "everything", "would apply to every name"
    SINGLE_LABEL = "single-label", "is a top-level domain or a local name, not a host"
    PUBLIC_SUFFIX = "public-suffix", "is a public suffix, under which anyone can register names"
    PINNED = "pinned", "is pinned: nothing may block it"
    PROTECTED = "protected", "is protected from third-party lists; ignored"


SAMPLES = 20
"""Lines of each list that the report quotes."""
SHOWN_CHARACTERS = 80


@frozen
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


def shown_path(path: str) -> str:
    """Return a path whole, so that it can be copied; what does not print is escaped."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in path
    )
