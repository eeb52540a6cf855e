# SPDX-License-Identifier: Apache-2.0
"""Situations that lives of a school's week must meet, and their counter."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from filterd.policy.temporary_rules import Overrides, TargetKind
from tests.support import oracle
from tests.support.oracle import NARROWNESS, Guard, Law, Question
from tests.support.oracle_answers import Oracle
from tests.support.oracle_hits import Hits
from tests.support.oracle_questions import targets_of
from tests.support.oracle_week import ROOM, WeekRules, second_of_day

if TYPE_CHECKING:
    from tests.support.oracle_changes import Command, TakeBack
    from tests.support.oracle_messages import Reply
    from tests.support.oracle_questions import Asked
    from tests.support.oracle_rules import Rules
    from tests.support.oracle_week import Edge

NEAR_S = 1.5
"""So far from an edge a question is near it."""

EDGES = (
    "lesson",
    "schedule",
    "name exception",
    "service exception",
    "category exception",
    "entry exception",
    "room",
    "exam",
)
_MOMENTS = ("before", "at", "after")
_KINDS = tuple(str(one) for one in TargetKind)

EVERYWHERE = (
    *(f"{what} edge: {when} it" for what in EDGES for when in _MOMENTS),
    *(f"{what} edge: during a wait" for what in EDGES),
    *(f"{what} edge: of what an alias leads to" for what in EDGES if what != "entry exception"),
    *(f"{kind} set for {audience}" for kind in _KINDS[:3] for audience in NARROWNESS),
    *(f"{verb} decides for {audience}" for verb in ("allow", "block") for audience in NARROWNESS),
    *(f"term: {term}" for term in ("later", "until", "lesson", "permanent")),
    *(f"command: {kind}" for kind in ("revoke", "undo", "exam-stop", "room", "exam", "grade")),
    "undo of an undo",
    "restart while something is set",
    "restart while a change is recorded and not in force",
    "reload while something is set",
    "clock set back over an edge",
    "clock set forward over an edge",
    "question while 1,000 wait for an exam",
    "asked before a worker has a change",
    "exam: shut out",
    "exam: let through",
    "exam: a pin",
    "exam: a block outranks an allow",
    "an exception of those who sit an exam does not count",
    "locked though an exception opens it",
    "kept closed by the school",
    "suspended entry",
    "an opened service of a closed category",
    "a schedule on a holiday",
    "a window of the night before",
    "between lessons",
)
"""What every run must meet."""

BY_THE_FAST_PATH = tuple(f"{what} edge: by the fast path" for what in ("lesson", "exam", "room"))
"""What a run with the fast path must meet, too."""


class WeekHits(Hits):
    """Counts, by the words above and those of all lives."""

    def missing(self, *, fast: bool) -> list[str]:
        """Return what was not met."""
        wanted = (*EVERYWHERE, *(BY_THE_FAST_PATH if fast else ()))
        return [one for one in wanted if not self[one]]


class WeekOracle(Oracle):
    """Judges replies, and notes what of the week they have met.

    Attributes:
        refused: commands that were, by what was said.
    """

    def __init__(self, *about: Any, **more: Any) -> None:
        super().__init__(*about, **more)
        self.hits = WeekHits()
        self.refused = Counter[str]()

    # What happens.

    def note_command(self, step: Command | TakeBack) -> None:
        """Note that a command was taken."""
        about = dict(getattr(step, "about", ()))
        self.hits[f"command: {step.kind}"] += 1
        self.hits["undo of an undo"] += step.kind == "undo" and step.called == "undo of undo"
        if step.kind == "exception":
            audience = about.get("audience", "everybody")
            self.hits[f"{about['target_kind']} set for {audience}"] += 1
            terms = {"later": "starts_at", "until": "ends_at", "lesson": "lesson"}
            for term, key in terms.items():
                self.hits[f"term: {term}"] += key in about
            self.hits["term: permanent"] += not terms.values() & about.keys()

    def note_reload(self, said: Overrides) -> None:
        """Note that other files came in force."""
        self.hits["reload while something is set"] += said != Overrides()

    def note_restart(self, said: Overrides) -> None:
        """Note that a worker was restarted."""
        self.hits["restart while something is set"] += said != Overrides()
        halfway = len(self.possible) > 1
        self.hits["restart while a change is recorded and not in force"] += halfway

    # What is seen.

    def _fault_under(self, rules: Rules, asked: Asked, reply: Reply) -> str:
        fault = super()._fault_under(rules, asked, reply)
        if not fault and isinstance(rules.epoch, WeekRules):
            self._note_week(rules, asked)
            for edge in rules.epoch.edges_between(
                min(asked.wall, self._clock.wall()) - NEAR_S,
                max(asked.wall, self._clock.wall()) + NEAR_S,
            ):
                self._note_edge(rules.epoch, edge, asked)
        return fault

    def _note_week(self, rules: Rules, asked: Asked) -> None:
        """Note what is said of a question at the moment."""
        hits, who, world = self.hits, asked.who, rules.world
        assert isinstance(rules.epoch, WeekRules)
        question = Question(who, asked.name, asked.qtype, self._clock.wall())
        blocked = oracle.is_blocked(world, question)
        deciders = oracle.deciders(world, question)
        for decider in deciders:
            if isinstance(decider, Law) and decider is not oracle.SHUT and not decider.exam:
                hits[f"{'allow' if decider.allow else 'block'} decides for {decider.audience}"] += 1
            if isinstance(decider, Law) and decider.exam:
                hits["exam: let through"] += 1
            if isinstance(decider, Guard) and decider.entry_only:
                hits["suspended entry"] += 1
            hits["exam: a pin"] += bool(who.exam) and isinstance(decider, Guard) and decider.pins
        kinds = {oracle.label(world, who, decider) for decider in deciders}
        allows = [law for law in oracle.laws_in_force(world, question) if law.allow]
        hits["locked though an exception opens it"] += "locked" in kinds and bool(allows)
        for one in world.listings if "locked" in kinds else ():
            kept = {one.category, one.list_id} & world.kept
            hits["kept closed by the school"] += bool(kept) and one.is_about(asked.name, 1)
        if not blocked:
            opened = [
                listing for listing in world.listings if listing.is_about(asked.name, asked.qtype)
            ]
            opens = (
                one.list_id.startswith(oracle.SERVICE)
                and oracle.label(world, who, one) == "list-exception"
                for one in opened
            )
            hits["an opened service of a closed category"] += any(opens)
        if who.exam:
            self._note_exam(world, question, deciders)
        week, now = rules.epoch.week, self._clock.wall()
        if who.network == ROOM and week.timetable:
            hits["between lessons"] += rules.epoch.lesson_ends_at(now) is None
        if asked.among_many:
            hits["question while 1,000 wait for an exam"] += bool(who.exam)
        hits["asked before a worker has a change"] += asked.rules.epoch is rules.epoch and (
            self.lifetimes.changed_at == asked.at
        )
        naive = rules.epoch.naive
        hits["a schedule on a holiday"] += bool(week.scheduled) and (
            naive.wall(now).date() in naive.holidays
        )
        late = second_of_day(now) + 86_400
        hits["a window of the night before"] += any(
            window.starts_s <= late < window.ends_s
            for schedule in week.schedules
            for window in schedule.windows
        )

    def _note_exam(
        self, world: oracle.World, question: Question, deciders: list[oracle.Thing]
    ) -> None:
        hits = self.hits
        hits["exam: shut out"] += any(decider is oracle.SHUT for decider in deciders)
        laws = oracle.laws_in_force(world, question)
        both = bool(laws) and not laws[0].allow and any(law.exam for law in laws)
        hits["exam: a block outranks an allow"] += both
        outside = replace(question, who=replace(question.who, exam=""))
        others = oracle.laws_in_force(world, outside)
        ignored = any(law.allow for law in others) and oracle.is_blocked(world, question)
        hits["an exception of those who sit an exam does not count"] += ignored

    def _note_edge(self, rules: WeekRules, edge: Edge, asked: Asked) -> None:
        """Note a question near an edge at which it gets another verdict."""
        before, after = (self._verdict(rules, asked, wall) for wall in (edge.at - 0.001, edge.at))
        if before == after:
            return
        hits, now, name = self.hits, self._clock.wall(), f"{edge.what} edge:"
        when = "before" if now < edge.at else "at" if now - edge.at < 0.01 else "after"
        hits[f"{name} {when} it"] += 1
        hits[f"{name} by the fast path"] += not (asked.by_chain or asked.by_tcp)
        hits[f"{name} during a wait"] += asked.wall < edge.at <= now
        hits[f"{name} of what an alias leads to"] += before[0] == after[0]
        hits["clock set back over an edge"] += now < edge.at <= asked.wall
        lasted = self._clock.monotonic() - asked.at
        hits["clock set forward over an edge"] += asked.wall < edge.at <= now - lasted - 1

    def _verdict(self, rules: WeekRules, asked: Asked, wall: float) -> tuple[bool, bool]:
        """Return whether the name is blocked at a time, and whether what it leads to is."""
        then = rules.at(wall)
        one = replace(asked, who=then.seen(asked.who))
        question = Question(one.who, one.name, one.qtype, wall)
        if oracle.is_blocked(then.world, question):
            return True, False
        answers = self.upstream.answers.get(one.key(then), ())
        targets = targets_of(then, one, answers[-1]) if answers else ()
        leads = any(oracle.target_is_blocked(then.world, question, target) for target in targets)
        return False, leads
