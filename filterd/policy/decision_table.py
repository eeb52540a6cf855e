# SPDX-License-Identifier: Apache-2.0
"""The decision table: (grade, claim set of the index) -> rulings.

The index knows which lists name a name, policy knows what each list's category
means to a grade. There are few distinct sets and few grades, so the product is
small; it is filled on demand and dropped with its policy or index. The chain reads it
through ``engine``, and so may a fast path: there is no second copy of the rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from filterd.lists.rules import Claim, Effect
from filterd.policy.model import LIST, SERVICE
from filterd.policy.verdict import Rule

if TYPE_CHECKING:
    from filterd.lists.index import Index
    from filterd.lists.index_contents import ListRecord
    from filterd.policy.model import Category, GradePolicy, Policy


@dataclass(frozen=True, slots=True)
class Ruling:
    """The meaning of one list's claim on a name for one grade.

    ``rule`` is ORDERED, LOCKED, CATEGORY or OPEN for a claim that blocks the name, and
    LIST_EXCEPTION for one that excepts it, or that belongs to a service that is open to
    the grade although its category is closed. ``third_party``: protection holds against
    it.
    """

    rule: Rule
    claim_id: int
    claim: Claim
    list_id: str
    category: str
    third_party: bool


class DecisionTable:
    """Rulings by grade and claim set."""

    def __init__(self, policy: Policy, index: Index) -> None:
        self._categories, self._kept_closed = policy.categories, policy.kept_closed
        self._index = index
        self._rows: dict[tuple[str, int], tuple[Ruling, ...]] = {}

    def rulings(self, grade: GradePolicy, set_id: int) -> tuple[Ruling, ...]:
        """Return the meaning of claim set ``set_id`` for ``grade``, in claim order."""
        key = (grade.key, set_id)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = tuple(
                self._ruling(grade, claim_id)
                for claim_id in self._index.sets[set_id]
                if self._index.claims[claim_id][1].effect is not Effect.MARKER
            )
        return row

    def marks_exception_beneath(self, set_id: int) -> bool:
        """Return whether a list has an exception beneath the name with this set."""
        claims = self._index.claims
        return any(claims[c][1].effect is Effect.MARKER for c in self._index.sets[set_id])

    def leaves_names_alone(self, set_id: int) -> bool:
        """Return whether the meaning of a set depends on the name asked for beneath."""
        claims = self._index.claims
        return any(claims[c][1].denyallow for c in self._index.sets[set_id])

    def _ruling(self, grade: GradePolicy, claim_id: int) -> Ruling:
        list_index, claim = self._index.claims[claim_id]
        source = self._index.lists[list_index]
        category = self._categories.get(source.category)
        is_exception = claim.effect is Effect.EXCEPT
        block = _rule_of_block(source, category, grade, self._kept_closed)
        return Ruling(
            rule=Rule.LIST_EXCEPTION if is_exception else block,
            claim_id=claim_id,
            claim=claim,
            list_id=source.id,
            category=source.category,
            third_party=not source.own,
        )


def _rule_of_block(
    source: ListRecord, category: Category | None, grade: GradePolicy, kept: frozenset[str]
) -> Rule:
    """Return the rule of a list's block for this grade.

    A category that the policy does not know is closed: a list that comes with a
    newer feed must not be open because the site's files are older. An order is
    one only if the publisher signed it; an order from any other source is locked, and
    so is what the school keeps closed.
    """
    if category is None:
        return Rule.CATEGORY
    if category.ordered and source.own:
        return Rule.ORDERED
    if category.ordered or category.locked:
        return Rule.LOCKED
    is_service = source.id.startswith(SERVICE)
    own_id = source.id if is_service else LIST + source.id
    category_closed = category.id in grade.closed
    opened = own_id in grade.opened and own_id not in grade.closed
    closed = own_id in grade.closed or (category_closed and not opened)
    if (category_closed and category.id in kept) or (closed and own_id in kept):
        return Rule.LOCKED
    if closed:
        return Rule.CATEGORY
    return Rule.LIST_EXCEPTION if opened and is_service and category_closed else Rule.OPEN
