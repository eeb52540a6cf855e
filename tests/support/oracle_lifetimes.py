# SPDX-License-Identifier: Apache-2.0
"""How long an answer is valid, and when a stale one or a failure replaces it."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

from tests.support import oracle
from tests.support.oracle import Question
from tests.support.oracle_questions import leads_to_a_block, question_at, targets_of
from tests.support.oracle_rules import SEARCH, TWIN
from tests.support.oracle_servers import DEAD_AFTER_S
from tests.support.oracle_shapes import ttl_of
from tests.support.oracle_upstream import LONGEST_TTL_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.oracle_hits import Case
    from tests.support.oracle_messages import Reply
    from tests.support.oracle_questions import Asked
    from tests.support.oracle_rules import Rules
    from tests.support.oracle_upstream import Heard, Key, Upstream, UpstreamAnswer

STALE_TTL_S, ALIAS_TTL_S = 30, 300
STALE_FOR_S = 86_400
STALE_EDES = {3, 19}
ANSWERED_WITHIN_S = 4.5
"""The last answer comes by 4 s; timers are a tick late."""
MORE_AFTER_A_CHANGE_S = 2.0
"""After a change of the rules a client may wait once more if there is a stale answer, but no
upstream is asked for longer."""
LEAST_LEFT_S = 1.5
"""The time before the end in which others are asked: all can answer within a second."""
SILENT_FROM = 3
"""Failures in a row after which a client that can have something old does not wait."""
FAILS_FOR_S = 65.0
"""A failure is remembered for a minute at most, from when it was given up (RFC 9520)."""


class Lifetimes:
    """What workers must know, and what they may have failed to learn.

    Attributes:
        held: by worker, key and route the last that a worker was seen to hold.
        changed_at: when other rules came into force.
    """

    def __init__(self, upstream: Upstream, workers: int) -> None:
        self._upstream, self._workers = upstream, workers
        self.held: dict[tuple[int, Key, tuple[bool, ...]], UpstreamAnswer] = {}
        self.changed_at = -inf
        self._answered: dict[tuple[int, str, tuple[bool, ...]], float] = {}

    def note(self, rules: Rules, asked: Asked, answer: UpstreamAnswer) -> None:
        """Check that a worker knows the answers that it got."""
        route = asked.worker, answer.key.whom, asked.rules.trusts
        self._answered[route] = max(self._answered.get(route, 0.0), answer.at)
        if answer.ttl_s and rules.epoch is asked.rules.epoch:
            self.held[asked.worker, answer.key, rules.trusts] = answer

    def forget(self, worker: int) -> None:
        """See that another worker has taken its place."""
        for key in [one for one in self.held if one[0] == worker]:
            del self.held[key]

    def went_wrong(self, key: Key, now: float) -> bool:
        """Return whether an upstream was asked in vain of late."""
        return any(self._asked_in_vain(key, now))

    def all_went_wrong(self, rules: Rules, asked: Asked, now: float) -> bool:
        """Return whether each of the upstreams was asked in vain of late, or the zone's own."""
        key = asked.key(rules)
        count = len(rules.trusts)
        if self.changed_at > asked.at + ANSWERED_WITHIN_S - LEAST_LEFT_S:
            count = min(len(asked.rules.trusts), count)  # no time was left for the others
        found = {one.by for one in self._asked_in_vain(key, now)}
        return bool(found) if key.whom else found.issuperset(range(count))

    def _asked_in_vain(self, key: Key, now: float) -> Iterator[Heard]:
        for one in self._upstream.heard.get(key, ()):
            if one.in_vain and one.at >= now - FAILS_FOR_S and not self._was_made_good(one):
                yield one

    def _was_made_good(self, heard: Heard) -> bool:
        """Return whether another server answered in time, if no other worker may have asked it."""
        if self._workers > 1 or self.changed_at >= heard.at:
            return False
        return any(
            one.is_answered and one.order > heard.order and one.at < heard.at + DEAD_AFTER_S
            for one in self._upstream.heard[heard.key]
        )

    def is_something_old_held(self, rules: Rules, asked: Asked, now: float) -> bool:
        """Return whether a worker that cannot learn better must have something old to give."""
        key = asked.key(rules)
        held = self.held.get((asked.worker, key, rules.trusts))
        if held is None or key.whom or now >= held.at + held.ttl_s + STALE_FOR_S:
            return False
        later = self._upstream.answers[key]
        return all(one.ttl_s for one in later[later.index(held) :])

    def may_be_given(self, asked: Asked, answer: UpstreamAnswer, now: float) -> bool:
        """Return whether an answer may be made of what was said once."""
        if answer.order > asked.order or now < answer.at + answer.ttl_s:
            return True
        if (
            not answer.ttl_s
            or answer.key.whom
            or asked.at >= answer.at + answer.ttl_s + STALE_FOR_S
        ):
            return False
        return self.may_be_stale(asked, answer.key, now)

    def may_be_stale(self, asked: Asked, key: Key, now: float) -> bool:
        """Return whether nothing better than what is old can be had, or waited for."""
        return self.went_wrong(key, now) or self._is_silent_for(asked, key.whom)

    def _is_silent_for(self, asked: Asked, whom: str) -> bool:
        """Return whether a worker has had no answer for so long that no client waits any more."""
        last = self._answered.get((asked.worker, whom, asked.rules.trusts), 0.0)
        failed = sum(
            one.in_vain and last < one.at + ANSWERED_WITHIN_S and one.order < asked.order
            for key, heard in self._upstream.heard.items()
            if key.whom == whom
            for one in heard
        )
        return failed >= SILENT_FROM


