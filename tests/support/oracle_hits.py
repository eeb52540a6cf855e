# SPDX-License-Identifier: Apache-2.0
"""What steps are to provoke, and how often it was met by replies that were judged."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from tests.support import oracle
from tests.support import oracle_messages as wire
from tests.support.oracle import Law, Listing, Question
from tests.support.oracle_questions import question_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.oracle_messages import Reply
    from tests.support.oracle_questions import Asked
    from tests.support.oracle_rules import Rules
    from tests.support.oracle_upstream import Told

EVERYWHERE = (
    "AD",
    "CD",
    "CNAME to a listed target",
    "DO",
    "OPT missing",
    "RD=0",
    "TTL 0",
    "change of rules during a wait",
    "clock set",
    "cut to a size",
    "edge of time during a wait",
    "exception on child",
    "exception on parent",
    "failure",
    "letter case",
    "local zone",
    "question while 1,000 wait for a change",
    "restart in the middle of a change",
    "rewritten name",
    "set clock during a wait",
    "size 1232",
    "size 4096",
    "size 512",
    "size 700",
    "stale",
    "type condition",
    "whole above 512",
    "worker restart",
)
"""What every run must meet."""

BY_THE_FAST_PATH = ("answer of the fast path", "block of the fast path")
"""What a run with the fast path must meet, too."""


class Case(NamedTuple):
    """A reply that is allowed: the question, the rules, and the wall clock then."""

    rules: Rules
    asked: Asked
    wall: float


class Hits(Counter[str]):
    """Counts, by the words above."""

    def missing(self, *, fast: bool) -> list[str]:
        """Return what was not met."""
        wanted = (*EVERYWHERE, *(BY_THE_FAST_PATH if fast else ()))
        return [one for one in wanted if not self[one]]

    def table(self) -> str:
        """Return all of it, a line each."""
        return "\n".join(f"{count:>9,}  {name}" for name, count in sorted(self.items()) if count)

    def note_question(self, asked: Asked) -> None:
        """Note the bits and the size of a question that got an answer, or a block."""
        for bit, name in ((asked.do, "DO"), (asked.cd, "CD")):
            self[name] += bit
        self[f"size {asked.size}" if asked.edns else "OPT missing"] += 1
        written = asked.message[12 : 12 + len(asked.name) + 1]
        self["letter case"] += written != written.lower()

    def note_block(self, case: Case) -> None:
        """Note a block of the qname itself."""
        rules, asked, _ = case
        self.note_question(asked)
        self["blocks"] += 1
        self["block of the fast path"] += not asked.by_chain
        passed = not oracle.is_blocked(asked.rules.world, question_at(asked, asked.wall))
        if passed and rules is not asked.rules:
            self["change of rules during a wait"] += 1
            self["question while 1,000 wait for a change"] += asked.among_many
        elif passed:
            backwards = case.wall < asked.wall
            self["set clock during a wait" if backwards else "edge of time during a wait"] += 1
        self._note_what_decides(case)

    def note_answer(self, case: Case, told: Told, reply: Reply, *, stale: bool) -> None:
        """Note an answer in an upstream's words."""
        asked = case.asked
        self.note_question(asked)
        self._note_what_decides(case)
        self["answers"] += 1
        self["answer of the fast path"] += not asked.by_chain
        self["stale"] += stale
        self["TTL 0"] += not told.ttl_s
        self["AD"] += bool(reply.flags & wire.AD)
        self["whole above 512"] += reply.octets > 512
        self["alias that passes"] += bool(told.targets)

    def note_target(self, case: Case, targets: Iterable[str]) -> None:
        """Note a name that passes itself and leads to one that does not."""
        self.note_question(case.asked)
        asked, wall = case.asked, case.wall
        questions = [Question(asked.who, one, asked.qtype, wall) for one in targets]
        found = [one for each in questions for one in oracle.deciders(case.rules.world, each)]
        self["CNAME to a listed target"] += any(isinstance(one, Listing) for one in found)

    def _note_what_decides(self, case: Case) -> None:
        rules, asked, wall = case
        question, world = question_at(asked, wall), rules.world
        listed = [one for one in world.listings if one.is_about(asked.name, asked.qtype)]
        for one in oracle.deciders(world, question) if listed else ():
            if one.allow if isinstance(one, Law) else isinstance(one, Listing) and one.excepts:
                self["exception on child"] += any(len(x.name) < len(one.name) for x in listed)
                self["exception on parent"] += any(len(x.name) > len(one.name) for x in listed)
        if any(one.types for one in listed):
            other = wire.AAAA if asked.qtype == wire.A else wire.A
            turned = Question(asked.who, asked.name, other, wall)
            here = oracle.is_blocked(world, question)
            self["type condition"] += here is not oracle.is_blocked(world, turned)
