# SPDX-License-Identifier: Apache-2.0
"""Which replies are allowed: by the rules in force, and by what the upstream has said.

Nothing here knows of caches, tables or epochs. A reply is held against every
sentence that was ever said, as long as it was true, and against the rules at the
moment at which it is sent; dns.md §4 to §9 say what else a reply owes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.policy.model import BlockResponse
from tests.support import oracle
from tests.support import oracle_messages as wire
from tests.support.oracle import Listing, Question
from tests.support.oracle_hits import Case, Hits
from tests.support.oracle_questions import Asked, is_rewritten, question_at
from tests.support.oracle_rules import ALL_NAMES, PRINTER, PRINTER_ADDRESS, SEARCH, TWIN, ZONE
from tests.support.oracle_upstream import LONGEST_NEGATIVE_TTL_S, LONGEST_TTL_S, Key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.clock import Clock
    from tests.support.oracle_messages import Reply
    from tests.support.oracle_rules import Rules
    from tests.support.oracle_upstream import Told, Upstream

BLOCK_TTL_S, STALE_TTL_S, ALIAS_TTL_S = 10, 30, 300
STALE_FOR_S = 86_400
ANSWERED_WITHIN_S = 4.5
"""The last word comes by 4 s (dns.md §7); timers are a tick late."""
SILENT_FROM = 3
"""Failures in a row after which a client that can have something old does not wait."""
FAILS_FOR_S = 65.0
"""A failure is remembered for a minute at most, from when it was given up (RFC 9520)."""
STALE_EDES, FORGED = {3, 19}, 4
SINKHOLES = {wire.A: bytes(4), wire.AAAA: bytes(16)}


class Oracle:
    """Judges replies. ``possible`` are the rules in force: several only while a change goes on.

    Args:
        upstream: what it has said.
        clock: both times.
        possible: the rules in force.
        late_s: by how much less than is measured here an answer may have aged.

    Attributes:
        hits: how often was seen what the steps are to provoke.
        held: by worker, key and whether the upstream is trusted (then it is another one),
            the last that a worker was seen to hold.
        answered: likewise by worker and upstream, when it was last seen to have been told.
    """

    def __init__(
        self, upstream: Upstream, clock: Clock, possible: tuple[Rules, ...], late_s: float = 0.0
    ) -> None:
        self.upstream, self._clock, self.possible = upstream, clock, possible
        self._late_s = late_s
        self.hits = Hits()
        self.held: dict[tuple[int, Key, bool], Told] = {}
        self.answered: dict[tuple[int, bool], float] = {}

    def allowed(self, asked: Asked, message: bytes) -> str | None:
        """Return why a reply is not allowed, None if it is."""
        try:
            reply = wire.read_reply(message)
        except (AssertionError, IndexError, ValueError) as error:
            return f"it does not parse: {error!r}"
        faults = [*self._form_faults(asked, reply)]
        if not faults:
            faults = [self._fault_under(rules, asked, reply) for rules in self.possible]
            faults = [] if not all(faults) else [f"{one}" for one in faults]
        return "; ".join(faults) if faults else None

    def is_blocked(self, rules: Rules, asked: Asked, wall: float) -> bool:
        """Tell whether the rules keep somebody from a name at a moment."""
        return oracle.is_blocked(rules.world, question_at(asked, wall))

    # What every reply owes.

    def _form_faults(self, asked: Asked, reply: Reply) -> Iterator[str]:
        if reply.ident != int.from_bytes(asked.message[:2]):
            yield "another ID"
        if reply.question != asked.message[12 : 12 + len(reply.question)]:
            yield "another question, or another letter case"
        expected = wire.QR | wire.RA | (wire.RD if asked.rd else 0) | (wire.CD if asked.cd else 0)
        if reply.flags & ~(wire.TC | wire.AD | 15) != expected:
            yield f"flags {reply.flags:04x}"
        if (reply.options is not None) is not asked.edns:
            yield "OPT only to who sent one"
        if reply.opt_flags != (wire.DO if asked.do and asked.edns else 0):
            yield "DO is echoed"
        if any(code != wire.EDE for code, _ in reply.options or ()):
            yield "no option is echoed"
        if reply.octets > asked.limit:
            yield f"{reply.octets} octets where {asked.limit} may be sent"
        if reply.flags & wire.AD and not (asked.do or asked.ad):
            yield "AD to who did not ask for it"

    # By the rules.

    def _fault_under(self, rules: Rules, asked: Asked, reply: Reply) -> str:
        if not rules.admits(asked.who):
            return "" if asked.abandoned and reply.rcode == wire.REFUSED else "it may not ask here"
        if asked.name == ZONE or asked.name.endswith(f".{ZONE}"):
            return self._local_fault(asked, reply)
        if not asked.rd:
            self.hits["RD=0"] += 1
            return "" if reply.rcode == wire.REFUSED and not reply.answer else "RD=0 is refused"
        if self.is_blocked(rules, asked, self._clock.wall()):
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
            return "" if _is_empty(reply) and forged else "no service bindings of a rewritten name"
        return self._answer_fault(rules, asked, reply)

    def _local_fault(self, asked: Asked, reply: Reply) -> str:
        self.hits["local zone"] += 1
        if asked.name == PRINTER and asked.qtype == wire.A:
            return "" if [one.rdata for one in reply.answer] == [PRINTER_ADDRESS] else "the printer"
        if asked.qtype == wire.ANY:  # the zone's records are not all told at once (RFC 8482)
            return "" if reply.rcode in {0, wire.NXDOMAIN, wire.REFUSED} else "ANY in the zone"
        expected = 0 if asked.name in (PRINTER, ZONE) else wire.NXDOMAIN
        return "" if (reply.rcode, reply.answer) == (expected, ()) else "it is not in the zone"

    def _block_fault(self, rules: Rules, asked: Asked, reply: Reply) -> str:
        now = self._clock.wall()
        question = question_at(asked, now)
        deciders = oracle.deciders(rules.world, question)
        codes = {self._block_code(rules, asked, one) for one in deciders}
        if asked.edns and not (len(reply.edes) == 1 and reply.edes <= codes):
            return f"it is blocked: extended errors {reply.edes} instead of {codes}"
        if fault := _shape_fault(rules, asked, reply):
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
        label = oracle.label(rules.world, asked.who, decider)
        if label in {"local", "ordered"} or not isinstance(decider, Listing):
            return 15
        category = rules.world.categories.get(decider.category)
        return 15 if category and category.security else 17

    def _failure_fault(self, rules: Rules, asked: Asked, reply: Reply) -> str:
        key, now = asked.key(rules), self._clock.monotonic()
        if reply.answer or reply.authority:
            return "a failure with records"
        if asked.edns and not reply.edes:
            return "a failure without a reason"
        if asked.abandoned:
            return ""
        if not self._went_wrong(key, now):
            return "SERVFAIL though nothing failed"
        held = self.held.get((asked.worker, key, rules.trusted))
        if held is not None and now < held.at + held.ttl_s + STALE_FOR_S:
            later = self.upstream.told[key]
            if all(one.ttl_s for one in later[later.index(held) :]):
                return "SERVFAIL though there is something old"
        self.hits["failure"] += 1
        return ""

    def _went_wrong(self, key: Key, now: float) -> bool:
        heard = self.upstream.heard.get(key, ())
        return any(not one.told and one.at >= now - FAILS_FOR_S for one in heard)

    def _is_silent_for(self, asked: Asked) -> bool:
        """Tell whether a worker has heard nothing for so long that nobody waits any more."""
        last = self.answered.get((asked.worker, asked.rules.trusted), 0.0)
        failed = sum(
            not one.told and last < one.at + ANSWERED_WITHIN_S and one.order < asked.order
            for heard in self.upstream.heard.values()
            for one in heard
        )
        return failed >= SILENT_FROM

    # By what the upstream has said.

    def _answer_fault(self, rules: Rules, asked: Asked, reply: Reply) -> str:
        told = self.upstream.found_in(reply)
        if told is None:
            return self._fault_without_words(rules, asked, reply)
        if told.key != asked.key(rules):
            return f"this was said to {told.key}"
        targets = _targets(rules, asked, told)
        if self._leads_to_a_block(rules, asked, targets):
            return f"it leads to {targets}, of which one is blocked"
        now = self._clock.monotonic()
        age_s = now - told.at
        stale = age_s > 0 and age_s >= told.ttl_s
        if not age_s and not told.ttl_s and told.order < asked.order:
            return "TTL 0 is for those who waited"
        fault = self._age_fault(asked, told, reply, stale=stale)
        fault = fault or self._record_fault(rules, asked, told, reply)
        fault = fault or self._ttl_fault(rules, asked, told, reply, stale=stale)
        if not fault:
            self._remember(rules, asked, told)
            self.hits.note_answer(Case(rules, asked, self._clock.wall()), told, reply, stale=stale)
            self.hits["rewritten name"] += is_rewritten(rules, asked)
        return fault

    def _remember(self, rules: Rules, asked: Asked, told: Told) -> None:
        """See that a worker knows what it was told."""
        route = asked.worker, asked.rules.trusted
        self.answered[route] = max(self.answered.get(route, 0.0), told.at)
        if told.ttl_s and rules is asked.rules:
            self.held[asked.worker, told.key, rules.trusted] = told

    def _fault_without_words(self, rules: Rules, asked: Asked, reply: Reply) -> str:
        """A reply without the upstream's words is cut short, or blocked for what it leads to."""
        said = [
            one
            for one in self.upstream.told.get(asked.key(rules), ())
            if self._clock.monotonic() <= one.at + one.ttl_s + STALE_FOR_S
        ]
        passing = [one for one in said if not self._leads(rules, asked, one)]
        if reply.flags & wire.TC:
            self.hits["cut to a size"] += 1
            too_long = any(one.octets > asked.limit - 60 for one in passing)
            return "" if too_long else "TC without need"
        if any(not one.authority and not one.ttl_s and one.order > asked.order for one in passing):
            bare = all(one.rtype == wire.CNAME for one in reply.answer) and not reply.authority
            return "" if bare else "a denial without SOA has none to show"
        if len(passing) == len(said):
            return "neither the upstream's words nor blocked"
        if fault := _shape_fault(rules, asked, reply):
            return f"it leads to a block: {fault}"
        if asked.edns and not reply.edes <= {15, 17}:
            return "a block with another reason"
        targets = [target for told in said for target in told.targets]
        self.hits.note_target(Case(rules, asked, self._clock.wall()), targets)
        return ""

    def _leads(self, rules: Rules, asked: Asked, told: Told) -> bool:
        return self._leads_to_a_block(rules, asked, _targets(rules, asked, told))

    def _leads_to_a_block(
        self, rules: Rules, asked: Asked, targets: tuple[str, ...], wall: float | None = None
    ) -> bool:
        question = question_at(asked, self._clock.wall() if wall is None else wall)
        return any(oracle.target_is_blocked(rules.world, question, one) for one in targets)

    def _age_fault(self, asked: Asked, told: Told, reply: Reply, *, stale: bool) -> str:
        now = self._clock.monotonic()
        if stale is not bool(reply.edes & STALE_EDES) and asked.edns:
            return f"it is {now - told.at} s old, of {told.ttl_s}: extended errors {reply.edes}"
        if not stale:
            return ""
        # Who waits for better is given what was not too old when they asked.
        if asked.at >= told.at + told.ttl_s + STALE_FOR_S or not told.ttl_s:
            return f"it is {now - told.at} s old, of {told.ttl_s}"
        if not self._went_wrong(told.key, now) and not self._is_silent_for(asked):
            return "it is old, and the upstream was not asked in vain"
        return "nobody vouches for what is old" if reply.flags & wire.AD else ""

    def _record_fault(self, rules: Rules, asked: Asked, told: Told, reply: Reply) -> str:
        if reply.rcode != told.rcode:
            return f"response code {reply.rcode} instead of {told.rcode}"
        trusted = rules.trusted or asked.rules.trusted  # of whom was asked while it waited
        rewritten = is_rewritten(rules, asked)
        if reply.flags & wire.AD and (not told.authentic or not trusted or rewritten):
            return "AD without anybody to vouch for it"
        if reply.flags & wire.TC:
            self.hits["cut to a size"] += 1
            return "" if told.octets > asked.limit - 60 else "TC without need"
        expected = [_fact(one) for one in told.answer]
        if rewritten:
            alias = SEARCH, wire.CNAME, TWIN
            expected = [alias, *(one for one in expected if one[1] != wire.RRSIG)]
        if [_fact(one) for one in reply.answer] != expected:
            return f"other records than {expected}"
        authority = [[one.rtype for one in each.authority] for each in (reply, told)]
        return "" if authority[0] == authority[1] else "other authority"

    def _ttl_fault(
        self, rules: Rules, asked: Asked, told: Told, reply: Reply, *, stale: bool
    ) -> str:
        age_s = max(0.0, self._clock.monotonic() - told.at - self._late_s)
        longest = float(rules.longest_ttl_s(asked.who))
        edges = self._edges(rules)
        # Whatever may change at an edge may be looked at anew from then on.
        least = 0 if edges else min(told.ttl_s, int(longest))
        edge = next((one for one in edges if self._is_closed_at(one, rules, asked, told)), None)
        if edge is not None:
            longest = max(1.0, min(longest, edge - self._clock.wall()))
        for record in (*reply.answer, *reply.authority):
            if stale:
                if record.ttl_s > min(STALE_TTL_S, longest):
                    return f"TTL {record.ttl_s} of what is old"
                continue
            left = _ttl_of(told, record.owner, record.rtype) - int(age_s)
            if record.target == TWIN and record.owner == SEARCH:
                left = ALIAS_TTL_S
            if record.ttl_s > min(left, longest):
                return f"TTL {record.ttl_s} where {left} is left and {longest} the longest"
            if record.ttl_s < min(least, left) - 2 - age_s - 2 * self._late_s:
                return f"TTL {record.ttl_s} where {left} is left"
        return ""

    def _edges(self, rules: Rules) -> list[float]:
        """Return when laws begin or end while an answer of this moment may be kept."""
        now, laws = self._clock.wall(), rules.world.laws
        edges = {edge for law in laws for edge in (law.starts_at, law.ends_at) if edge is not None}
        return sorted(one for one in edges if now < one <= now + LONGEST_TTL_S)

    def _is_closed_at(self, wall: float, rules: Rules, asked: Asked, told: Told) -> bool:
        """Tell whether what passes now is blocked then."""
        targets = _targets(rules, asked, told)
        if self._leads_to_a_block(rules, asked, targets, wall):
            return True
        return self.is_blocked(rules, asked, wall)


