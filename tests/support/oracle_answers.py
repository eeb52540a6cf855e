# SPDX-License-Identifier: Apache-2.0
"""The allowed replies: by the rules in force, and by the answers of the upstreams.

Nothing here knows caches, tables or epochs. A reply is compared with every upstream
answer whose TTL has not expired, and with the rules at the moment of the reply, and
must have the form that RFCs and policy require.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from tests.support import oracle
from tests.support import oracle_messages as wire
from tests.support import oracle_shapes as shapes
from tests.support.oracle import Listing, Question
from tests.support.oracle_hits import Case, Hits
from tests.support.oracle_lifetimes import (
    STALE_EDES,
    STALE_FOR_S,
    Lifetimes,
    block_ttl_fault,
    ttl_fault,
)
from tests.support.oracle_questions import (
    Asked,
    is_local,
    is_of_the_zone_itself,
    is_rewritten,
    leads_to_a_block,
    may_be_asked_for,
    question_at,
    targets_of,
    was_of_the_zone_itself,
)
from tests.support.oracle_rules import ALL_NAMES, PRINTER, PRINTER_ADDRESS, ZONE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.base.clock import Clock
    from tests.support.oracle_messages import Reply
    from tests.support.oracle_rules import Rules
    from tests.support.oracle_upstream import Heard, Key, Upstream, UpstreamAnswer

FORGED = 4
HEARD_WITHIN_S = 12.0
"""After a question the upstreams are asked by then at the latest: twice where rules changed
meanwhile, and by the worker that came after the one that was stopped."""


class Oracle:
    """Judges replies. ``possible`` are the rules in force: several only while a change goes on.

    Args:
        upstream: the upstreams' answers.
        clock: both times.
        possible: the rules in force.
        late_s: an answer may be younger by this time than measured here.
        workers: their number; with one alone more can be judged.

    Attributes:
        hits: counts of the situations that steps provoke.
        lifetimes: the answers that each worker has received.
    """

    def __init__(
        self,
        upstream: Upstream,
        clock: Clock,
        possible: tuple[Rules, ...],
        *,
        late_s: float = 0.0,
        workers: int = 2,
    ) -> None:
        self.upstream, self._clock, self.possible = upstream, clock, possible
        self._late_s = late_s
        self.hits = Hits()
        self.lifetimes = Lifetimes(upstream, workers)
        self._asked_for: dict[Key, float] = {}

    def allowed(self, asked: Asked, message: bytes) -> str | None:
        """Return why a reply is not allowed, None if it is."""
        try:
            reply = wire.read_reply(message)
        except (AssertionError, IndexError, ValueError) as error:
            return f"it does not parse: {error!r}"
        faults = [*shapes.form_faults(asked, reply)]
        if not faults:
            faults = [
                self._fault_under(rules, asked.answered_by(rules), reply)
                for rules in self._in_force()
            ]
            faults = [] if not all(faults) else [f"{fault}" for fault in faults]
        return "; ".join(faults) if faults else None

    def _in_force(self) -> list[Rules]:
        return [one.at(self._clock.wall()) for one in self.possible]

    # What the upstreams hear.

    def note_asked(self, asked: Asked) -> None:
        """Note what the upstreams may be asked because of a question."""
        wall, now = self._clock.wall(), self._clock.monotonic()
        for rules in self._in_force():
            for one in asked.seen_by(rules):
                if may_be_asked_for(rules, one, wall):
                    self._asked_for[one.key(rules)] = now

    def may_be_heard(self, heard: Heard, waiting: Iterable[Asked]) -> str | None:
        """Return why the upstreams must not get a question: no client that may has asked it."""
        until = self._asked_for.get(heard.key, -inf) + HEARD_WITHIN_S
        if self._clock.monotonic() <= until:
            return None
        for asked in waiting:
            self.note_asked(asked)
        if self._clock.monotonic() <= self._asked_for.get(heard.key, -inf):
            return None
        return f"an upstream was asked for {heard.key}, which nobody may have"

    # By the rules.

    def _fault_under(self, rules: Rules, asked: Asked, reply: Reply) -> str:
        is_refused = reply.rcode == wire.REFUSED and not reply.answer
        if not rules.admits(asked.who):
            return "" if asked.abandoned and is_refused else "it may not ask here"
        if is_local(asked.name):
            return self._local_fault(asked, reply)
        if not asked.rd:
            self.hits["RD=0"] += 1
            return "" if is_refused else "RD=0 is refused"
        if is_of_the_zone_itself(rules, asked) and (is_refused or was_of_the_zone_itself(asked)):
            self.hits["question of a zone's own server"] += 1
            return "" if is_refused else "it would be asked back"
        if oracle.is_blocked(rules.world, question_at(asked, self._clock.wall())):
            return self._block_fault(rules, asked, reply)
        return self._passing_fault(rules, asked, reply)

    def _passing_fault(self, rules: Rules, asked: Asked, reply: Reply) -> str:
        if asked.qtype == wire.ANY:
            is_hinfo = [one.rtype for one in reply.answer] == [wire.HINFO]
            return "" if is_hinfo else "ANY is answered with an HINFO"
        if reply.rcode == wire.SERVFAIL:
            return self._failure_fault(rules, asked, reply)
        if is_rewritten(rules, asked) and asked.qtype == wire.HTTPS:
            forged = not asked.edns or FORGED in reply.edes
            is_right = shapes.is_empty(reply) and forged
            return "" if is_right else "no service bindings of a rewritten name"
        return self._answer_fault(rules, asked, reply)

    def _local_fault(self, asked: Asked, reply: Reply) -> str:
        self.hits["local zone"] += 1
        if reply.additional:
            return "additional records"
        if asked.name == PRINTER and asked.qtype == wire.A:
            return "" if [one.rdata for one in reply.answer] == [PRINTER_ADDRESS] else "the printer"
        if asked.qtype == wire.ANY:  # a server need not return all records (RFC 8482)
            return "" if reply.rcode in {0, wire.NXDOMAIN, wire.REFUSED} else "ANY in the zone"
        expected = 0 if asked.name in (PRINTER, ZONE) else wire.NXDOMAIN
        return "" if (reply.rcode, reply.answer) == (expected, ()) else "it is not in the zone"

    def _block_fault(self, rules: Rules, asked: Asked, reply: Reply) -> str:
        now = self._clock.wall()
        deciders = oracle.deciders(rules.world, question_at(asked, now))
        codes = {self._block_code(rules, asked, decider) for decider in deciders}
        if asked.edns and not (len(reply.edes) == 1 and reply.edes <= codes):
            return f"it is blocked: extended errors {reply.edes} instead of {codes}"
        fault = shapes.block_fault(rules, asked, reply)
        if fault := fault or block_ttl_fault(Case(rules, asked, now), reply):
            return f"it is blocked: {fault}"
        if reply.rcode == wire.NXDOMAIN and self.hits["blocks"] % 20 == 0:
            beneath = [one for one in ALL_NAMES if oracle.is_beneath(one, asked.name)]
            for name in (asked.name, *beneath):
                for qtype in (wire.A, wire.AAAA):
                    other = Question(asked.who, name, qtype, now)
                    if not oracle.is_blocked(rules.world, other):
                        return f"NXDOMAIN denies {name}, which may pass (RFC 8020)"
        self.hits.note_block(Case(rules, asked, now))
        return ""

    def _block_code(self, rules: Rules, asked: Asked, decider: oracle.Thing) -> int:
        if decider is oracle.SHUT:
            return 17
        label = oracle.label(rules.world, asked.who, decider)
        if label in {"local", "ordered"} or not isinstance(decider, Listing):
            return 15
        category = rules.world.categories.get(decider.category)
        return 15 if category and category.security else 17

    def _failure_fault(self, rules: Rules, asked: Asked, reply: Reply) -> str:
        now = self._clock.monotonic()
        if reply.answer or reply.authority or reply.additional:
            return "a failure with records"
        if asked.edns and not reply.edes:
            return "a failure without a reason"
        if asked.abandoned:
            return ""
        if not self.lifetimes.all_went_wrong(rules, asked, now):
            return "SERVFAIL though nothing failed"
        if self.lifetimes.is_something_old_held(rules, asked, now):
            return "SERVFAIL though there is something old"
        self.hits.note_failure(Case(rules, asked, self._clock.wall()), reply)
        return ""

    # By what the upstreams have said.

    def _answer_fault(self, rules: Rules, asked: Asked, reply: Reply) -> str:
        answer = self.upstream.found_in(reply)
        if answer is None:
            return self._fault_without_words(rules, asked, reply)
        if answer.key != asked.key(rules):
            return f"this was said to {answer.key}"
        wall, now = self._clock.wall(), self._clock.monotonic()
        targets = targets_of(rules, asked, answer)
        if leads_to_a_block(rules, asked, targets, wall):
            return f"it leads to {targets}, of which one is blocked"
        age_s = now - answer.at
        stale = age_s > 0 and age_s >= answer.ttl_s
        if not age_s and not answer.ttl_s and answer.order < asked.order:
            return "TTL 0 is for those who waited"
        fault = self._age_fault(asked, answer, reply, stale=stale)
        fault = fault or self._record_fault(rules, asked, answer, reply)
        case = Case(rules, asked, wall)
        fault = fault or ttl_fault(
            case, answer, reply, stale=stale, age_s=age_s, late_s=self._late_s
        )
        if not fault:
            self.lifetimes.note(rules, asked, answer)
            self.hits.note_answer(case, answer, reply, stale=stale)
        return fault

    def _fault_without_words(self, rules: Rules, asked: Asked, reply: Reply) -> str:
        """A reply without an upstream's words is cut short, or blocked for what it leads to."""
        wall, now = self._clock.wall(), self._clock.monotonic()
        said = [
            one
            for one in self.upstream.answers.get(asked.key(rules), ())
            if self.lifetimes.may_be_given(asked, one, now - self._late_s)
        ]
        leading: list[UpstreamAnswer] = []
        homeward: list[UpstreamAnswer] = []
        passing: list[UpstreamAnswer] = []
        for one in said:
            if leads_to_a_block(rules, asked, targets_of(rules, asked, one), wall):
                leading.append(one)
            elif shapes.leads_only_home(rules, asked, one):
                homeward.append(one)
            else:
                passing.append(one)
        if reply.flags & wire.TC:
            too_long = [one for one in passing if shapes.may_be_cut(asked, one, reply)]
            self.hits.note_cut(asked, too_long)
            return "" if too_long else "TC without need"
        if any(not one.authority and not one.ttl_s and one.order > asked.order for one in passing):
            bare = all(one.rtype in (wire.CNAME, wire.RRSIG) for one in reply.answer)
            is_bare = bare and not reply.authority
            return "" if is_bare else "a denial without SOA has none to show"
        faults = [f"neither an upstream's words ({len(said)}) nor blocked"]
        if leading:
            codes_are_right = not asked.edns or reply.edes <= {15, 17}
            fault = shapes.block_fault(rules, asked, reply)
            faults.append(fault if codes_are_right else "a block with another reason")
        if homeward:
            faults.append(shapes.home_fault(asked, reply))
        if all(faults):
            return "; ".join(faults)
        case = Case(rules, asked, wall)
        if leading:
            self.hits.note_targets(case, leading, now)
        else:
            self.hits["private addresses taken out"] += 1
        return ""

    def _age_fault(self, asked: Asked, answer: UpstreamAnswer, reply: Reply, *, stale: bool) -> str:
        now = self._clock.monotonic()
        if stale is not bool(reply.edes & STALE_EDES) and asked.edns:
            return f"it is {now - answer.at} s old, of {answer.ttl_s}: extended errors {reply.edes}"
        if not stale:
            return ""
        # A waiting client may get an answer that was not too old at its question.
        if (
            asked.at >= answer.at + answer.ttl_s + STALE_FOR_S
            or not answer.ttl_s
            or answer.key.whom
        ):
            return f"it is {now - answer.at} s old, of {answer.ttl_s}"
        if not self.lifetimes.may_be_stale(asked, answer.key, now):
            return "it is old, and the upstream was not asked in vain"
        return "nobody vouches for what is old" if reply.flags & wire.AD else ""

    def _record_fault(
        self, rules: Rules, asked: Asked, answer: UpstreamAnswer, reply: Reply
    ) -> str:
        if reply.rcode != answer.rcode:
            return f"response code {reply.rcode} instead of {answer.rcode}"
        # Of the servers asked while it waited.
        trusted = any(one.trusts_server(answer.by) for one in (rules, asked.rules))
        expected, is_less = shapes.passed_on(rules, asked, answer)
        if is_rewritten(rules, asked):
            is_less = True
        if reply.flags & wire.AD and (not answer.authentic or not trusted or is_less):
            return "AD without anybody to vouch for it"
        if reply.flags & wire.TC:
            self.hits.note_cut(asked, [answer])
            return "" if shapes.may_be_cut(asked, answer, reply) else "TC without need"
        if asked.edns and bool(shapes.home_records(rules, asked, answer)) is not (
            shapes.BLOCKED in reply.edes
        ):
            return f"private addresses are taken out, or not: {reply.edes}"
        return shapes.words_fault(asked, answer, reply, expected)
