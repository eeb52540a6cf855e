# SPDX-License-Identifier: Apache-2.0
"""What a list parser yields: entries, cancelled entries, and problems.

A parser says what its format means, not what filterd makes of it: names are
text as written, and whether they are host names, public suffixes or pinned is
for the compiler to say, which knows one way to say it for all formats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from filterd.lists.rules import Claim, Effect, Scope

if TYPE_CHECKING:
    from filterd.lists.reject_reasons import Reason

MAX_LINE = 4096
"""Characters that a line may have; the bound of the work that one line can cause."""

MAX_QUOTED = 200
"""Characters of a bad line that its report quotes."""

BLOCK_EXACT = Claim(Scope.EXACT)
BLOCK_SUBTREE = Claim(Scope.SUBTREE)
BLOCK_SUBDOMAINS = Claim(Scope.SUBDOMAINS)
EXCEPT_SUBTREE_SPECIFIC = Claim(Scope.SUBTREE, Effect.EXCEPT, specific=True)


class Entry(NamedTuple):
    """One name that a line speaks of. A line may make several.

    ``line`` is 1-based; ``name`` is unchecked text: U- or A-labels in any case,
    perhaps with a final dot; ``claim`` is shared by all entries that say the same.
    """

    line: int
    name: str
    claim: Claim


class Cancelled(NamedTuple):
    """A wish of the list that its own entries of this name and claim do not hold.

    Wherever in the list they stand (``$badfilter``).
    """

    line: int
    name: str
    claim: Claim


class Problem(NamedTuple):
    """A line, or a part of one, that says nothing usable; ``text`` is its beginning."""

    line: int
    reason: Reason
    text: str


Parsed = Entry | Cancelled | Problem

ParseList = Callable[[Iterable[str]], Iterator[Parsed]]
"""From the lines of a list, without their ends, to what they say.

Never raises, whatever the text; blank lines and comments yield nothing.
"""


class PlainLine(NamedTuple):
    """A shape in which a line of a format says one thing of one name, with nothing else on it.

    ``before`` and ``after``: the ASCII text around the name; ``claim``: what the line says of it;
    ``unless``: names, as text, of which the format says something else.
    """

    before: str
    after: str
    claim: Claim
    unless: frozenset[str] = frozenset()

    @property
    def octets(self) -> int:
        """The length of what stands around the name."""
        return len(self.before) + len(self.after)


def problem(line: int, reason: Reason, text: str) -> Problem:
    """Return the problem of a line, quoting no more of it than a report can show."""
    return Problem(line, reason, text[:MAX_QUOTED].strip())
