# SPDX-License-Identifier: Apache-2.0
"""The engine: one function decides (client, qname, qtype, now) -> Verdict. Pure.

``name_rules`` and ``list_claims`` find the rules for a name, ``precedence`` decides among
them. What remains for this module is the kind of answer that a block gets, and the
effect of a name that passed on its targets.
"""

from __future__ import annotations

from itertools import chain, takewhile
from typing import TYPE_CHECKING, NamedTuple

from filterd.policy.list_claims import Lists, moved, place_of
from filterd.policy.model import BlockResponse
from filterd.policy.name_rules import NO_RULES, Overlay
from filterd.policy.precedence import RankedMatch, covers, in_turn
from filterd.policy.verdict import PASSED, Action, Match, Rule, Verdict
from filterd.wire import RRType
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from filterd.lists.index import Index
    from filterd.lists.index_format import Hit
    from filterd.policy.model import Client, GradePolicy, Policy
    from filterd.policy.name_rules import FileRules, NameRules

    _Key = tuple[str, int, bool, bool, tuple[int, ...]]

_ADDRESS_TYPES = (RRType.A, RRType.AAAA)
_REWRITTEN_TYPES = (*_ADDRESS_TYPES, RRType.HTTPS, RRType.SVCB)
"""Types that lead to an address; other types of a rewritten name get no data."""


_MOST_KNOWN = 10_000
"""Verdicts memorised; clients choose the types, so their number must be bounded."""


