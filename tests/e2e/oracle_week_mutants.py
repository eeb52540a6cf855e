# SPDX-License-Identifier: Apache-2.0
"""Mutants of filterd, each without one safeguard of a school's week.

See ``oracle_mutants`` and, for those of edges, ``oracle_week_edge_mutants``.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any

from filterd.clients.identifier import Identifier
from filterd.daemon.serving.worker import Worker
from filterd.daemon.shared_page import overrides_in_force
from filterd.overrides.changes import exception_changes
from filterd.policy import (
    effective_policy,
    engine,
    grade_changes,
    list_claims,
    name_rules,
    precedence,
)
from filterd.policy.calendar import Closures, Interval, Openings
from filterd.policy.grade_changes import Changer, GradeChange
from filterd.policy.model import Audience, Client
from filterd.policy.temporary_rules import Overrides, TargetKind
from filterd.policy.verdict import Rule
from tests.support import oracle_week_scenes as scenes
from tests.support import oracle_week_scenes_rooms as of_rooms
from tests.support.oracle_mutants import instead
from tests.support.oracle_week_edge_mutants import Mutant

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

    from filterd.policy.effective_policy import EffectivePolicy
    from filterd.policy.model import GradePolicy, LocalRule
    from filterd.policy.precedence import RankedMatch
    from filterd.policy.verdict import Match
    from filterd.resolve.site import Site


# Exceptions.


def _for_ever(patch: pytest.MonkeyPatch) -> None:
    """Let what is said of names have no end."""
    compiled: Any = vars(effective_policy)["at"]

    def at(policy: Any, overrides: Overrides, *times: float) -> EffectivePolicy:
        endless = tuple(
            exception if exception.kind is TargetKind.CATEGORY else replace(exception, ends_at=None)
            for exception in overrides.exceptions
        )
        found: EffectivePolicy = compiled(policy, replace(overrides, exceptions=endless), *times)
        return found

    patch.setattr("filterd.resolve.site.at", at)


def _never_over(starts_at: float, _: float | None, now: float) -> tuple[bool, Interval]:
    return (
        now >= starts_at,
        Interval(starts_at, inf) if now >= starts_at else Interval(-inf, starts_at),
    )


def _term_for_ever(patch: pytest.MonkeyPatch) -> None:
    for where in (grade_changes, effective_policy):
        patch.setattr(where, "term", _never_over)


def _from_the_first(_: float, ends_at: float | None, now: float) -> tuple[bool, Interval]:
    end = inf if ends_at is None else ends_at
    return now < end, Interval(-inf, end) if now < end else Interval(end, inf)


def _already_begun(patch: pytest.MonkeyPatch) -> None:
    for where in (grade_changes, effective_policy):
        patch.setattr(where, "term", _from_the_first)


_rank: Any = vars(name_rules)["_rank"]
_weight: Any = vars(GradeChange)["weight"]


def _allow_first(rule: LocalRule) -> tuple[int, bool, int, bool]:
    longer, no_exam, narrower, allow = _rank(rule)
    return longer, no_exam, narrower, not allow


def _any_audience(rule: LocalRule) -> tuple[int, bool, int, bool]:
    longer, no_exam, _, allow = _rank(rule)
    return longer, no_exam, 0, allow


def _wider_first(self: GradeChange) -> tuple[int, bool, int, int, bool]:
    layer, narrow, audience, newness, closes = _weight.fget(self)
    return layer, narrow, -audience, newness, closes


def _nothing_narrow(self: GradeChange) -> tuple[int, bool, int, int, bool]:
    layer, narrow, *rest = _weight.fget(self)
    return (layer, not narrow, *rest)


def _files_last(self: GradeChange) -> tuple[int, bool, int, int, bool]:
    layer, *rest = _weight.fget(self)
    return (-layer, *rest)


def _opened_whatever(patch: pytest.MonkeyPatch) -> None:
    """Let what is locked be opened like anything else."""
    made = Changer.__init__

    def begun(self: Any, policy: Any) -> None:
        made(self, policy)
        self.shut = frozenset()

    patch.setattr(Changer, "__init__", begun)
    rule_of: Any = vars(list_claims)["_rule_of_block"]

    def rule(source: Any, category: Any, grade: GradePolicy, kept: Any) -> Rule:
        found: Rule = rule_of(source, category, grade, kept)
        is_open = category is not None and category.id not in grade.closed
        return Rule.OPEN if found is Rule.LOCKED and is_open else found

    patch.setattr(list_claims, "_rule_of_block", rule)


def _local_before_locked(patch: pytest.MonkeyPatch) -> None:
    decide: Any = precedence.deciding

    def deciding(ranked: Any) -> RankedMatch | None:
        local = next((one for one in ranked if one.match.rule is Rule.LOCAL), None)
        others = [one for one in ranked if one.match.rule is not Rule.LOCKED]
        found: RankedMatch | None = decide(others if local else ranked)
        return found

    patch.setattr(precedence, "deciding", deciding)


def _covers_all(cover: Match, _: Match) -> bool:
    return not cover.blocks


def _whole_subtree(patch: pytest.MonkeyPatch) -> None:
    defeats: Any = precedence.defeats

    def defeated(protection: Match, block: Match) -> bool:
        found: bool = defeats(protection._replace(entry_only=False), block)
        return found

    patch.setattr(precedence, "defeats", defeated)


def _suspended_for_a_month(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(effective_policy, "LONGEST_SUSPENSION_S", 30 * 86_400.0)
    patch.setattr(exception_changes, "ENTRY_S", 30 * 86_400)
    end: Any = exception_changes.SetException._end_of_entry
    day_s = 86_400

    def later(self: Any, starts_at: float, ends_at: float | None) -> float:
        found: float = end(self, starts_at, ends_at)
        return found + day_s

    patch.setattr(exception_changes.SetException, "_end_of_entry", later)


def _unheard(_: Worker, site: Site) -> Site:
    return site


def _only_added(self: Worker, site: Site) -> Site:
    """Take what is set, and leave what is not any more."""
    before, after = site.timed.overrides, overrides_in_force(self._setting)
    kept = tuple(exception for exception in before.exceptions if exception not in after.exceptions)
    both = replace(after, exceptions=(*kept, *after.exceptions))
    return site.at(self._setting.clock.wall(), both)


def _nothing_on_the_disk(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("filterd.daemon.sealed_sites.overrides_in_force", lambda _: Overrides())


# Rooms and exams.


def _loosest(grades: Iterable[GradePolicy]) -> GradePolicy:
    return min(grades, key=lambda grade: (grade.allow_only, len(grade.closed), -grade.age))


def _oldest_setting(patch: pytest.MonkeyPatch) -> None:
    set_: Any = grade_changes.Rooms._set

    def oldest(self: Any, room: str) -> Any:
        self._settings[room] = self._settings.get(room, [])[:1]
        return set_(self, room)

    patch.setattr(grade_changes.Rooms, "_set", oldest)


def _other_allows_count(self: Client, rule: LocalRule) -> bool:
    return self.is_of(rule.audience, rule.whom)


def _blocks_are_forgotten(self: Client, rule: LocalRule) -> bool:
    if rule.exam != self.grade.exam:
        return False
    return self.is_of(rule.audience, rule.whom)


def _open_categories_stay(patch: pytest.MonkeyPatch) -> None:
    """Open names without a closed category during an exam."""
    patch.setattr(engine.Engine, "_closing", lambda *_: [])


def _pins_are_closed(patch: pytest.MonkeyPatch) -> None:
    decide: Any = precedence.deciding

    def deciding(ranked: Any) -> RankedMatch | None:
        shut = (one for one in ranked if one.match.rule is Rule.ALLOW_ONLY)
        found: RankedMatch | None = next(shut, None) or decide(ranked)
        return found

    patch.setattr(precedence, "deciding", deciding)


def _exam_is_any_allow(rule: LocalRule) -> tuple[int, bool, int, bool]:
    longer, _, narrower, allow = _rank(rule)
    return longer, False, narrower, allow


def _same_for_each_device(self: Identifier, key: str, _: object) -> GradePolicy:
    return self._policy.grades[key]


def _one_variant(patch: pytest.MonkeyPatch) -> None:
    """Let an exception for a room be one for its grade."""
    concerns = GradeChange.concerns

    def wider(self: GradeChange, client: Client) -> bool:
        if self.audience is Audience.NETWORK:
            return not client.grade.variant or concerns(self, client)
        return concerns(self, client)

    patch.setattr(GradeChange, "concerns", wider)


_calendar: Any = vars(Openings)["_is_open"]


def _no_night(self: Openings, window: Any, shown: Any) -> bool:
    begun = window.starts_s <= shown.second < window.ends_s
    return begun and self._is_on(window, shown.day)


_all_audiences = (scenes.exceptions, scenes.each_kind)

OF_WHAT_IS_SET: dict[str, Mutant] = {
    "running workers hear of commands": Mutant(
        instead(Worker, "_with_overrides", _unheard), _all_audiences
    ),
    "what is revoked is gone": Mutant(
        instead(Worker, "_with_overrides", _only_added), (scenes.each_kind,)
    ),
    "what is set outlives workers and reloads": Mutant(
        _nothing_on_the_disk, (of_rooms.nothing_is_lost,)
    ),
    "an exception of a name ends": Mutant(_for_ever, (scenes.covered, scenes.exceptions)),
    "what has a term ends": Mutant(_term_for_ever, (of_rooms.nothing_is_lost, of_rooms.room_set)),
    "what is to come has not begun": Mutant(_already_begun, (of_rooms.one_device,)),
    "a block outranks an allow": Mutant(
        instead(name_rules, "_rank", _allow_first), (scenes.contest,)
    ),
    "the narrower audience outranks": Mutant(
        instead(name_rules, "_rank", _any_audience), (scenes.contest,)
    ),
    "the narrower audience outranks, of categories": Mutant(
        instead(GradeChange, "weight", property(_wider_first)), (scenes.contest_of_categories,)
    ),
    "a service outranks its category": Mutant(
        instead(GradeChange, "weight", property(_nothing_narrow)), (scenes.set_grades,)
    ),
    "an exception outranks a schedule and a setting": Mutant(
        instead(GradeChange, "weight", property(_files_last)), (scenes.contest_of_categories,)
    ),
    "what is locked or kept closed is not opened with its category": Mutant(
        _opened_whatever, (scenes.locked, scenes.set_grades)
    ),
    "what is locked is not opened by its name": Mutant(_local_before_locked, (scenes.locked,)),
    "what an allowed alias leads to is not opened where it is locked": Mutant(
        instead(engine, "covers", _covers_all), (scenes.locked,)
    ),
    "a suspended entry is no more than that": Mutant(_whole_subtree, (scenes.entry,)),
    "an entry is suspended for a fortnight": Mutant(_suspended_for_a_month, (scenes.entry,)),
    "between lessons the strictest sits there": Mutant(
        instead(grade_changes, "strictest", _loosest), (scenes.lessons,)
    ),
    "of a room's settings the newest counts": Mutant(_oldest_setting, (of_rooms.room_set,)),
    "who sits an exam has no other allows": Mutant(
        instead(Client, "is_meant_by", _other_allows_count), (of_rooms.exam_is_held,)
    ),
    "blocks hold in an exam": Mutant(
        instead(Client, "is_meant_by", _blocks_are_forgotten), (of_rooms.exam_is_held,)
    ),
    "nothing else is open in an exam": Mutant(_open_categories_stay, (of_rooms.exam_is_held,)),
    "pins are open in an exam": Mutant(_pins_are_closed, (of_rooms.exam_is_held,)),
    "an exam's allow outranks a block of the same name": Mutant(
        instead(name_rules, "_rank", _exam_is_any_allow), (of_rooms.exam_is_held,)
    ),
    "one device has what its neighbours have not": Mutant(
        instead(Identifier, "_grade", _same_for_each_device), (of_rooms.one_device,)
    ),
    "a room has what its grade has not elsewhere": Mutant(
        _one_variant, (of_rooms.nothing_is_lost, of_rooms.clock_is_set)
    ),
    "a window of the night before is open": Mutant(
        instead(Openings, "_is_open", _no_night), (of_rooms.night,)
    ),
    "a holiday is none of the other days": Mutant(
        instead(Closures, "__contains__", lambda *_: False), (of_rooms.night, scenes.lessons)
    ),
}
