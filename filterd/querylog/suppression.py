# SPDX-License-Identifier: Apache-2.0
"""Decide which cells of the totals may leave the school. Pure.

Two tables leave it: tier x category x action x day, and grade x category x action x
month. A cell of fewer than k devices is left out of both (*primary* suppression). The
two tables have one sum in common: for a tier, category and action, the days of a month
add up to its grades. So a cell that is left out may follow from those that are not, and
safe cells have to be left out as well (*complementary* suppression). Days are published
before their month is over, so only grades can be the complement. A day that is left out asks for
none: its answers are not in the month either (``published_totals``).

Then of any cells of fewer than k devices together a reader of all tables cannot tell that
they have more than one answer each, and the published grades do not tell that they have less
than twice what they have. Both tables leave out cells, not columns, so a cell without answers
looks like one that was left out.

What one grade did on one day is in no table and is not hidden beyond that: a grade has on a day
at least what its month exceeds the other days of its tier by. Where a category has answers on a
few days only, that is a number, and few devices may be behind it.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import chain, combinations
from typing import TYPE_CHECKING, NamedTuple

from filterd.policy.model import TIER_OF_GRADE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Key = tuple[str, str, str]
"""Tier, category, action."""


class TableCell(NamedTuple):
    """The answers of a tier on a day, or of a grade in a month.

    Attributes:
        id: the tier or grade; "" for a confidential category, which is of the whole school.
        category: empty for none.
        action: as in ``counts.CountRow``.
        n: answers.
        devices: distinct ones, at least; those of a month are those of the day with the most.
    """

    id: str
    category: str
    action: str
    n: int
    devices: int


def of_day(cells: Iterable[TableCell], k: int) -> list[TableCell]:
    """Return the cells of tiers that may be published for a day."""
    return [cell for cell in cells if cell.devices >= k]


def of_month(grades: Iterable[TableCell], hidden: Iterable[TableCell], k: int) -> list[TableCell]:
    """Return the cells of grades that may be published for a month.

    Args:
        grades: of the month.
        hidden: answers of tiers that are in these grades and in no published day: late counts.
        k: the least number of devices.
    """
    of_key, hidden_of_key = (
        defaultdict[Key, list[TableCell]](list),
        defaultdict[Key, list[int]](list),
    )
    for cell in grades:
        of_key[TIER_OF_GRADE[cell.id], cell.category, cell.action].append(cell)
    for cell in hidden:
        hidden_of_key[cell[:3]].append(cell.n)
    return list(
        chain.from_iterable(
            _published(cells, hidden_of_key[key], k) for key, cells in of_key.items()
        )
    )


def _published(grades: Sequence[TableCell], days: Sequence[int], k: int) -> Sequence[TableCell]:
    """Return the grades of one tier, category and action that may be published.

    Of the sets of safe grades that hide the others the smallest is left out, with the
    fewest answers.
    """
    small = [cell for cell in grades if cell.devices < k]
    safe = sorted((cell for cell in grades if cell.devices >= k), key=lambda cell: cell.n)
    sets = chain.from_iterable(combinations(safe, n) for n in range(len(safe)))
    for left_out in sets:
        if _hides([cell.n for cell in small], [cell.n for cell in left_out], days):
            return [cell for cell in safe if cell not in left_out]
    return ()


def _hides(small: Sequence[int], safe: Sequence[int], days: Sequence[int]) -> bool:
    """Return whether cells that are left out hide each other.

    Each may be 1 at least, so what a sum exceeds its number of cells by is free to move.

    Args:
        small: answers of grades with too few devices.
        safe: of other grades that are left out.
        days: of days that are left out; all have too few devices.
    """
    if not small and not days:
        return True
    if not safe:
        return False
    if not days:  # then the sum of the grades that are left out follows
        return _excess(safe) >= sum(small)
    return _excess(small) + _excess(safe) >= _excess(days)


def _excess(answers: Sequence[int]) -> int:
    return sum(answers) - len(answers)
