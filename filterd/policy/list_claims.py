# SPDX-License-Identifier: Apache-2.0
"""The list entries that cover one question for one grade, before other rules.

The index finds the listed names that are the qname or its ancestors, the
decision table gives the meaning of their lists for a grade. Here the claims are matched
with the question: their scope, their types and the names they leave alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from filterd.lists.rules import Scope
from filterd.policy.decision_table import DecisionTable, Ruling
from filterd.policy.precedence import Speaker
from filterd.policy.verdict import Match, Rule
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from filterd.lists.index import Index
    from filterd.lists.index_format import Hit
    from filterd.lists.lookalikes import LookalikeRule
    from filterd.lists.rules import Claim
    from filterd.policy.model import GradePolicy, Policy

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

    speakers: list[Speaker]
    excepts_more: bool


class Lists:
    """The lists of one index, read by one policy."""

    def __init__(self, policy: Policy, index: Index) -> None:
        self._index = index
        self._table = DecisionTable(policy, index)
        self.lookup: Callable[[bytes], tuple[Hit, ...]] = index.lookup
        """Returns the listed names that are a qname or an ancestor of it, the longest first."""

    def say(self, grade: GradePolicy, qname: bytes, qtype: int, hits: tuple[Hit, ...]) -> Listed:
        """Return the entries that cover the question, for the names that ``lookup`` found."""
        speakers: list[Speaker] = []
        excepts_more = False
        own_labels = names.count_labels(qname)
        for hit in hits:
            at_self = hit.labels == own_labels
            excepts_more |= at_self and self._table.marks_exception_beneath(hit.set_id)
            covering = []
            for ruling in self._table.rulings(grade, hit.set_id):
                claim = ruling.claim
                if not _reaches(claim, qname, at_self):
                    continue
                if claim.covers_type(qtype) and not (at_self and claim.scope is Scope.SUBDOMAINS):
                    covering.append(ruling)
                else:
                    excepts_more |= ruling.rule is Rule.LIST_EXCEPTION
            speakers += self._speakers(hit, covering, qname)
        return Listed(speakers, excepts_more)

    def _speakers(self, hit: Hit, rulings: list[Ruling], qname: bytes) -> Iterator[Speaker]:
        """Return the entries for one listed name, with provenance."""
        for ruling in rulings:
            claim = ruling.claim
            match = _match(ruling, self._entry(hit, ruling, qname), qname)
            yield Speaker(match, hit.labels, claim.important, claim.specific)

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
    entry = match.said_of
    assert isinstance(entry, ListedEntry)
    of_hit = ListedEntry(entry.compiled, hit.rank, entry.claim_id)
    return Match._make((*match[:2], of_hit, *match[3:]))


def place_of(match: Match, hits: Sequence[Hit]) -> int:
    """Return the hit to which a list's match belongs."""
    entry = match.said_of
    assert isinstance(entry, ListedEntry)
    return next(place for place, hit in enumerate(hits) if hit.rank == entry.rank)


def _match(ruling: Ruling, entry: ListedEntry | LookalikeMatch, qname: bytes) -> Match:
    claim = ruling.claim
    whole = claim.scope is not Scope.EXACT and claim.types is None
    whole = whole and not any(names.is_at_or_beneath(left, qname) for left in claim.denyallow)
    return Match(
        ruling.rule,
        blocks=ruling.rule in _BLOCKING,
        said_of=entry,
        covers_subtree=whole,
        category=ruling.category,
        list_id=ruling.list_id,
        third_party=ruling.third_party,
    )


def _reaches(claim: Claim, qname: bytes, at_self: bool) -> bool:
    """Return whether a claim is about ``qname``, or a name beneath it, for any type."""
    if claim.scope is Scope.EXACT and not at_self:
        return False
    return not any(names.is_at_or_beneath(qname, left) for left in claim.denyallow)
