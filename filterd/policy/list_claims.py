# SPDX-License-Identifier: Apache-2.0
"""The list entries that cover one question for one grade, before other rules.

The index finds the listed names that are the qname or its ancestors. The *decision table*
gives the meaning of their claim sets for a grade: (grade, claim set) -> rulings. There are
few distinct sets and few grades, so it is small; it is filled on demand and dropped with
its policy or index. The fast path reads the same table through ``plain_sets``. ``Lists``
matches the claims with the question: their scope, types and the names they leave alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from filterd.base.value_class import frozen
from filterd.lists.rules import (
    ALWAYS_CONFIDENTIAL,
    LOOKALIKE_PREFIX,
    Claim,
    Effect,
    Scope,
    is_order,
)
from filterd.policy.model import LIST, SERVICE
from filterd.policy.precedence import RankedMatch
from filterd.policy.verdict import Match, Rule
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from filterd.lists.index import Index, ListRecord
    from filterd.lists.index_format import Hit
    from filterd.lists.lookalikes import LookalikeRule
    from filterd.policy.model import Category, GradePolicy, Policy

_BLOCKING = (Rule.ORDERED, Rule.LOCKED, Rule.CATEGORY)


class ListedEntry(NamedTuple):
    """One entry of the index: name, list and claim.

    Its name and line are found and decoded when they are read: a block must not be delayed
    for an explanation that may never be asked for.
    """

    compiled: Index
    rank: int
    claim_id: int

    @property
    def name(self) -> bytes:
        """The listed name; raises as ``Index.name`` does."""
        return self.compiled.name(self.rank)

    @property
    def line(self) -> int:
        """The line of the list; raises as ``Index.entries`` does."""
        return dict(self.compiled.entries(self.rank))[self.claim_id]

    @property
    def entry(self) -> str:
        """The entry as lists write it; raises as ``Index.name`` does."""
        _, claim = self.compiled.claims[self.claim_id]
        return claim.scope.written(names.to_text(self.name))


class LookalikeMatch(NamedTuple):
    """A look-alike rule of the index, for a name that fits it; like ``ListedEntry``."""

    compiled: Index
    rank: int
    name: bytes

    @property
    def line(self) -> int:
        """The line of the rule."""
        return self._rule.line

    @property
    def entry(self) -> str:
        """The rule, in the form for people."""
        return self._rule.written

    @property
    def _rule(self) -> LookalikeRule:
        rule = self.compiled.lookalike(self.rank)
        assert rule is not None
        return rule


class Listed(NamedTuple):
    """The entries that cover a question.

    ``excepts_more``: an exception is about another type of the name, or about
    a name beneath it. Both would be denied by an NXDOMAIN (RFC 8020).
    """

    ranked: list[RankedMatch]
    excepts_more: bool


class Lists:
    """The lists of one index, read by one policy."""

    def __init__(self, policy: Policy, index: Index) -> None:
        self._index = index
        self._table = DecisionTable(policy, index)
        self.lookup: Callable[[bytes], tuple[Hit, ...]] = index.lookup
        """Returns the listed names that are a qname or an ancestor of it, the longest first."""

    def covering(
        self, grade: GradePolicy, qname: bytes, qtype: int, hits: tuple[Hit, ...]
    ) -> Listed:
        """Return the entries that cover the question, for the names that ``lookup`` found."""
        ranked: list[RankedMatch] = []
        excepts_more = False
        own_labels = names.count_labels(qname)
        for hit in hits:
            at_self = hit.labels == own_labels
            excepts_more |= at_self and self._table.marks_exception_beneath(hit.set_id)
            for ruling in self._table.rulings(grade, hit.set_id):
                claim = ruling.claim
                if not reaches(claim, qname, at_self=at_self):
                    continue
                if claim.covers_type(qtype) and not (at_self and claim.scope is Scope.SUBDOMAINS):
                    match = _match(ruling, self._entry(hit, ruling, qname), qname)
                    ranked.append(RankedMatch(match, hit.labels, claim.important, claim.specific))
                else:
                    excepts_more |= ruling.rule is Rule.LIST_EXCEPTION
        return Listed(ranked, excepts_more)

    def _entry(self, hit: Hit, ruling: Ruling, qname: bytes) -> ListedEntry | LookalikeMatch:
        if self._index.lookalike(hit.rank) is None:
            return ListedEntry(self._index, hit.rank, ruling.claim_id)
        name = list(names.suffixes(qname))[-hit.labels]
        return LookalikeMatch(self._index, hit.rank, name)

    def read_names(self, hits: Iterable[Hit]) -> bool:
        """Return whether an entry for these differs between names beneath.

        So does a rule for look-alikes: no rank shows which name fitted it.
        """
        return any(
            self._table.leaves_names_alone(hit.set_id) or self._index.lookalike(hit.rank)
            for hit in hits
        )


def moved(match: Match, hit: Hit) -> Match:
    """Return the same match for the name of another hit."""
    entry = match.subject
    assert isinstance(entry, ListedEntry)
    of_hit = ListedEntry(entry.compiled, hit.rank, entry.claim_id)
    return Match._make((*match[:2], of_hit, *match[3:]))


def place_of(match: Match, hits: Sequence[Hit]) -> int:
    """Return the hit to which a list's match belongs."""
    entry = match.subject
    assert isinstance(entry, ListedEntry)
    return next(place for place, hit in enumerate(hits) if hit.rank == entry.rank)


