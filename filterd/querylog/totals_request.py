# SPDX-License-Identifier: Apache-2.0
"""Select and add up totals: what is asked for, and rows of the result. Pure."""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.value_class import frozen
from filterd.policy.model import TIER_OF_GRADE
from filterd.querylog.disclosure import SHOWS_ALL, ended_hours

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from filterd.querylog.day_reach import ReachRow
    from filterd.querylog.disclosure import Threshold

    Counted = tuple[int, str, str, str, str, str, int]
    # hour, grade, category, action, network, class, answers


class Total(NamedTuple):
    """The number of answers of one kind on a day.

    Attributes:
        date: of the school, ISO 8601.
        grade: empty for a confidential category, which is of the whole school. Only the figures
            of whole days have such totals (``period_totals``).
        category: empty for none.
        action: as in ``counts.CountRow``.
        n: answers.
        class_id: empty for none, or if not asked for.
        network: likewise.
        hour: the Unix time of its begin; 0 if not asked for.
    """

    date: str
    grade: str
    category: str
    action: str
    n: int
    class_id: str = ""
    network: str = ""
    hour: int = 0


@frozen
class TotalsRequest:
    """The totals that are asked for.

    Attributes:
        days: the last ones, with today.
        tier: of the clients; empty for all, as with the next three.
        grade: of the clients.
        class_id: of the clients.
        network: of the clients.
        by_hour: whether each hour is counted for itself.
        by_class: each class.
        by_network: each network.
        classes: of no other clients; None for all, also those without a class.
        old_s: how old the latest counts may be. Fresh ones are written to the disk first.
        confidential: categories that are not shown. The files may have made them so after they
            were counted.
        before: hours that end by this Unix time only.
        is_live: whether the present hour counts too: for sums without a category.
        threshold: from how many devices on a category is shown.
        held: the devices of today, for that.
    """

    days: int = 1
    tier: str = ""
    grade: str = ""
    class_id: str = ""
    network: str = ""
    by_hour: bool = False
    by_class: bool = False
    by_network: bool = False
    classes: Collection[str] | None = None
    confidential: Collection[str] = frozenset()
    old_s: float = 0.0
    before: float = inf
    is_live: bool = False
    threshold: Threshold = SHOWS_ALL
    held: Sequence[ReachRow] = ()

    def ends_at(self, now: float) -> float:
        """Return the Unix time until which hours are counted."""
        return inf if self.is_live else ended_hours(now, self.before)

    @property
    def exact(self) -> dict[str, str]:
        """Grade, network and class that rows must have, empty for all."""
        return {"grade": self.grade, "network": self.network, "class_id": self.class_id}

    def totals(self, date: str, counted: Iterable[Counted]) -> list[Total]:
        """Return the totals of a day, in order; none of a confidential category.

        Args:
            date: of the school, ISO 8601.
            counted: its rows.
        """
        sums = Counter[tuple[int, str, str, str, str, str]]()
        for hour, grade, category, action, network, class_id, n in counted:
            if grade and category not in self.confidential and self._has(grade, network, class_id):
                of_class = class_id if self.by_class else ""
                of_network = network if self.by_network else ""
                at = hour if self.by_hour else 0
                sums[at, grade, category, action, of_class, of_network] += n
        return [
            Total(date, grade, category, action, n, of_class, of_network, hour)
            for (hour, grade, category, action, of_class, of_network), n in sorted(sums.items())
        ]

    def row(self, total: Total) -> dict[str, Any]:
        """Return a total as a row for people, with what was asked for."""
        row = total._asdict()
        class_id, network, hour = (row.pop(key) for key in ("class_id", "network", "hour"))
        row["tier"] = TIER_OF_GRADE.get(total.grade, "")
        row |= {"class": class_id} if self.by_class else {}
        row |= {"network": network} if self.by_network else {}
        return row | ({"hour": hour} if self.by_hour else {})

    def _has(self, grade: str, network: str, class_id: str) -> bool:
        return (
            (not self.tier or TIER_OF_GRADE.get(grade) == self.tier)
            and (not self.grade or grade == self.grade)
            and (not self.network or network == self.network)
            and (not self.class_id or class_id == self.class_id)
            and (self.classes is None or class_id in self.classes)
        )


TODAY = TotalsRequest()
"""All totals of today."""
