# SPDX-License-Identifier: Apache-2.0
"""Ask one question for every kind of client: what the lists close to which grades.

The site is the one that a daemon would serve, and its own engine decides. Schedules, which
close and open for an hour, do not count.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from filterd.policy.model import Client
from filterd.policy.verdict import PASSED, Match
from filterd.resolve.site import Site
from filterd.wire import RRType

if TYPE_CHECKING:
    from filterd.lists.index import Index
    from filterd.policy.model import GradePolicy, Policy
    from filterd.policy.verdict import Verdict

_ADDRESS_TYPES = (RRType.A, RRType.AAAA, RRType.HTTPS)
"""What leads to an address; an entry may be about some types only."""


class Asking:
    """A policy and an index as they are served.

    Attributes:
        policy: as its file has it, schedules included.
        index: the lists.
        site: the two together, without schedules.
        clients: one of each kind; grades to which the same is closed are one.
    """

    def __init__(self, policy: Policy, index: Index, now: float) -> None:
        self.policy, self.index, self._now = policy, index, now
        self.site = Site.of(replace(policy, scheduled=()), index, (), now=now)
        every = self.site.policy.grades.values()
        grades = [one for one in every if not (one.variant or one.class_id)]
        alike = dict[object, list[Client]]()
        for grade in grades:
            alike.setdefault(_audience(policy, grade), []).append(Client(grade))
        self._alike = {
            some[0].grade.key: [one.grade.grade for one in some] for some in alike.values()
        }
        self.clients = tuple(some[0] for some in alike.values())
        self._known = dict[object, _Answers]()
        self._is_by_name = any(one.grade.allow_only for one in self.clients)
        typed = any(claim.types is not None for _, claim in index.claims)
        self._types = _ADDRESS_TYPES if typed else _ADDRESS_TYPES[:1]

    def verdicts(self, name: bytes) -> tuple[tuple[Client, Verdict], ...]:
        """Return the verdict of each kind of client for a name, by each type.

        The entries may be those of another name with the same claims.
        """
        return self._answers(name).verdicts

    def closed(self, name: bytes) -> dict[str, Match]:
        """Return to which grades lists close a name, and by which entry, or one alike."""
        if not self.index.lookup(name):
            return {}  # as for nearly all popular and essential names
        return self._answers(name).closed

    def entries(self, name: bytes) -> dict[str, Match]:
        """Return to which grades lists close a name, and by which entry, for people."""
        return self._decided(name).closed if self.index.lookup(name) else {}

    def open_to(self, name: bytes) -> frozenset[str]:
        """Return the grades to which a name is open, be it for one type."""
        return self._answers(name).open_to

    def closes_target(self, name: bytes) -> Match | None:
        """Return the match by which a list blocks an alias to a name, None for none."""
        if not self.index.lookup(name):
            return None
        decide, now = self.site.engine.decide_target, self._now
        for client, qtype in product(self.clients, self._types):
            verdict = decide(client, PASSED, name, qtype, now)
            if verdict.blocked and verdict.match is not None and verdict.match.list_id:
                return verdict.match
        return None

    def _answers(self, name: bytes) -> _Answers:
        """Return what all clients get; most names share it with many others."""
        key = (None if self._is_by_name else self.site.engine.alike(name)) or name
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._decided(name)
        return known

    def _decided(self, name: bytes) -> _Answers:
        verdicts: list[tuple[Client, Verdict]] = []
        closed: dict[str, Match] = {}
        open_to: set[str] = set()
        for qtype in self._types:
            decided = self.site.engine.decide_for(self.clients, name, qtype, self._now)
            verdicts += zip(self.clients, decided, strict=True)
        for client, verdict in verdicts:
            alike = self._alike[client.grade.key]
            if not verdict.blocked:
                open_to.update(alike)
            elif verdict.match is not None and verdict.match.list_id:
                closed.update(dict.fromkeys(alike, verdict.match))
        return _Answers(tuple(verdicts), closed, frozenset(open_to))


class _Answers(NamedTuple):
    """What all kinds of clients get for a name."""

    verdicts: tuple[tuple[Client, Verdict], ...]
    closed: dict[str, Match]
    open_to: frozenset[str]


def _audience(policy: Policy, grade: GradePolicy) -> tuple[object, ...]:
    """Return all that a verdict on a name may depend on."""
    meant = tuple(one.id for one in policy.rules if Client(grade).is_meant_by(one))
    return grade.closed, grade.opened, grade.allow_only, grade.tier, meant