class Engine:
    """Policy and index, joined. Immutable: a reload makes another engine.

    Args:
        policy: an effective one.
        index: the compiled lists.
        files: what is known of the files that the policy was made of.
    """

    def __init__(self, policy: Policy, index: Index, files: FileRules | None = None) -> None:
        self.policy = policy
        self.index = index
        self._overlay = Overlay(policy, files)
        self._lists = Lists(policy, index)
        self._own = frozenset(_own_zones(policy))
        self._above_own = frozenset(above for one in self._own for above in names.suffixes(one))
        self._known: dict[_Key, _Known] = {}

    def decide(self, client: Client, qname: bytes, qtype: int, now: float) -> Verdict:
        """Decide one question.

        Args:
            client: the asking one.
            qname: canonical wire name.
            qtype: the type asked for; list entries may be limited to some types.
            now: Unix time; the site's own rules have dates.
        """
        own_rules, hits = self._overlay.lookup(qname), self._lists.lookup(qname)
        return self._decide_of(client, qname, qtype, now, (), own_rules, hits)

    def decide_for(
        self, clients: Iterable[Client], qname: bytes, qtype: int, now: float
    ) -> list[Verdict]:
        """Decide one question for several clients with a single lookup of the name."""
        own_rules, hits = self._overlay.lookup(qname), self._lists.lookup(qname)
        return [
            self._decide_of(client, qname, qtype, now, (), own_rules, hits) for client in clients
        ]

    def alike(self, qname: bytes) -> tuple[object, ...] | None:
        """Return a key shared by names whose verdicts are all by the same list claims.

        Such verdicts differ in the names of their entries only. None for a name with rules of
        its own but guards of a subtree, or whose claims leave some names alone. A grade that is
        ``allow_only`` is decided by the name all the same.
        """
        hits, own_rules = self._lists.lookup(qname), self._overlay.lookup(qname)
        guards = () if own_rules is NO_RULES else own_rules.subtrees
        if guards is None or self._lists.read_names(hits):
            return None
        at_self = bool(hits) and hits[0].labels == names.count_labels(qname)
        key = _alike("", 0, at_self, self._overlay.has_allowed_beneath(qname), hits)
        return (*key, guards, *(hit.labels for hit in hits)) if guards else key

    def decide_target(
        self, client: Client, covering: Verdict, target: bytes, qtype: int, now: float
    ) -> Verdict:
        """Decide on a CNAME or SVCB target of an answer whose qname got ``covering``.

        The rule that let the qname pass covers its chain (``precedence.covers``). The
        reverse never holds: an allowed target does not open the qname.
        """
        own_rules, hits = self._overlay.lookup(target), self._lists.lookup(target)
        cover = covering.covering
        verdict = self._decide_of(client, target, qtype, now, cover, own_rules, hits)
        if verdict is not PASSED and verdict.action is Action.NXDOMAIN:
            return verdict._replace(action=Action.NODATA)  # beneath the *qname* nothing is blocked
        return verdict

    def _decide_of(
        self,
        client: Client,
        name: bytes,
        qtype: int,
        now: float,
        covering: Sequence[Match],
        own_rules: NameRules,
        hits: tuple[Hit, ...],
    ) -> Verdict:
        if own_rules is not NO_RULES or covering or client.grade.allow_only:
            return self._weigh(client, name, qtype, now, covering, own_rules, hits)
        return self._by_lists(client, name, qtype, hits) if hits else PASSED

    def _by_lists(self, client: Client, name: bytes, qtype: int, hits: tuple[Hit, ...]) -> Verdict:
        """Return the verdict of lists alone, memorised for names with equal claims.

        A claim set means the same for every name that carries it, except where an
        entry leaves some names alone.
        """
        at_self = hits[0].labels == names.count_labels(name)
        beneath = self._overlay.has_allowed_beneath(name)
        key = _alike(client.grade.key, qtype, at_self, beneath, hits)
        known = self._known.get(key)
        if known is None:
            verdict = self._weigh(client, name, qtype, 0.0, (), NO_RULES, hits)
            if not self._lists.read_names(hits):
                self._remember(key, _Known.of(verdict, hits))
            return verdict
        return known.about(hits)

    def _remember(self, key: _Key, known: _Known) -> None:
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[key] = known

    def _weigh(
        self,
        client: Client,
        name: bytes,
        qtype: int,
        now: float,
        covering: Sequence[Match],
        own_rules: NameRules,
        hits: tuple[Hit, ...],
    ) -> Verdict:
        if own_rules is NO_RULES and not hits and not client.grade.allow_only:
            return PASSED
        listed = self._lists.covering(client.grade, name, qtype, hits)
        overlaid = [*own_rules.guards(), *own_rules.rules(client, now)]
        verdict = _judge([*overlaid, *listed.ranked, *self._closing(client, name)], covering)
        edge = own_rules.next_edge(client, now)
        if edge is not None:
            verdict = verdict._replace(valid_until=edge)
        if not verdict.blocked:
            target = own_rules.target(client.grade) if qtype in _REWRITTEN_TYPES else None
            return verdict._replace(action=Action.REWRITE, target=target) if target else verdict
        spared = listed.excepts_more or self._has_allowed_beneath(client, name)
        response = self._response(client.grade, listed.ranked)
        action = _action(response, qtype, verdict, spared=spared)
        return verdict if action is verdict.action else verdict._replace(action=action)

    def _closing(self, client: Client, name: bytes) -> list[RankedMatch]:
        """Return the rule that closes everything not allowed, for a grade in that state.

        The school's own zones stay open: without its domain's servers a computer
        room cannot even log in.
        """
        grade = client.grade
        if not grade.allow_only or any(zone in self._own for zone in names.suffixes(name)):
            return []
        source = f"exam:{grade.exam}" if grade.exam else ""
        return [RankedMatch(Match(Rule.ALLOW_ONLY, True, names.ROOT, local_id=source))]

    def _has_allowed_beneath(self, client: Client, name: bytes) -> bool:
        """Return whether a name beneath may pass, so that no NXDOMAIN may deny it."""
        if client.grade.allow_only and name in self._above_own:
            return True
        return self._overlay.has_allowed_beneath(name)

    def _response(self, grade: GradePolicy, listed: Iterable[RankedMatch]) -> BlockResponse:
        """Return the kind of answer that a grade gets for a block.

        A name that any list calls an outside resolver is never sinkholed,
        whichever rule blocks it: a device would wait for the dead one.
        """
        if grade.response is BlockResponse.SINKHOLE:
            categories = (self.policy.categories.get(one.match.category) for one in listed)
            if not all(category.sinkhole for category in categories if category):
                return BlockResponse.NXDOMAIN
        return grade.response


