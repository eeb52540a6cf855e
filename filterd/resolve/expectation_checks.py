# SPDX-License-Identifier: Apache-2.0
"""Checks of a site's own claims: expectations, and exceptions without effect.

Expectations are checked before a site replaces another. Overrides do not count, or a
teacher's exception would keep the school from reloading; nor
do schedules, except where an expectation names a time. Each check asks what
``filterd check`` asks.

Expectations that ship with filterd yield to the school's own exceptions in
``site.yaml``, for those have a reason and are meant: that is reported, and nothing
is refused. An expectation that the active policy does not meet either refuses
nothing, because nothing gets worse.

An exception of ``site.yaml`` has no effect where a lock or a pin outranks it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from filterd.base.errors import ConfigError, ConfigErrors
from filterd.base.value_class import frozen
from filterd.overrides.changes.preconditions import why_never
from filterd.policy import conflicts
from filterd.policy.conflicts import Idle
from filterd.policy.model import EXPECTED, Audience, Client, LocalRule
from filterd.policy.temporary_rules import LocalException, TargetKind
from filterd.policy.verdict import REASON, Rule
from filterd.resolve.explain import explain
from filterd.resolve.site import NOTHING_SET, TimedPolicy
from filterd.texts.i18n import UNSAID, quoted, say, to_plain
from filterd.wire import RRType
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from filterd.policy.model import Expectation, Policy
    from filterd.resolve.explanation import Explanation
    from filterd.resolve.site import Site

_SHOWN = 20

_MOST = 40
_OF_SITE = "site.yaml:"
"""The prefix of rule ids that are exceptions of ``site.yaml``."""


@frozen
class Unmet:
    """An expectation that a site does not meet, and the results for each client."""

    expectation: Expectation
    found: tuple[Explanation, ...]

    @property
    def yields(self) -> bool:
        """Whether the school's own exceptions alone explain it, against a shipped one."""
        return self.expectation.shipped and all(map(_is_by_exception, self.found))

    def error(self) -> ConfigError:
        """Return it as an error to correct."""
        wanted = self.expectation
        grades = ", ".join(one.class_id or one.grade for one in self.found)
        came = say("passes") if wanted.blocked else say("is blocked")
        first = self.found[0] if self.found else None
        why = (
            say(
                " ({reason}{where})",
                reason=REASON.get(first.reason, quoted(first.reason)),
                where=_where(first),
            )
            if first is not None
            else UNSAID
        )
        hint = say("correct the policy or the expectation")
        if self.yields:
            hint = say("an exception of the site: valid")
        elif wanted.shipped:
            hint = say(
                "correct the policy, add an exception with a reason, or delete the line in a"
                " copy of the file in the site's expectations/"
            )
        return ConfigError(
            say(
                "expected: {written}; but it {came} for {grades}{why}",
                written=wanted.written,
                came=came,
                grades=grades,
                why=why,
            ),
            path=wanted.path,
            line=wanted.line,
            hint=hint,
        )


def check(site: Site, now: float, *, known: Collection[str] = ()) -> tuple[Unmet, ...]:
    """Refuse a site that does not meet its expectations.

    Args:
        site: the candidate.
        now: Unix time.
        known: the texts of expectations that the active site does not meet either.

    Returns:
        The unmet expectations that do not keep the site from becoming active.

    Raises:
        ConfigErrors: the others, each with its place; the first of them.
    """
    found = unmet(site, site.timed.policy.expectations, now)
    worse = [one for one in found if not one.yields and one.expectation.written not in known]
    if worse:
        raise ConfigErrors(one.error() for one in worse[:_SHOWN])
    return found


def known_to_fail(site: Site, now: float) -> frozenset[str]:
    """Return the texts of the expectations that an active site fails, for ``check``."""
    found = unmet(site, site.timed.policy.expectations, now)
    return frozenset(one.expectation.written for one in found)


def held(site: Site, wanted: Sequence[Expectation] | None, now: float) -> dict[str, Any]:
    """Return the expectations that a site does not meet, as plain data.

    Args:
        site: the candidate.
        wanted: the expectations; None for those of its own files.
        now: Unix time.
    """
    expected = site.timed.policy.expectations if wanted is None else wanted
    problems = [
        {
            "expected": one.expectation.written,
            "path": one.expectation.path,
            "line": one.expectation.line,
            "yields": one.yields,
            "found": [each.to_plain() for each in one.found],
            "sentence": to_plain(one.error().sentence),
        }
        for one in unmet(site, expected, now)
    ]
    return {"expectations": len(expected), "unmet": problems}


def enforced(policy: Policy, found: Iterable[Unmet]) -> Policy:
    """Return a policy that blocks the names expected to be blocked, despite the files.

    Args:
        policy: that of the site's files.
        found: its unmet expectations. Those that yield, or expect no block, change nothing.
    """
    rules = tuple(rule for one in found if not one.yields for rule in _blocks(one))
    return replace(policy, rules=(*policy.rules, *rules)) if rules else policy