def _match(ruling: Ruling, entry: ListedEntry | LookalikeMatch, qname: bytes) -> Match:
    claim = ruling.claim
    whole = claim.scope is not Scope.EXACT and claim.types is None
    whole = whole and not any(names.is_at_or_beneath(left, qname) for left in claim.denyallow)
    return Match(
        ruling.rule,
        blocks=ruling.rule in _BLOCKING,
        subject=entry,
        covers_subtree=whole,
        category=ruling.category,
        list_id=ruling.list_id,
        third_party=ruling.third_party,
    )


def reaches(claim: Claim, qname: bytes, *, at_self: bool) -> bool:
    """Return whether a claim is about ``qname``, or a name beneath it, for any type."""
    if claim.scope is Scope.EXACT and not at_self:
        return False
    return not any(names.is_at_or_beneath(qname, left) for left in claim.denyallow)


@frozen
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
        marked = (category.id for category in policy.categories.values() if category.confidential)
        self._confidential = ALWAYS_CONFIDENTIAL.union(marked)
        self._index = index
        self._rows: dict[tuple[str, int], tuple[Ruling, ...]] = {}

    def rulings(self, grade: GradePolicy, set_id: int) -> tuple[Ruling, ...]:
        """Return the meaning of claim set ``set_id`` for ``grade``, in claim order.

        Confidential categories come first: of several that close a name by the same rule the
        first is counted, and what is confidential is never counted for a class.
        """
        key = (grade.key, set_id)
        row = self._rows.get(key)
        if row is None:
            rulings = (
                self._ruling(grade, claim_id)
                for claim_id in self._index.sets[set_id]
                if self._index.claims[claim_id][1].effect is not Effect.MARKER
            )
            hidden = self._confidential
            row = tuple(sorted(rulings, key=lambda ruling: ruling.category not in hidden))
            self._rows[key] = row
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
        if block is Rule.LOCKED and LOOKALIKE_PREFIX in source.id:  # beside a feed: web:lookalike:
            block = Rule.CATEGORY  # a guess: closed to everybody, and the school can correct it
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
    one only if the authority signed it (``is_order``); any other list of an ordered
    category is locked, the publisher's own too, and so is what the school keeps closed.
    """
    if category is None:
        return Rule.CATEGORY
    if category.ordered and is_order(source.id):
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
