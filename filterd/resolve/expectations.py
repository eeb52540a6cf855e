# SPDX-License-Identifier: Apache-2.0
"""Holding a site to what is expected of it, before it takes the place of another.

What commands have set does not count, or a teacher's exception would keep the
school from reloading; nor do schedules, except where an expectation says when.
It asks what ``filterd check`` asks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from filterd.errors import ConfigError, ConfigErrors
from filterd.policy.client import Client
from filterd.policy.model import Audience
from filterd.resolve.explain import explain
from filterd.resolve.site import NOTHING_SET, Timed
from filterd.wire import RRType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.policy.expectation import Expectation
    from filterd.resolve.explain import Explanation
    from filterd.resolve.site import Site

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Unmet:
    """An expectation that a site does not meet, and what came of the name for whom."""

    expectation: Expectation
    found: tuple[Explanation, ...]

    def error(self) -> ConfigError:
        """Return it as something to mend."""
        wanted = self.expectation
        grades = ", ".join(one.grade for one in self.found)
        came = "passes" if wanted.blocked else "is blocked"
        first = self.found[0] if self.found else None
        why = f" ({first.reason}{_where(first)})" if first is not None else ""
        hint = "mend the policy, or what is expected of it"
        return ConfigError(
            f"expected: {wanted.written}; but it {came} for {grades}{why}",
            path=wanted.path,
            line=wanted.line,
            hint=hint,
        )


def check(site: Site, now: float) -> None:
    """Refuse a site that does not meet what is expected of it.

    Args:
        site: as it would be in force.
        now: Unix time.

    Raises:
        ConfigErrors: what it does not meet, each with its place; the first of them.
    """
    found = unmet(site, site.timed.policy.expectations, now)
    if found:
        raise ConfigErrors(one.error() for one in found[:_SHOWN])


def unmet(site: Site, expectations: Iterable[Expectation], now: float) -> tuple[Unmet, ...]:
    """Return those that a site does not meet, in their order.

    Args:
        site: as it would be in force.
        expectations: that the site's networks and grades are known to have been checked.
        now: Unix time.
    """
    policy = site.timed.policy
    always = replace(site, timed=Timed(replace(policy, scheduled=()), NOTHING_SET))
    at_times: dict[float | None, Site] = {None: always.at(now, NOTHING_SET)}
    zone, found = ZoneInfo(policy.time_zone), []
    for one in expectations:
        when = _moment_of(one, zone, now)
        if when not in at_times:
            assert when is not None
            at_times[when] = site.at(when, NOTHING_SET)
        then = now if when is None else when
        wrong = _otherwise(at_times[when], one, then)
        if wrong:
            found.append(Unmet(one, wrong))
    return tuple(found)


def _otherwise(site: Site, wanted: Expectation, now: float) -> tuple[Explanation, ...]:
    """Return what comes of a name for those for whom it is not what is expected."""
    told = (explain(site, client, wanted.name, RRType.A, now) for client in _clients(site, wanted))
    return tuple(one for one in told if one.blocked is not wanted.blocked)


def _clients(site: Site, wanted: Expectation) -> Iterator[Client]:
    policy = site.policy
    if wanted.audience is Audience.NETWORK:
        for network in policy.networks:
            if network.id == wanted.whom:
                yield Client(policy.grades[network.grade], network.id)
        return
    for grade in policy.grades.values():
        client = Client(grade)
        if not grade.variant and client.is_of(wanted.audience, wanted.whom):
            yield client


def _moment_of(wanted: Expectation, zone: ZoneInfo, now: float) -> float | None:
    """Return when an expectation is meant; None for whenever no schedule counts."""
    if wanted.weekday is None or wanted.second is None:
        return wanted.at
    today = datetime.fromtimestamp(now, zone).date()
    day = today + timedelta(days=(wanted.weekday - today.weekday()) % 7)
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return (midnight + timedelta(seconds=wanted.second)).timestamp()


def _where(told: Explanation) -> str:
    parts = (part for part in (told.category, told.list) if part)
    return "".join(f", {part}" for part in parts)
