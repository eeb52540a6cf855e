# SPDX-License-Identifier: Apache-2.0
"""One function that decides: (client, qname, qtype, now) -> Verdict. Pure, no I/O.

The order of rules (design §2) is the order in which ``_Case.matches`` lists
what covers the question; the first of them decides, the second would have:

1. a pin;
2. an order (``ordered`` category): even protection yields to it;
3. a locked category; what protection defeats is not counted here;
4. the site's own allows and blocks: the longer name, then the narrower
   audience, then the block;
5. a closed category, unless a list of that category excepts the name.

Protection and list exceptions therefore stand *behind* what they did not
defeat and *before* what they did.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from filterd.lists.rules import Scope
from filterd.policy.model import Audience, BlockResponse, LocalRule, Policy
from filterd.policy.overlay import Overlay, OverlayEntry
from filterd.policy.table import DecisionTable, Ruling
from filterd.policy.verdict import PASSED, Action, Match, Rule, Verdict
from filterd.wire import RRType
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.lists.index import Index
    from filterd.lists.layout import Hit
    from filterd.policy.client import Client

_AUDIENCE_WIDTH = {audience: width for width, audience in enumerate(Audience)}
_SCOPE_PREFIX = {Scope.EXACT: "=", Scope.SUBTREE: "", Scope.SUBDOMAINS: "*."}


class Engine:
    """A policy and an index, joined. Immutable: a reload makes another engine."""

    def __init__(self, policy: Policy, index: Index) -> None:
        self.policy = policy
        self.index = index
        self._overlay = Overlay(policy)
        self._table = DecisionTable(policy, index)

    def decide(self, client: Client, qname: bytes, qtype: int, now: float) -> Verdict:
        """Decide one question.

        Args:
            client: who asks.
            qname: canonical wire name.
            qtype: the type asked for; lists may speak of some types only.
            now: Unix time; the site's own rules have dates.
        """
        said = self._overlay.lookup(qname)
        hits = self.index.lookup(qname)
        if not said and not hits:
            return PASSED
        case = _Case(self.index, self._table, self._overlay, client, qname, qtype, now, said, hits)
        return case.verdict()

    def decide_target(
        self, client: Client, covering: Verdict, target: bytes, qtype: int, now: float
    ) -> Verdict:
        """Decide on a CNAME or SVCB target of an answer whose qname got ``covering``.

        What let the qname through covers its chain: a pin against everything, a
        local allow against all but orders and locked categories, protection
        against third-party lists but orders. The reverse never holds: that a
        target is allowed says nothing of the qname.
        """
        verdict = self.decide(client, target, qtype, now)
        if not verdict.blocked or verdict.match is None:
            return verdict
        if covering.match is not None and self._covers(covering.match, verdict.match):
            return Verdict(Action.PASS, covering.match, verdict.match, verdict.valid_until)
        if verdict.action is Action.NXDOMAIN:
            return replace(verdict, action=Action.NODATA)  # beneath the *qname* nothing is blocked
        return verdict

    def _covers(self, cover: Match, block: Match) -> bool:
        if cover.blocks:
            return False
        if cover.rule is Rule.PIN:
            return True
        if cover.rule is Rule.LOCAL:
            return block.rule > Rule.LOCKED
        if cover.rule is Rule.PROTECTED:
            return block.rule is not Rule.ORDERED and self._is_third_party(block)
        return False

    def _is_third_party(self, match: Match) -> bool:
        return any(record.id == match.list_id and not record.own for record in self.index.lists)


@dataclass(slots=True)
class _ListMatches:
    """What the lists say of the question, sorted by what becomes of it."""

    ordered: list[Match]
    locked: list[Match]
    closed: list[Match]
    defeated: list[Match]
    excepted: list[Match]
    exceptions: list[Match]
    opened: list[Match]


@dataclass(slots=True)
class _Case:
    """One question before the engine."""

    index: Index
    table: DecisionTable
    overlay: Overlay
    client: Client
    qname: bytes
    qtype: int
    now: float
    said: list[tuple[bytes, OverlayEntry]]
    hits: tuple[Hit, ...]

    def verdict(self) -> Verdict:
        matches = self.matches()
        until = self._valid_until()
        if not matches:
            return PASSED if until is None else Verdict(Action.PASS, valid_until=until)
        first, second = matches[0], matches[1] if len(matches) > 1 else None
        action = self._block_action(matches) if first.blocks else Action.PASS
        return Verdict(action, first, second, until)

    def matches(self) -> list[Match]:
        """All rules that cover the question, in the order in which they decide."""
        lists = self._list_matches()
        protection = self._protection()
        protected = (
            [Match(Rule.PROTECTED, False, protection[0], reason=protection[1])]
            if protection and lists.defeated
            else []
        )
        return [
            *self._pins(),
            *lists.ordered,
            *lists.locked,
            *self._local_matches(),
            *lists.closed,
            *protected,
            *lists.exceptions,
            *lists.defeated,
            *lists.excepted,
            *lists.opened,
        ]

    # -- what the overlay says ------------------------------------------------

    def _pins(self) -> Iterator[Match]:
        for name, entry in self.said:
            if entry.pin and (name == self.qname or entry.pin.subtree):
                yield Match(Rule.PIN, False, name, reason=entry.pin.reason)

    def _protection(self) -> tuple[bytes, str, frozenset[str]] | None:
        for name, entry in self.said:
            protection = entry.protection
            if protection and (name == self.qname or protection.subtree):
                return name, protection.reason, protection.except_categories
        return None

    def _rules_for_client(self) -> Iterator[LocalRule]:
        for _, entry in self.said:
            for rule in entry.rules:
                if self.client.is_meant_by(rule):
                    yield rule

    def _local_matches(self) -> list[Match]:
        in_force = [rule for rule in self._rules_for_client() if _holds(rule, self.now)]
        in_force.sort(
            key=lambda rule: (
                -names.count_labels(rule.name),
                -_AUDIENCE_WIDTH[rule.audience],
                rule.allow,
            )
        )
        return [
            Match(Rule.LOCAL, not rule.allow, rule.name, local_id=rule.id, reason=rule.reason)
            for rule in in_force
        ]

    def _valid_until(self) -> float | None:
        """The next moment at which one of the site's own rules begins or ends."""
        edges = [
            edge
            for rule in self._rules_for_client()
            for edge in (rule.starts_at, rule.ends_at)
            if edge is not None and edge > self.now
        ]
        return min(edges, default=None)

    # -- what the lists say ---------------------------------------------------

    def _list_matches(self) -> _ListMatches:
        sorted_out = _ListMatches([], [], [], [], [], [], [])
        applicable = list(self._applicable())
        exceptions = [(hit, r) for hit, r in applicable if r.rule is Rule.LIST_EXCEPTION]
        protection = self._protection()
        for hit, ruling in applicable:
            if ruling.rule is Rule.LIST_EXCEPTION:
                continue
            match = self._match(hit, ruling)
            if ruling.rule is Rule.ORDERED:
                sorted_out.ordered.append(match)
            elif protection and ruling.third_party and ruling.category not in protection[2]:
                if match.blocks:
                    sorted_out.defeated.append(match)
            elif ruling.rule is Rule.LOCKED:
                sorted_out.locked.append(match)
            elif ruling.rule is Rule.OPEN:
                sorted_out.opened.append(match)
            elif excepting := _excepting(hit, ruling, exceptions):
                sorted_out.excepted.append(match)
                sorted_out.exceptions.append(self._match(*excepting))
            else:
                sorted_out.closed.append(match)
        return sorted_out

    def _applicable(self) -> Iterator[tuple[Hit, Ruling]]:
        own_labels = names.count_labels(self.qname)
        for hit in self.hits:
            at_self = hit.labels == own_labels
            for ruling in self.table.rulings(self.client.grade, hit.set_id):
                if self._applies(ruling, at_self):
                    yield hit, ruling

    def _applies(self, ruling: Ruling, at_self: bool) -> bool:
        claim = ruling.claim
        if claim.scope is (Scope.SUBDOMAINS if at_self else Scope.EXACT):
            return False
        if claim.types is not None and not claim.covers_type(self.qtype):
            return False
        return not any(names.is_at_or_beneath(self.qname, left) for left in claim.denyallow)

    def _match(self, hit: Hit, ruling: Ruling) -> Match:
        claim, index = ruling.claim, self.index
        name = index.name(hit.rank)
        lines = dict(index.entries(hit.rank))
        return Match(
            ruling.rule,
            blocks=ruling.rule in (Rule.ORDERED, Rule.LOCKED, Rule.CATEGORY),
            name=name,
            covers_subtree=claim.scope is not Scope.EXACT
            and claim.types is None
            and not claim.denyallow,
            category=ruling.category,
            list_id=ruling.list_id,
            line=lines[ruling.claim_id],
            entry=_SCOPE_PREFIX[claim.scope] + names.to_text(name),
        )

    # -- what a block looks like ----------------------------------------------

    def _block_action(self, matches: Iterable[Match]) -> Action:
        """Choose the answer, the same for all types of the name (dns.md §4)."""
        grade = self.client.grade
        if grade.response is BlockResponse.SINKHOLE:
            address_type = self.qtype in (RRType.A, RRType.AAAA)
            return Action.SINKHOLE if address_type else Action.NODATA
        if grade.response is BlockResponse.NODATA or not self._everything_beneath_is_blocked(
            matches
        ):
            return Action.NODATA
        return Action.NXDOMAIN

    def _everything_beneath_is_blocked(self, matches: Iterable[Match]) -> bool:
        if self.overlay.has_allowed_beneath(self.qname):
            return False
        own_labels = names.count_labels(self.qname)
        if any(
            hit.labels == own_labels and self.table.marks_exception_beneath(hit.set_id)
            for hit in self.hits
        ):
            return False
        return any(match.blocks and match.covers_subtree for match in _until_first_pass(matches))


def _until_first_pass(matches: Iterable[Match]) -> Iterator[Match]:
    for match in matches:
        if not match.blocks:
            return
        yield match


def _holds(rule: LocalRule, now: float) -> bool:
    begun = rule.starts_at is None or rule.starts_at <= now
    return begun and (rule.ends_at is None or now < rule.ends_at)


def _excepting(
    hit: Hit, block: Ruling, exceptions: list[tuple[Hit, Ruling]]
) -> tuple[Hit, Ruling] | None:
    """Find the exception that takes the name out of this block's reach.

    An exception speaks for lists of its own category only: an advertising list
    that leaves a name alone must not open a games site.
    """
    for other, exception in exceptions:
        if exception.category != block.category:
            continue
        if block.claim.important and not exception.claim.important:
            continue
        if exception.claim.specific and other.labels < hit.labels:
            continue
        return other, exception
    return None
