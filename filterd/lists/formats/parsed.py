# SPDX-License-Identifier: Apache-2.0
"""The results of a list parser: entries, cancelled entries, and problems.

A parser returns the meaning of its format, without judging it: names are text as
written. Whether they are host names, public suffixes or pinned is decided by the
compiler, in one way for all formats.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from filterd.lists.rules import Claim, Effect, Scope
from filterd.wire.registry import RRType

if TYPE_CHECKING:
    from filterd.lists.report import Reason

MAX_LINE = 4096
"""Characters that a line may have; the bound of the work that one line can cause."""

MAX_QUOTED = 200
"""Characters of a bad line that its report quotes."""

BLOCK_EXACT = Claim(Scope.EXACT)
BLOCK_SUBTREE = Claim(Scope.SUBTREE)
BLOCK_SUBDOMAINS = Claim(Scope.SUBDOMAINS)
EXCEPT_SUBTREE_SPECIFIC = Claim(Scope.SUBTREE, Effect.EXCEPT, specific=True)


class Entry(NamedTuple):
    """One name of a line. A line may make several.

    ``line`` is 1-based; ``name`` is unchecked text: U- or A-labels in any case,
    perhaps with a final dot; ``claim`` is shared by all entries with an equal one.
    """

    line: int
    name: str
    claim: Claim


class Cancelled(NamedTuple):
    """A request to cancel the list's own entries of this name and claim.

    They may stand anywhere in the list (``$badfilter``).
    """

    line: int
    name: str
    claim: Claim


class Problem(NamedTuple):
    """A line, or part of one, without a usable meaning; ``text`` is its beginning."""

    line: int
    reason: Reason
    text: str


Parsed = Entry | Cancelled | Problem

ParseList = Callable[[Iterable[str]], Iterator[Parsed]]
"""A parser: from the lines of a list, without their ends, to their meaning.

Never raises, whatever the text; blank lines and comments yield nothing.
"""


class PlainLine(NamedTuple):
    """The shape of a line that has one claim on one name and nothing else.

    ``before`` and ``after``: the ASCII text around the name; ``claim``: its claim;
    ``unless``: names, as text, that have another meaning in the format.
    """

    before: str
    after: str
    claim: Claim
    unless: frozenset[str] = frozenset()

    @property
    def octets(self) -> int:
        """The length of the text around the name."""
        return len(self.before) + len(self.after)


def problem(line: int, reason: Reason, text: str) -> Problem:
    """Return the problem of a line, quoting no more of it than a report can show."""
    return Problem(line, reason, text[:MAX_QUOTED].strip())


_unknown = re.compile(r"TYPE(\d{1,5})", re.ASCII).fullmatch


def rrtype(text: str) -> int | None:
    """Return the code of a type written in any case, or None if it is no type."""
    upper = text.upper()
    if upper in RRType.__members__:
        return int(RRType[upper])
    match = _unknown(upper)
    if match and 0 < (code := int(match[1])) <= 0xFFFF:
        return code
    return None