def _targets(rules: Rules, asked: Asked, told: Told) -> tuple[str, ...]:
    return (TWIN, *told.targets) if is_rewritten(rules, asked) else told.targets


def _is_empty(reply: Reply) -> bool:
    return not reply.rcode and not reply.answer


def _fact(record: wire.Record) -> tuple[object, ...]:
    return record.owner, record.rtype, record.target or record.rdata


def _ttl_of(told: Told, owner: str, rtype: int) -> int:
    """Return the TTL that was given to a record; a denial's is bounded by the hour."""
    for one in told.answer:
        if (one.owner, one.rtype) == (owner, rtype):
            return one.ttl_s
    return min([LONGEST_NEGATIVE_TTL_S, *(one.ttl_s for one in told.authority)])


def _shape_fault(rules: Rules, asked: Asked, reply: Reply) -> str:
    """Say what is wrong with a block (dns.md §4)."""
    sinkholes = rules.response(asked.who) is BlockResponse.SINKHOLE
    if reply.flags & (wire.TC | wire.AD):
        return "TC or AD"
    if any(one.ttl_s > BLOCK_TTL_S for one in (*reply.answer, *reply.authority)):
        return "it is remembered for too long"
    if sinkholes and asked.qtype in SINKHOLES:
        rdatas = [one.rdata for one in reply.answer]
        return "" if (reply.rcode, rdatas) == (0, [SINKHOLES[asked.qtype]]) else "no sinkhole"
    if reply.answer or reply.rcode not in (0, wire.NXDOMAIN):
        return f"records {reply.answer}, response code {reply.rcode}"
    if reply.rcode and rules.response(asked.who) is not BlockResponse.NXDOMAIN:
        return "NXDOMAIN to who gets something else"
    owners = [one.owner for one in reply.authority if one.rtype == wire.SOA]
    return "" if owners == [asked.name] else "no SOA of the name"