def enforced_in(policy: Policy) -> tuple[ConfigError, ...]:
    """Return the rules that ``enforced`` has added to a policy, as errors to correct."""
    grades: dict[tuple[str, str], list[str]] = {}
    for rule in policy.rules:
        if rule.id.startswith(EXPECTED):
            place = rule.id.removeprefix(EXPECTED)
            grades.setdefault((place, rule.reason), []).append(rule.whom)
    return tuple(
        ConfigError(
            say(
                "expected: {written}; the site's files let it pass for {grades}: it is blocked",
                written=written,
                grades=", ".join(whom),
            ),
            path=place.rpartition(":")[0],
            line=int(place.rpartition(":")[2]),
            hint=say("correct the policy or the expectation"),
        )
        for (place, written), whom in grades.items()
    )


def _blocks(unmet: Unmet) -> Iterator[LocalRule]:
    """Yield the rules by which it would be met, if it expects a block."""
    wanted = unmet.expectation
    if not wanted.blocked:
        return
    audiences = {(Audience.NETWORK, wanted.whom): None}
    if wanted.audience is not Audience.NETWORK:
        audiences = dict.fromkeys(
            (Audience.CLASS, explained.class_id)
            if explained.class_id
            else (Audience.GRADE, explained.grade)
            for explained in unmet.found
        )
    for audience, whom in audiences:
        yield LocalRule(
            f"{EXPECTED}{wanted.path}:{wanted.line}",
            wanted.name,
            allow=False,
            audience=audience,
            whom=whom,
            reason=wanted.written,
        )


def unmet(site: Site, expectations: Iterable[Expectation], now: float) -> tuple[Unmet, ...]:
    """Return those that a site does not meet, in their order.

    Args:
        site: the candidate.
        expectations: with networks and grades that are known to exist.
        now: Unix time.
    """
    policy = site.timed.policy
    always = replace(site, timed=TimedPolicy(replace(policy, scheduled=()), NOTHING_SET))
    at_times: dict[float | None, Site] = {None: always.at(now, NOTHING_SET)}
    zone, found = ZoneInfo(policy.time_zone), []
    for expectation in expectations:
        when = _moment_of(expectation, zone, now)
        if when not in at_times:
            assert when is not None
            at_times[when] = site.at(when, NOTHING_SET)
        then = now if when is None else when
        wrong = _otherwise(at_times[when], expectation, then)
        if wrong:
            found.append(Unmet(expectation, wrong))
    return tuple(found)


def _otherwise(site: Site, wanted: Expectation, now: float) -> tuple[Explanation, ...]:
    """Return the unexpected results for the clients of an expectation."""
    found = (explain(site, client, wanted.name, RRType.A, now) for client in _clients(site, wanted))
    return tuple(one for one in found if one.blocked is not wanted.blocked)


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
    """Return the time of an expectation; None for "whenever no schedule applies"."""
    if wanted.weekday is None or wanted.second is None:
        return wanted.at
    today = datetime.fromtimestamp(now, zone).date()
    day = today + timedelta(days=(wanted.weekday - today.weekday()) % 7)
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return (midnight + timedelta(seconds=wanted.second)).timestamp()


def _is_by_exception(explained: Explanation) -> bool:
    of_site = explained.entry is not None and not explained.entry.startswith(EXPECTED)
    return explained.reason == Rule.LOCAL.label and of_site


def _where(explained: Explanation) -> str:
    parts = (part for part in (explained.category, explained.list) if part)
    return "".join(f", {part}" for part in parts)


def doubts(site: Site, unmet: Iterable[Unmet], now: float) -> tuple[ConfigError, ...]:
    """Return warnings about a valid site, the first of them where there are many.

    Args:
        site: the active one.
        unmet: the expectations that it does not meet.
        now: Unix time.
    """
    found = [*outranked(site, now), *enforced_in(site.timed.policy)]
    found += (one.error() for one in unmet)
    return tuple(islice(found, _MOST))


def outranked(site: Site, now: float) -> Iterator[ConfigError]:
    """Yield the exceptions of ``site.yaml`` that a lock or a pin outranks.

    They have no effect.

    Args:
        site: its lists are consulted.
        now: Unix time.
    """
    for rule in site.timed.policy.rules:
        if not rule.id.startswith(_OF_SITE):
            continue
        idle, name = (
            conflicts.idle(site.engine, _as_exception(rule), now),
            names.to_text(rule.name),
        )
        if rule.allow and idle in conflicts.CLOSED:
            reason, hint = why_never(name, idle)
        elif not rule.allow and idle is Idle.PINNED:
            reason = say("{target} is pinned: nothing may block it", target=name)
            hint = say("remove it")
        else:
            continue
        path, line, column = rule.id.split(":")
        reason = say("{reason}: the exception has no effect", reason=reason)
        yield ConfigError(reason, path=path, line=int(line), column=int(column), hint=hint)


def _as_exception(rule: LocalRule) -> LocalException:
    """Return the exception that a command would have set."""
    name = names.to_text(rule.name)
    return LocalException(
        0, TargetKind.NAME, name, rule.allow, rule.audience, rule.whom, rule.reason, "", 0.0
    )