def _own_zones(policy: Policy) -> Iterator[bytes]:
    """Yield the names of the school's own zones."""
    yield from (zone.name for zone in policy.local_zones)
    yield from (zone.name for zone in policy.delegated_zones)
    if policy.lease_zone is not None:
        yield policy.lease_zone


def _alike(grade: str, qtype: int, at_self: bool, beneath: bool, hits: tuple[Hit, ...]) -> _Key:
    """Return everything that a verdict by lists depends on.

    Args:
        grade: the key of the client's grade.
        qtype: the type asked for.
        at_self: the longest listed name is the one that is asked for.
        beneath: something may pass beneath it.
        hits: the listed names.
    """
    return grade, qtype, at_self, beneath, tuple([hit.set_id for hit in hits])


class _Known(NamedTuple):
    """A verdict by lists alone, and the hits of its matches (-1: none)."""

    verdict: Verdict
    first: int
    following: int

    @classmethod
    def of(cls, verdict: Verdict, hits: tuple[Hit, ...]) -> _Known:
        """Make a known verdict of one."""
        places = [
            -1 if match is None else place_of(match, hits)
            for match in (verdict.match, verdict.next_match)
        ]
        return cls(verdict, *places)

    def about(self, hits: tuple[Hit, ...]) -> Verdict:
        """Return the verdict on another name with these hits."""
        match, following = self.verdict.match, self.verdict.next_match
        if match is not None:
            match = moved(match, hits[self.first])
        if following is not None:
            following = moved(following, hits[self.following])
        return Verdict(self.verdict.action, match, following)


def _action(response: BlockResponse, qtype: int, block: Verdict, *, spared: bool) -> Action:
    """Return the action of a block, the same for all types of the name.

    Args:
        response: how a block looks.
        qtype: only addresses can be sinkholed.
        block: as ``_judge`` returned it.
        spared: something beneath the name, or another type of it, may pass.
    """
    if response is BlockResponse.SINKHOLE:
        return Action.SINKHOLE if qtype in _ADDRESS_TYPES else Action.NODATA
    if response is BlockResponse.NODATA or spared:
        return Action.NODATA
    return block.action


def _judge(ranked: list[RankedMatch], covering: Sequence[Match]) -> Verdict:
    """Return the verdict of the deciding rule.

    NXDOMAIN is for a block of everything at and beneath the name; else NODATA.

    Args:
        ranked: all that cover the name.
        covering: what covers the name from outside, as a target of a name that passed.
    """
    turns = in_turn(ranked)
    first = overruled = next(turns, None)
    cover = None
    while first and first.blocks and (by := _covering(first, covering)):
        cover, first = cover or by, next(turns, None)
    if first is None or not first.blocks:
        match, following = (cover, overruled) if cover else (first, next(turns, None))
        return Verdict(Action.PASS, match, following, covering=_covering_rules(ranked))
    following = next(turns, None)
    rest = chain([first], [following] if following else [], turns)
    blocks = takewhile(lambda match: match.blocks, rest)
    whole = any(match.covers_subtree for match in blocks)
    return Verdict(Action.NXDOMAIN if whole else Action.NODATA, first, following)


def _covering(block: Match, covering: Iterable[Match]) -> Match | None:
    return next((cover for cover in covering if covers(cover, block)), None)


def _covering_rules(ranked: Iterable[RankedMatch]) -> tuple[Match, ...]:
    """Return the guards of a name that passes, and the local rule that allows it."""
    matches = [one.match for one in ranked]
    guards = [match for match in matches if match.rule in (Rule.PIN, Rule.PROTECTED)]
    local = next((match for match in matches if match.rule is Rule.LOCAL), None)
    return (*guards, local) if local and not local.blocks else tuple(guards)
