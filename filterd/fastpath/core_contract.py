# SPDX-License-Identifier: Apache-2.0
"""Define the contract of the native core and ``core_filler``.

It has bounds, cells, and flags of a question.

The native modules check at import that their own numbers are these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from filterd.querylog import counts

if TYPE_CHECKING:
    from filterd.wire import ParsedQuery

ENTRIES = 32_768
"""The default number of answers in the packet cache."""

SWEEPS = 8
"""The packet cache is swept for hits and expired answers in so many parts, one a second, so that
all hits are reported before the cache's shortest entry that is refreshed ahead (10 s) expires."""

MOST_ROWS, MOST_OPENINGS, MOST_TALLIES = 64, 4_096, 8_192

MOST_DEVICES = counts.MOST_DEVICES

MOST_COUNTED = 4_096
"""Counted pairs of client group and tally; beyond them a tally is counted without its group."""

COMPLEX, OPEN, BLOCK = 0, 1, 2

ASKED_RD, ASKED_CD, ASKED_AD, ASKED_DO, ASKED_OPT = 1, 2, 4, 8, 16
"""Bits of a question that its answer depends on, beside name and type."""


class Cell(NamedTuple):
    """The decision for a claim set and a row.

    It is COMPLEX (the chain decides), OPEN or BLOCK.

    Of several blocks the one of the lowest ``rank`` decides, then of the longest name. An open
    cell has the number of an opening in the place of a template.
    """

    kind: int
    rank: int = 0
    template: int = 0
    tally: int = 0


def flags_of(query: ParsedQuery) -> int:
    """Return the bits of a question that its answer depends on, beside name and type."""
    header = query.header
    return (
        (ASKED_RD if header.rd else 0)
        | (ASKED_CD if header.cd else 0)
        | (ASKED_AD if header.ad else 0)
        | (ASKED_DO if query.do else 0)
        | (ASKED_OPT if query.edns is not None else 0)
    )
