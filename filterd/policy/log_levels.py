# SPDX-License-Identifier: Apache-2.0
"""Levels of the query log: of the site's files, and in force at a moment. Pure."""

from __future__ import annotations

from dataclasses import field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.state_file import ADDED
from filterd.base.value_class import frozen
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from filterd.policy.model import Policy
    from filterd.policy.temporary_rules import LogSetting, Overrides


class LogLevel(StrEnum):
    """The level of the query log. Each level has what those before it have.

    * ``OFF``: nothing.
    * ``COUNTS``: totals by hour, grade, class, network, category and action.
    * ``NAMES``: distinct names by tier and day, without class and time: blocked ones, and
      allowed ones that at least ``QueryLog.least_devices`` devices asked for.
    * ``BLOCKED``: a row for each blocked lookup: time, name, class, pseudonym of the device.
    * ``FULL``: a row for each lookup. Set by command only, for days; it ends by itself.

    No level has an address.
    """

    OFF = "off"
    COUNTS = "counts"
    NAMES = "names"
    BLOCKED = "blocked"
    FULL = "full"

    def includes(self, other: LogLevel) -> bool:
        """Return whether this level has all that another has."""
        return _LEVELS.index(self) >= _LEVELS.index(other)


_LEVELS = tuple(LogLevel)

PROVED = (LogLevel.FULL, LogLevel.OFF)
"""What a session sets by a password only: ``full`` widens; at ``off`` the counts of that time are
never there."""

KEPT = {
    LogLevel.OFF: say("The school keeps nothing about lookups."),
    LogLevel.COUNTS: say(
        "The school keeps only totals: how many lookups of each kind a class makes in an hour."
        " No addresses, no names of people, no devices."
    ),
    LogLevel.NAMES: say(
        "The school keeps totals, and for {days} days the closed addresses that an age group asked"
        " for on a day, and open ones that many devices asked for. No classes, no names of people,"
        " no devices."
    ),
    LogLevel.BLOCKED: say(
        "The school keeps closed addresses with time, class and a code of the device that changes"
        " every day, for {days} days. No names of people."
    ),
    LogLevel.FULL: say(
        "At present the school keeps every address that is asked for, with time, class and a code"
        " of the device that changes every day, for {days} days. No names of people."
    ),
}
"""What is kept at each level, for pupils and parents; ``days``: ``QueryLog.keep_days``."""

LEAST_K = 5
"""No school sets ``QueryLog.least_devices`` lower."""

LONGEST_FULL_S = 7.0 * 86_400
"""For which the level may be ``full``."""


@frozen
class QueryLog:
    """Options of the query log in the site's files.

    Attributes:
        level: of tiers that ``tiers`` does not name.
        tiers: the level by tier.
        keep_days: school days for which names and rows are kept.
        keep_totals_days: days with totals that are kept.
        least_devices: the least number of devices (k) behind an allowed name that is
            kept at ``names``, and behind a cell that leaves the school; at least 5.
    """

    level: LogLevel = LogLevel.COUNTS
    tiers: dict[str, LogLevel] = field(default_factory=dict, metadata={ADDED: True})
    keep_days: int = field(default=30, metadata={ADDED: True})
    keep_totals_days: int = field(default=400, metadata={ADDED: True})
    least_devices: int = field(default=LEAST_K, metadata={ADDED: True})

    def level_of(self, tier: str) -> LogLevel:
        """Return the level of a tier."""
        return self.tiers.get(tier, self.level)


class LevelInForce(NamedTuple):
    """The level of a tier now, and the command's setting if it is not of the files."""

    level: LogLevel
    setting: LogSetting | None = None


def levels_of(policy: Policy) -> dict[str, LogLevel]:
    """Return the level that a policy has for each tier of the site, in its order."""
    return {grade.tier: policy.log.level_of(grade.tier) for grade in policy.grades.values()}


def highest(found: Collection[LogLevel]) -> LogLevel:
    """Return the highest of some levels."""
    return max(found, key=_LEVELS.index)


def levels(policy: Policy, overrides: Overrides, now: float) -> dict[str, LevelInForce]:
    """Return the level of each tier of the site at a policy time."""
    return {tier: level_of(policy, overrides, tier, now) for tier in levels_of(policy)}


def level_of(policy: Policy, overrides: Overrides, tier: str, now: float) -> LevelInForce:
    """Return the level of a tier at a policy time.

    Of the settings that hold the newest counts. One of ``full`` does not hold before a
    second person has confirmed it. One without an end never raises the level, also
    where that of the files has been lowered since.
    """
    of_files = LevelInForce(policy.log.level_of(tier))
    held = [
        setting
        for setting in overrides.log_settings
        if setting.tier in ("", tier) and holds(setting, now)
    ]
    if not held:
        return of_files
    newest = max(held, key=lambda one: one.id)
    level = LogLevel(newest.level)
    if newest.ends_at is None and level.includes(of_files.level):
        return of_files
    return LevelInForce(level, newest)


def terms(overrides: Overrides) -> Iterator[tuple[float, float | None]]:
    """Yield begin and end of each setting that may hold at some time."""
    for setting in overrides.log_settings:
        if setting.level != LogLevel.FULL or setting.confirmed_by:
            yield setting.starts_at, setting.ends_at


def at_unknown_time(policy: Policy, overrides: Overrides, floor: float) -> QueryLog:
    """Return the log of the site's files with the least level that each tier may have.

    Args:
        policy: of the site's files.
        overrides: those of commands; one that had not ended by the floor may hold.
        floor: the earliest possible Unix time.
    """
    least = levels_of(policy)
    for setting in overrides.log_settings:
        if setting.ends_at is None or setting.ends_at > floor:
            for tier in [setting.tier] if setting.tier else least:
                least[tier] = min(least[tier], LogLevel(setting.level), key=_LEVELS.index)
    return replace(policy.log, tiers=least)


def holds(setting: LogSetting, now: float) -> bool:
    """Return whether a setting holds at a time.

    ``full`` holds only if confirmed, and for ``LONGEST_FULL_S`` at most: a clock that was set
    back, or an altered file, gives it no more.
    """
    begin, end = setting.starts_at, setting.ends_at
    if setting.level == LogLevel.FULL:
        is_short = end is not None and end - begin <= LONGEST_FULL_S
        if not setting.confirmed_by or not is_short:
            return False
    return begin <= now and (end is None or now < end)