def ttl_fault(
    case: Case, answer: UpstreamAnswer, reply: Reply, *, stale: bool, age_s: float, late_s: float
) -> str:
    """Return the fault in the TTLs of an answer of this age, or ``late_s`` less."""
    age_s = max(0.0, age_s - late_s)
    rules, asked, wall = case
    longest = float(rules.longest_ttl_s(asked.who))
    edges = rules.edges(wall, wall + LONGEST_TTL_S)
    # Whatever may change at an edge may be looked at anew from then on.
    least = 0 if edges else min(answer.ttl_s, int(longest))
    edge = next((one for one in edges if _is_closed_at(one, rules, asked, answer)), None)
    if edge is not None:
        longest = max(1.0, min(longest, edge - wall))
    for record in (*reply.answer, *reply.authority, *reply.additional):
        if stale:
            if record.ttl_s > min(STALE_TTL_S, longest):
                return f"TTL {record.ttl_s} of what is old"
            continue
        left = ttl_of(answer, record.owner, record.rtype) - int(age_s)
        if record.target == TWIN and record.owner == SEARCH:
            left = ALIAS_TTL_S
        if record.ttl_s > min(left, longest):
            return f"TTL {record.ttl_s} where {left} is left and {longest} the longest"
        if record.ttl_s < min(least, left) - 2 - age_s - 2 * late_s:
            return f"TTL {record.ttl_s} where {left} is left"
    return ""


def block_ttl_fault(case: Case, reply: Reply) -> str:
    """Return the fault in the TTLs of a block: none may outlast the block."""
    rules, asked, wall = case
    about = asked.name, asked.qtype
    for edge in rules.edges(wall, wall + LONGEST_TTL_S):
        then = rules.epoch.at(edge)
        if not oracle.is_blocked(then.world, Question(then.seen(asked.who), *about, edge)):
            longest = max(1.0, edge - wall)
            is_kept = any(one.ttl_s > longest for one in (*reply.answer, *reply.authority))
            return f"it is remembered beyond its end in {longest} s" if is_kept else ""
    return ""


def _is_closed_at(wall: float, rules: Rules, asked: Asked, answer: UpstreamAnswer) -> bool:
    """Return whether what passes now is blocked then."""
    rules = rules.epoch.at(wall)
    asked = replace(asked, who=rules.seen(asked.who))
    if leads_to_a_block(rules, asked, targets_of(rules, asked, answer), wall):
        return True
    return oracle.is_blocked(rules.world, question_at(asked, wall))
