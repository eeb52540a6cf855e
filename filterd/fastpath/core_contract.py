# SPDX-License-Identifier: Apache-2.0
"""What the native core and ``core_filler`` agree on: bounds, cells, flags of a question.

The native modules check at import that their own numbers are these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from filterd.wire import ParsedQuery

ENTRIES = 32_768
"""How many answers are kept where nothing else is asked for."""

SWEEPS = 8
"""In so many parts the kept answers are searched for hits and for what has expired, one a second.
All hits are reported before the cache's shortest entry that is refreshed ahead (10 s) expires."""

MOST_ROWS, MOST_OPENINGS, MOST_TALLIES = 64, 4_096, 8_192

COMPLEX, OPEN, BLOCK = 0, 1, 2

ASKED_RD, ASKED_CD, ASKED_AD, ASKED_DO, ASKED_OPT = 1, 2, 4, 8, 16
"""What of a question beside name and type its answer depends on."""


class Cell(NamedTuple):
    """What a claim set means to a row: COMPLEX for the chain, OPEN for nothing, or BLOCK.

    Of several blocks the one of the lowest ``rank`` decides, then of the longest name. An open
    cell has an opening in the place of a template: as what the name is counted.
    """

    kind: int
    rank: int = 0
    template: int = 0
    tally: int = 0


def flags_of(query: ParsedQuery) -> int:
    """Return what of a question beside name and type its answer depends on."""
    header = query.header
    return (
        (ASKED_RD if header.rd else 0)
        | (ASKED_CD if header.cd else 0)
        | (ASKED_AD if header.ad else 0)
        | (ASKED_DO if query.do else 0)
        | (ASKED_OPT if query.edns is not None else 0)
    )
