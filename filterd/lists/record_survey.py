# SPDX-License-Identifier: Apache-2.0
"""Survey records in one pass, natively or not.

The survey finds which claims they use, and a few records to look at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.lists.sort_records import CANCELS, TAIL_OCTETS, read_tail
from filterd.native import live_only

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

USED, CANCELLED = 1, 2
"""Uses of a claim, added: a record has it; one of them cancels it."""


def plainly_survey(
    records: Sequence[bytes], seen: AbstractSet[bytes], wanted: bytes
) -> tuple[bytes, list[bytes]]:
    """Return the uses of each claim, and the records that are picked, in their order.

    Args:
        records: see ``filterd.lists.sort_records``.
        seen: keys whose records are picked.
        wanted: for each claim id, whether its records are picked, too.
    """
    uses, picked = bytearray(len(wanted)), list[bytes]()
    for record in records:
        claim, line = read_tail(record)
        uses[claim] |= USED | (CANCELLED if line == CANCELS else 0)
        if wanted[claim] or record[:-TAIL_OCTETS] in seen:
            picked.append(record)
    return bytes(uses), picked


survey = getattr(live_only("filterd.lists._matcher"), "survey", plainly_survey)
"""``plainly_survey``, or the native code that finds the same."""
