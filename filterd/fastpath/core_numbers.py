# SPDX-License-Identifier: Apache-2.0
"""Number what the native core knows: groups, rows, templates, openings, tallies.

The numbers are of one site: when the core is emptied, others take their place.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from filterd.fastpath.core_contract import (
    MOST_OPENINGS,
    MOST_ROWS,
    MOST_TALLIES,
)
from filterd.policy.model import Client
from filterd.querylog import OTHER
from filterd.resolve.answer_reply import compose
from filterd.resolve.query import PASS, Answer, Peer, Query, Source, counted_as
from filterd.wire import compose_query, parse_query
from filterd.wire import name as names
from filterd.wire.header import HEADER_OCTETS
from filterd.wire.section import Question

if TYPE_CHECKING:
    from collections.abc import Container

    from filterd.base.clock import Clock
    from filterd.fastpath._core import Core
    from filterd.policy.model import GradePolicy
    from filterd.policy.verdict import Verdict
    from filterd.resolve.site import Site

MOST_BLOCKING_TALLIES = MOST_TALLIES // 2
"""Beyond these a blocker that is not known yet is counted as OTHER."""

_ANY_QUESTION = Question.of(names.from_text("a.example"), 1)


class Tally(NamedTuple):
    """The key under which answers are counted; the client group has network and class."""

    source: str
    grade: str
    category: str
    action: str
    blocker: str = ""


class Opening(NamedTuple):
    """How answers are counted that no rule concerns, and their largest TTL.

    The TTL is the one for the client. The tallies are for answers from the cache and from
    upstreams.
    """

    cached: int
    forwarded: int
    cap_ttl_s: int


class CoreNumbers:
    """The numbers of one site in the core.

    Args:
        core: the tables.
        clock: for the replies of templates.
        site: the active one.

    Attributes:
        named: addresses for which the policy has a rule of their own.
        openings: by their numbers.
        edges: by group: the Unix time at which its clients' answers may change.
        places: by group: network and class.
        tallies: each with its number, in their order.
    """

    def __init__(self, core: Core, clock: Clock, site: Site) -> None:
        self._core, self._clock, self._site = core, clock, site
        self.named: Container[str] = ()
        self.groups: dict[tuple[str, str | None, str | None, bool], int] = {}
        self.grades: list[GradePolicy] = []
        self._templates: dict[tuple[bytes, ...], int] = {}
        self._opened: dict[tuple[str, str], int] = {}
        self.openings: list[Opening] = []
        self.edges: list[float] = []
        self.places: list[tuple[str, str]] = []
        self.tallies: dict[Tally, int] = {}

    def group_of(self, client: Client) -> int:
        """Return the group of a client, -1 if there are too many."""
        named = client.address if client.address in self.named else None
        key = client.grade.key, client.network, named, client.is_probe
        number = self.groups.get(key)
        if number is None:
            row, opening = self.row_of(client.grade), self.opening(client.grade, "")
            # First, for it may fail: the lists beside the groups must have one place for each.
            edge = self._site.edge_of(client)
            number = self._core.add_group(row, opening, is_counted=not client.is_probe)
            self.groups[key] = number
            if number >= 0:
                self.edges.append(edge)
                self.places.append((client.network or "", client.grade.class_id))
        return number

    def row_of(self, grade: GradePolicy) -> int:
        """Return the row of cells of a grade, -1 for none."""
        if grade.allow_only:  # its decisions do not depend on claim sets
            return -1
        if grade.class_id:
            # A class of the same meaning as its grade shares the row: rows are few.
            plain = replace(grade, class_id="")
            if self._site.policy.grades.get(plain.key) == plain:
                grade = plain
        if grade not in self.grades:
            if len(self.grades) == MOST_ROWS:
                return -1
            self.grades.append(grade)
        return self.grades.index(grade)

    def template(self, grade: GradePolicy, verdict: Verdict) -> int:
        """Return the number of a block's template, composed as the chain does.

        -1 if there are too many.
        """
        replies = []
        for edns, do in ((False, False), (True, False), (True, True)):
            query = self._query(grade, edns=edns, do=do)
            reply = compose(query, Answer(Source.BLOCKED, verdict), self._clock.wall())
            end = HEADER_OCTETS + len(query.message.question.wire)
            replies.append(reply[:HEADER_OCTETS] + reply[end:])
        key = tuple(replies)
        if key not in self._templates:
            self._templates[key] = self._core.table.add_template(*replies)
        return self._templates[key]

    def opening(self, grade: GradePolicy, category: str) -> int:
        """Return the number of an opening for a grade; -1 if there are too many."""
        key = grade.grade, category
        number = self._opened.get(key)
        if number is None:
            cached, forwarded = (
                self._number_of(Tally(source.value, grade.grade, category, PASS))
                for source in (Source.CACHED, Source.FORWARDED)
            )
            if len(self.openings) == MOST_OPENINGS or cached < 0 or forwarded < 0:
                return -1
            number = self._opened[key] = len(self.openings)
            self.openings.append(Opening(cached, forwarded, grade.client_ttl_max_s))
        return number

    def _query(self, grade: GradePolicy, *, edns: bool, do: bool) -> Query:
        message = parse_query(compose_query(0, _ANY_QUESTION, rd=False, edns=edns, do=do))
        return Query(message, Peer(""), Client(grade), self._site)

    def tally(self, client: Client, answer: Answer) -> int:
        """Return the number of the tally of an answer, -1 if there are too many."""
        tally = Tally(answer.source.value, *counted_as(client, answer))
        if len(self.tallies) >= MOST_BLOCKING_TALLIES and tally not in self.tallies:
            tally = tally._replace(blocker=tally.blocker and OTHER)
        return self._number_of(tally)

    def _number_of(self, tally: Tally) -> int:
        if tally not in self.tallies and len(self.tallies) >= MOST_TALLIES:
            return -1
        return self.tallies.setdefault(tally, len(self.tallies))
