# SPDX-License-Identifier: Apache-2.0
"""Differences between two grades, or one grade in two policies. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from filterd.policy.model import SERVICE
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.policy.model import GradePolicy, LocalRule, Policy

OPEN, CLOSED, LOCKED = "open", "closed", "locked"

_SETTINGS = {
    "block_response": "response",
    "safe_search": "safe_search",
    "youtube": "youtube",
    "client_ttl_max_s": "client_ttl_max_s",
    "strip_ech": "strip_ech",
}
"""Keys of the tier files, and the fields that they set."""


class Difference(NamedTuple):
    """One difference.

    ``kind`` is ``category``, ``service``, ``setting`` or ``rule``; ``before`` and
    ``after`` are the state of it, a value, or "" where there is no such thing.
    """

    kind: str
    target: str
    before: str
    after: str


def differences(
    before: Policy, grade: GradePolicy, after: Policy, other: GradePolicy
) -> tuple[Difference, ...]:
    """Return the differences between two grades, of one policy or of two."""
    pairs = [
        ("category", _categories(before, grade), _categories(after, other)),
        ("service", _services(before, grade), _services(after, other)),
        ("setting", _settings(grade), _settings(other)),
    ]
    return tuple(one for kind, old, new in pairs for one in _between(kind, old, new))


def rule_differences(before: Policy, after: Policy) -> tuple[Difference, ...]:
    """Return the names that one policy's files allow or block and another's do not."""
    return tuple(_between("rule", _rules(before), _rules(after)))


def state_of(policy: Policy, grade: GradePolicy, category: str) -> str:
    """Return the state of a category for a grade: open, closed, or locked."""
    known = policy.categories[category]
    if known.locked or known.ordered:
        return LOCKED
    if category not in grade.closed:
        return OPEN
    return LOCKED if category in policy.kept_closed else CLOSED


def state_of_service(policy: Policy, grade: GradePolicy, service: str) -> str:
    """Return the state of a service for a grade: open, closed, or locked."""
    own_id, group = SERVICE + service, policy.services[service].group
    of_group = state_of(policy, grade, group) if group in policy.categories else OPEN
    if of_group == LOCKED:
        return LOCKED
    if own_id in grade.closed:
        return LOCKED if own_id in policy.kept_closed else CLOSED
    return OPEN if own_id in grade.opened else of_group


def _between(kind: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[Difference]:
    every = dict.fromkeys((*before, *after))
    found = (Difference(kind, one, before.get(one, ""), after.get(one, "")) for one in every)
    return [one for one in found if one.before != one.after]


def _categories(policy: Policy, grade: GradePolicy) -> dict[str, str]:
    return {one: state_of(policy, grade, one) for one in policy.categories}


def _services(policy: Policy, grade: GradePolicy) -> dict[str, str]:
    """Return the services whose state differs from their category's."""
    found = {}
    for one, service in policy.services.items():
        if service.group in policy.categories:
            state, of_group = (
                state_of_service(policy, grade, one),
                state_of(policy, grade, service.group),
            )
            found[one] = state if state != of_group else ""
    return found


def _settings(grade: GradePolicy) -> dict[str, str]:
    return {key: str(getattr(grade, field)) for key, field in _SETTINGS.items()}


def _rules(policy: Policy) -> dict[str, str]:
    return {_told(rule): "allow" if rule.allow else "block" for rule in policy.rules}


def _told(rule: LocalRule) -> str:
    return f"{names.to_text(rule.name)} ({rule.whom or rule.audience.value})"
