# SPDX-License-Identifier: Apache-2.0
"""One function that decides: (client, qname, qtype, now) -> Verdict. Pure, no I/O.

Who speaks of a name is asked of ``overlay`` and ``listed``, which of them
decides of ``order``. What is left for here is the answer that a block gets, and
what a name that passed means for the names that it leads to.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, takewhile
from typing import TYPE_CHECKING

from filterd.policy.listed import Lists
from filterd.policy.model import BlockResponse
from filterd.policy.order import covers, in_turn
from filterd.policy.overlay import Overlay
from filterd.policy.verdict import PASSED, Action, Rule, Verdict
from filterd.wire import RRType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from filterd.lists.index import Index
    from filterd.policy.client import Client
    from filterd.policy.model import GradePolicy, Policy
    from filterd.policy.order import Speaker
    from filterd.policy.verdict import Match

_ADDRESS_TYPES = (RRType.A, RRType.AAAA)
_REWRITTEN_TYPES = (*_ADDRESS_TYPES, RRType.HTTPS, RRType.SVCB)
"""What leads to an address; other types of a rewritten name say nothing of where it is."""


class Engine:
    """A policy and an index, joined. Immutable: a reload makes another engine."""

    def __init__(self, policy: Policy, index: Index) -> None:
        self.policy = policy
        self.index = index
        self._overlay = Overlay(policy)
        self._lists = Lists(policy, index)

    def decide(self, client: Client, qname: bytes, qtype: int, now: float) -> Verdict:
        """Decide one question.

        Args:
            client: who asks.
            qname: canonical wire name.
            qtype: the type asked for; lists may speak of some types only.
            now: Unix time; the site's own rules have dates.
        """
        return self._decide(client, qname, qtype, now, covering=())

    def decide_target(
        self, client: Client, covering: Verdict, target: bytes, qtype: int, now: float
    ) -> Verdict:
        """Decide on a CNAME or SVCB target of an answer whose qname got ``covering``.

        What let the qname through covers its chain (``order.covers``). The
        reverse never holds: that a target is allowed says nothing of the qname.
        """
        verdict = self._decide(client, target, qtype, now, covering.covering)
        if verdict.action is Action.NXDOMAIN:
            return replace(verdict, action=Action.NODATA)  # beneath the *qname* nothing is blocked
        return verdict

    def _decide(
        self, client: Client, name: bytes, qtype: int, now: float, covering: Sequence[Match]
    ) -> Verdict:
        said = self._overlay.lookup(name)
        hits = self._lists.lookup(name)
        if not said and not hits:
            return PASSED
        listed = self._lists.say(client.grade, name, qtype, hits)
        overlaid = [*said.guards(), *said.rules(client, now)]
        verdict = _judge([*overlaid, *listed.speakers], covering)
        edge = said.next_edge(client, now)
        if edge is not None:
            verdict = replace(verdict, valid_until=edge)
        if not verdict.blocked:
            target = said.target(client.grade) if qtype in _REWRITTEN_TYPES else None
            return replace(verdict, action=Action.REWRITE, target=target) if target else verdict
        spared = listed.excepts_more or self._overlay.has_allowed_beneath(name)
        response = self._response(client.grade, listed.speakers)
        action = _action(response, qtype, verdict, spared=spared)
        return verdict if action is verdict.action else replace(verdict, action=action)

    def _response(self, grade: GradePolicy, listed: Iterable[Speaker]) -> BlockResponse:
        """Return how a block looks to a grade.

        A name that any list calls an outside resolver is never sinkholed,
        whoever blocks it: a device would wait for the dead one.
        """
        if grade.response is BlockResponse.SINKHOLE:
            categories = (self.policy.categories.get(one.match.category) for one in listed)
            if not all(category.sinkhole for category in categories if category):
                return BlockResponse.NXDOMAIN
        return grade.response


def _action(response: BlockResponse, qtype: int, block: Verdict, *, spared: bool) -> Action:
    """Choose the answer to a block, the same for all types of the name (dns.md §4).

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


def _judge(speakers: list[Speaker], covering: Sequence[Match]) -> Verdict:
    """Say who decides: NXDOMAIN for a block of all there is at and beneath the name, else NODATA.

    Args:
        speakers: all that cover the name.
        covering: what covers the name from outside, as a target of a name that passed.
    """
    turns = in_turn(speakers)
    first = overruled = next(turns, None)
    cover = None
    while first and first.blocks and (by := _covering(first, covering)):
        cover, first = cover or by, next(turns, None)
    if first is None or not first.blocks:
        match, following = (cover, overruled) if cover else (first, next(turns, None))
        return Verdict(Action.PASS, match, following, covering=_covering_rules(speakers))
    following = next(turns, None)
    rest = chain([first], [following] if following else [], turns)
    blocks = takewhile(lambda match: match.blocks, rest)
    whole = any(match.covers_subtree for match in blocks)
    return Verdict(Action.NXDOMAIN if whole else Action.NODATA, first, following)


def _covering(block: Match, covering: Iterable[Match]) -> Match | None:
    return next((cover for cover in covering if covers(cover, block)), None)


def _covering_rules(speakers: Iterable[Speaker]) -> tuple[Match, ...]:
    """Return the guards of a name that passes, and the local rule that speaks for it."""
    matches = [speaker.match for speaker in speakers]
    guards = [match for match in matches if match.rule in (Rule.PIN, Rule.PROTECTED)]
    local = next((match for match in matches if match.rule is Rule.LOCAL), None)
    return (*guards, local) if local and not local.blocks else tuple(guards)
