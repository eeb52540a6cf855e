# SPDX-License-Identifier: Apache-2.0
"""Situations that steps must provoke, and how often checked replies met each."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from tests.support import oracle
from tests.support import oracle_messages as wire
from tests.support.oracle import Law, Listing, Question
from tests.support.oracle_questions import (
    is_rewritten,
    leads_to_a_block,
    question_at,
    targets_of,
)
from tests.support.oracle_shapes import home_records
from tests.support.oracle_upstream import LARGEST_BY_UDP, OPT_OCTETS, is_at_home, without_ech

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.oracle_messages import Reply
    from tests.support.oracle_questions import Asked
    from tests.support.oracle_rules import Rules
    from tests.support.oracle_upstream import UpstreamAnswer

EVERYWHERE = (
    "AD",
    "CD",
    "CNAME to a listed target",
    "DO",
    "ECH key taken out",
    "HTTPS to a closed target",
    "OPT missing",
    "RD=0",
    "TC retried by TCP",
    "TTL 0",
    "alias of a zone that is not looked into",
    "an octet above the size limit",
    "answer of a zone's own server",
    "answer of the second upstream",
    "by TCP",
    "by TCP above 1232",
    "change of rules during a wait",
    "clock set",
    "cut to a size",
    "device changed during a wait",
    "edge of time during a wait",
    "exactly the size limit",
    "exception on child",
    "exception on parent",
    "failure",
    "failure of several grades",
    "failure remembered",
    "flight of several grades",
    "flight that is open to one and closed to another",
    "letter case",
    "local zone",
    "old to one and closed to another",
    "private addresses of which some stay",
    "private addresses taken out",
    "private addresses that a name may have",
    "question of a zone's own server",
    "question while 1,000 wait for a change",
    "question while 1,000 wait for a change of targets",
    "restart in the middle of a change",
    "rewritten name",
    "room of another grade during a wait",
    "set clock during a wait",
    "size 1232",
    "size 4096",
    "size 512",
    "size 700",
    "stale",
    "target closed by a change during a wait",
    "target closed by a set clock during a wait",
    "target closed by an edge during a wait",
    "target opened during a wait",
    "target that an allow of the name covers",
    "target that is excepted",
    "target that the school blocks",
    "type condition",
    "whole above 512",
    "worker restart",
)
"""What every run must meet."""

BY_THE_FAST_PATH = (
    "alias answered by the fast path",
    "answer of the fast path",
    "block of the fast path",
)
"""What a run with the fast path must meet, too."""

_CACHED_ERROR = 13


class Case(NamedTuple):
    """A reply that is allowed: the question, the rules, and the wall clock then."""

    rules: Rules
    asked: Asked
    wall: float


class Hits(Counter[str]):
    """Counts, by the words above."""

    def __init__(self) -> None:
        super().__init__()
        self._met: defaultdict[int | str, set[str]] = defaultdict(set)
        """What has become of something that was said, by its number, or of a name."""

    def missing(self, *, fast: bool) -> list[str]:
        """Return what was not met."""
        wanted = (*EVERYWHERE, *(BY_THE_FAST_PATH if fast else ()))
        return [one for one in wanted if not self[one]]

    def table(self) -> str:
        """Return all of it, a line each."""
        return "\n".join(f"{count:>9,}  {name}" for name, count in sorted(self.items()) if count)

    def note_question(self, asked: Asked) -> None:
        """Note the bits and the size of a question that got an answer, or a block."""
        for bit, name in ((asked.do, "DO"), (asked.cd, "CD"), (asked.by_tcp, "by TCP")):
            self[name] += bit
        self[f"size {asked.size}" if asked.edns else "OPT missing"] += 1
        written = asked.message[12 : 12 + len(asked.name) + 1]
        self["letter case"] += written != written.lower()

    def note_block(self, case: Case) -> None:
        """Note a block of the qname itself."""
        rules, asked, _ = case
        self.note_question(asked)
        self["blocks"] += 1
        self["block of the fast path"] += not (asked.by_chain or asked.by_tcp)
        before = next(asked.seen_by(asked.rules))
        passed = not oracle.is_blocked(asked.rules.world, question_at(before, asked.wall))
        if passed and rules.epoch is not asked.rules.epoch:
            self["change of rules during a wait"] += 1
            self["question while 1,000 wait for a change"] += asked.among_many
        elif passed:
            backwards = case.wall < asked.wall
            self["set clock during a wait" if backwards else "edge of time during a wait"] += 1
        self._note_what_decides(case)

    def note_failure(self, case: Case, reply: Reply) -> None:
        """Note a failure."""
        asked = case.asked
        self["failure"] += 1
        self["failure remembered"] += _CACHED_ERROR in reply.edes
        self._met[asked.name].add(asked.who.grade)
        self["failure of several grades"] += len(self._met[asked.name]) > 1

    def note_answer(self, case: Case, answer: UpstreamAnswer, reply: Reply, *, stale: bool) -> None:
        """Note an answer in an upstream's words."""
        rules, asked, _ = case
        self.note_question(asked)
        self._note_what_decides(case)
        quick = not (asked.by_chain or asked.by_tcp)
        self["answers"] += 1
        self["answer of the fast path"] += quick
        self["stale"] += stale
        self["TTL 0"] += not answer.ttl_s
        self["AD"] += bool(reply.flags & wire.AD)
        self["whole above 512"] += reply.octets > 512
        self["by TCP above 1232"] += asked.by_tcp and reply.octets > LARGEST_BY_UDP
        self["alias that passes"] += bool(answer.targets)
        self["alias answered by the fast path"] += bool(answer.targets) and quick
        self["rewritten name"] += is_rewritten(rules, asked)
        self["answer of the second upstream"] += answer.by == 1
        self["answer of a zone's own server"] += bool(answer.key.whom)
        self._note_home(case, answer)
        self._note_size(asked, answer)
        self._note_flight(case, [answer], "open")
        if stale:
            self._note_old(answer.serial, "open")
        self._note_passing_targets(case, answer)

    def note_targets(self, case: Case, answer: list[UpstreamAnswer], now: float) -> None:
        """Note a name that passes itself and leads to one that does not."""
        rules, asked, wall = case
        self.note_question(asked)
        targets = [target for one in answer for target in targets_of(rules, asked, one)]
        found = list(_deciding(case, targets))
        self["CNAME to a listed target"] += any(isinstance(one, Listing) for one in found)
        blocks = (isinstance(one, Law) and not one.allow for one in found)
        self["target that the school blocks"] += any(blocks)
        self["HTTPS to a closed target"] += asked.qtype == wire.HTTPS
        quick = not (asked.by_chain or asked.by_tcp)
        self["alias answered by the fast path"] += quick
        self._note_flight(case, answer, "closed")
        for one in answer:
            if now >= one.at + one.ttl_s:
                self._note_old(one.serial, "closed")
        waited = [one for one in answer if one.order > asked.order]
        if waited and not any(_led_to_a_block(asked, one) for one in waited):
            if rules.epoch is not asked.rules.epoch:
                self["target closed by a change during a wait"] += 1
                self["question while 1,000 wait for a change of targets"] += asked.among_many
                room = asked.rules.seen(asked.who) is not asked.who
                self["room of another grade during a wait"] += room
            else:
                how = "a set clock" if wall < asked.wall else "an edge"
                self[f"target closed by {how} during a wait"] += 1

    def _note_passing_targets(self, case: Case, answer: UpstreamAnswer) -> None:
        rules, asked, wall = case
        targets = answer.targets
        questions = [Question(asked.who, target, asked.qtype, wall) for target in targets]
        closed = any(oracle.is_blocked(rules.world, question) for question in questions)
        if answer.key.whom:
            self["alias of a zone that is not looked into"] += closed
            return
        self["target that an allow of the name covers"] += closed
        excepted = False
        for one in questions if rules.world.listings else ():
            if any(entry.is_about(one.name, one.qtype) for entry in rules.world.listings):
                excepted |= any(map(_excepts, oracle.deciders(rules.world, one)))
        self["target that is excepted"] += excepted
        waited = answer.order > asked.order
        self["target opened during a wait"] += waited and _led_to_a_block(asked, answer)

    def _note_home(self, case: Case, answer: UpstreamAnswer) -> None:
        rules, asked, _ = case
        self["private addresses of which some stay"] += bool(home_records(rules, asked, answer))
        may_lead_home = not answer.key.whom and rules.may_lead_home(asked.name)
        self["private addresses that a name may have"] += may_lead_home and any(
            map(is_at_home, answer.answer)
        )
        if asked.who.grade in rules.strips_for:
            self["ECH key taken out"] += any(without_ech(one) != one for one in answer.answer)

    def _note_size(self, asked: Asked, answer: UpstreamAnswer) -> None:
        if answer.exact and not asked.by_tcp:
            whole = answer.exact - (0 if asked.edns else OPT_OCTETS)
            self["exactly the size limit"] += whole == asked.limit

    def note_cut(self, asked: Asked, answer: Iterable[UpstreamAnswer]) -> None:
        """Note an answer that was too long for its client."""
        self["cut to a size"] += 1
        for one in answer:
            whole = one.exact - (0 if asked.edns else OPT_OCTETS)
            self["an octet above the size limit"] += whole == asked.limit + 1

    def _note_flight(self, case: Case, answer: list[UpstreamAnswer], what: str) -> None:
        """Note the results of clients that wait for the same answer."""
        asked = case.asked
        for one in answer:
            if one.order > asked.order:
                self["device changed during a wait"] += bool(asked.also)
                met = self._met[one.serial]
                met |= {f"grade {asked.who.grade}", what}
                both = {"open", "closed"} <= met
                self["flight that is open to one and closed to another"] += both
                self["flight of several grades"] += sum(word[:5] == "grade" for word in met) > 1

    def _note_old(self, serial: int, what: str) -> None:
        met = self._met[serial]
        met.add(f"old and {what}")
        self["old to one and closed to another"] += {"old and open", "old and closed"} <= met

    def _note_what_decides(self, case: Case) -> None:
        rules, asked, wall = case
        question, world = question_at(asked, wall), rules.world
        listed = [
            listing for listing in world.listings if listing.is_about(asked.name, asked.qtype)
        ]
        for one in oracle.deciders(world, question) if listed else ():
            if _excepts(one):
                self["exception on child"] += any(len(x.name) < len(one.name) for x in listed)
                self["exception on parent"] += any(len(x.name) > len(one.name) for x in listed)
        if any(one.types for one in listed):
            other = wire.AAAA if asked.qtype == wire.A else wire.A
            turned = Question(asked.who, asked.name, other, wall)
            here = oracle.is_blocked(world, question)
            self["type condition"] += here is not oracle.is_blocked(world, turned)


def _led_to_a_block(asked: Asked, answer: UpstreamAnswer) -> bool:
    """Return whether an answer would have led to a block at the moment of its question."""
    before = next(asked.seen_by(asked.rules))
    targets = targets_of(asked.rules, before, answer)
    return leads_to_a_block(asked.rules, before, targets, asked.wall)


def _excepts(thing: oracle.Thing) -> bool:
    return thing.allow if isinstance(thing, Law) else isinstance(thing, Listing) and thing.excepts


def _deciding(case: Case, targets: Iterable[str]) -> Iterable[oracle.Thing]:
    rules, asked, wall = case
    for target in targets:
        yield from oracle.deciders(rules.world, Question(asked.who, target, asked.qtype, wall))
