# SPDX-License-Identifier: Apache-2.0
"""Find what was set in a period: exceptions, pauses, full logging. Pure.

Things count as long as they held: one that was ended early held until then.
"""

from __future__ import annotations

from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.overrides.changes.effects import key_of
from filterd.overrides.history.history_chain import CLOCK, CLOCK_ACCEPTED, with_undos
from filterd.policy.log_levels import LogLevel, level_of, levels_of
from filterd.policy.temporary_rules import Overrides, TargetKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from filterd.overrides.history.history_chain import HistoryRow
    from filterd.policy.model import Policy
    from filterd.policy.temporary_rules import LogSetting

_EXCEPTIONS = frozenset(("exception", "exceptions"))
"""Kinds of change."""


class PeriodChanges(NamedTuple):
    """What was set in a period.

    Attributes:
        allowed: exceptions that allow, of names, services and categories, not taken back.
        blocked: the same that block.
        pauses: how many held for some time of the period.
        pause_s: the seconds of them within the period.
    """

    allowed: int
    blocked: int
    pauses: int
    pause_s: int


def changes_in(rows: Sequence[HistoryRow], begins: float, ends: float) -> PeriodChanges:
    """Return what was set from ``begins`` to before ``ends``, Unix times.

    Args:
        rows: the whole history, in ascending order.
        begins: of the period.
        ends: of the period, not included.
    """
    allows = [
        thing.allow
        for row, taken_back_by in with_undos(reversed(rows))
        if row.kind in _EXCEPTIONS and taken_back_by is None and begins <= row.at < ends
        for thing in row.effect().after.exceptions
    ]
    pauses = dict[int, float]()
    for thing, since, until in _held(rows):
        if thing.kind == TargetKind.PAUSE and (held_s := min(until, ends) - max(since, begins)) > 0:
            pauses[thing.id] = max(held_s, pauses.get(thing.id, 0.0))  # one may be of several rooms
    return PeriodChanges(
        sum(allows), len(allows) - sum(allows), len(pauses), round(sum(pauses.values()))
    )


def full_spans(
    rows: Iterable[HistoryRow], policy: Policy, begins: float, ends: float
) -> tuple[tuple[str, int, int], ...]:
    """Return tier ("" for all), begin and end of each time with the level ``full``.

    Args:
        rows: the whole history, in ascending order.
        policy: of the site's files, for its tiers.
        begins: Unix time of the period.
        ends: of the period, not included.
    """
    tiers, found = list(levels_of(policy)), list[tuple[str, float, float]]()
    steps = list(_settings(rows))
    for number, (since, settings) in enumerate(steps, 1):
        until = min((at for at, _ in steps[number:] if at >= since), default=inf)
        edges = {max(since, begins), min(until, ends)}
        if min(until, ends) <= max(since, begins):
            continue
        low, high = min(edges), max(edges)
        dated = (
            at
            for setting in settings
            for at in (setting.starts_at, setting.ends_at)
            if at is not None
        )
        edges |= {at for at in dated if low < at < high}
        overrides = Overrides(log_settings=settings)
        for begin, end in pairwise(sorted(edges)):
            full = [
                tier
                for tier in tiers
                if level_of(policy, overrides, tier, begin).level is LogLevel.FULL
            ]
            found += ((tier, begin, end) for tier in ([""] if full == tiers else full))
    return tuple((tier, round(begin), round(end)) for tier, begin, end in _joined(found))


def levels_at(rows: Iterable[HistoryRow], policy: Policy, at: float) -> dict[str, str]:
    """Return the level of the log by tier at a Unix time.

    Args:
        rows: the whole history, in ascending order.
        policy: of the site's files.
        at: the time.
    """
    held: tuple[LogSetting, ...] = ()
    for since, settings in _settings(rows):
        held = settings if since <= at else held
    overrides = Overrides(log_settings=held)
    return {tier: level_of(policy, overrides, tier, at).level.value for tier in levels_of(policy)}


def _settings(rows: Iterable[HistoryRow]) -> Iterator[tuple[float, tuple[LogSetting, ...]]]:
    """Yield the settings of the log, and the time from which they were so.

    A time is before the one that precedes it where the clock was ahead until it was corrected.
    """
    there, at = dict[int, Any](), 0.0
    for row in rows:
        at = row.at if row.kind in {CLOCK, CLOCK_ACCEPTED} else max(at, row.at)
        if "log_settings" not in row.before + row.after:
            continue
        effect = row.effect()
        for thing in effect.before.log_settings:
            there.pop(thing.id, None)
        there |= {thing.id: thing for thing in effect.after.log_settings}
        yield at, tuple(there.values())


def _joined(spans: Iterable[tuple[str, float, float]]) -> list[tuple[str, float, float]]:
    """Join spans of a tier that follow each other."""
    found = dict[tuple[str, float], tuple[str, float, float]]()
    for tier, begin, end in spans:
        before = found.pop((tier, begin), (tier, begin, end))
        found[tier, end] = tier, before[1], end
    return sorted(found.values(), key=lambda one: (one[1], one[0]))


def _held(rows: Iterable[HistoryRow]) -> Iterator[tuple[Any, float, float]]:
    """Yield each exception and pause that there was, from when and until when it held."""
    there = dict[Any, Any]()
    for row in rows:
        if "exceptions" not in row.before + row.after:
            continue
        effect = row.effect()
        for thing in effect.before.exceptions:
            there.pop(key_of(thing), None)
            if row.kind not in {CLOCK, CLOCK_ACCEPTED}:  # it only gets other dates
                yield thing, thing.starts_at, min(row.at, _end_of(thing))
        there |= {key_of(thing): thing for thing in effect.after.exceptions}
    for thing in there.values():
        yield thing, thing.starts_at, _end_of(thing)


def _end_of(thing: Any) -> float:
    return inf if thing.ends_at is None else float(thing.ends_at)
