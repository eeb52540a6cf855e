# SPDX-License-Identifier: Apache-2.0
"""The policy as a matrix: each category and service by tier, now and why. Pure."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from filterd.base.state_file import to_plain
from filterd.policy.grade_changes import Layer
from filterd.policy.grade_rows import as_told, state_of, state_of_service
from filterd.policy.model import TIERS, Audience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from filterd.policy.effective_policy import EffectivePolicy
    from filterd.policy.grade_changes import Dated
    from filterd.policy.model import GradePolicy, Network, Policy
    from filterd.policy.temporary_rules import Overrides

MOST_CHANGES = 50
"""In one cell; the page of exceptions has them all."""

_WHOLE = frozenset(("tier", "pause"))
"""Kinds of change that concern every category of a tier."""


def policy_matrix(
    policy: Policy, overrides: Overrides, moment: EffectivePolicy, now: float
) -> dict[str, Any]:
    """Return the tiers, the categories with a cell for each tier, and the services.

    A cell has ``states`` and ``files``: by state, now and by the site's files, the grades and
    classes; and ``changes``: what is set for it or scheduled, with ``holds`` and ``until``.

    Args:
        policy: of the site's files.
        overrides: what is set by command.
        moment: what the two make now.
        now: Unix time.
    """
    every = [change for change in moment.changes if not _has_ended(change, now)]
    things: dict[str, Any] = {str(exception.id): exception for exception in overrides.exceptions}
    things |= {str(grade.id): grade for grade in overrides.grades}
    tiers = {grade.tier for grade in policy.grades.values()}
    told = as_told(moment.policy, now)
    columns = [_Column(policy, told, tier, every) for tier in TIERS if tier in tiers]
    return {
        "tiers": [column.head(things) for column in columns],
        "categories": [
            {
                **to_plain(category),
                "rating": category.rating,
                "legal_basis": list(category.legal_basis),
                "kept_closed": category.id in policy.kept_closed,
                "cells": {
                    column.tier: column.cell(category.id, (category.id, category.part_of), things)
                    for column in columns
                },
            }
            for category in policy.categories.values()
        ],
        "services": [
            {
                **{key: getattr(service, key) for key in ("id", "name_vi", "name_en", "group")},
                "min_age": service.min_age,
                "cells": {
                    column.tier: {"states": column.states(state_of_service, service.id)}
                    for column in columns
                },
            }
            for service in policy.services.values()
        ],
    }


class _Column:
    """One tier: its grades and classes, and the changes that concern them."""

    def __init__(self, policy: Policy, now: Policy, tier: str, changes: Iterable[Dated]) -> None:
        self._files, self._now, self.tier = policy, now, tier
        self._grades = [grade for grade in policy.grades.values() if grade.tier == tier]
        self._changes = [change for change in changes if _concerns(policy, change, tier)]

    def head(self, things: dict[str, Any]) -> dict[str, Any]:
        """Return what holds for the tier whatever the category."""
        first = self._now.grades[self._grades[0].key]
        every = [change for change in self._changes if change.change.kind in _WHOLE]
        return {
            "tier": self.tier,
            "grades": [grade.grade for grade in self._grades if not grade.class_id],
            "classes": [grade.class_id for grade in self._grades if grade.class_id],
            "age": min(grade.age for grade in self._grades),
            "safe_search": first.safe_search,
            "youtube": first.youtube,
            "block_response": first.response.value,
            "changes": [_plain(one, things) for one in every[:MOST_CHANGES]],
        }

    def cell(
        self, category: str, targets: tuple[str, str], things: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the cell of a category.

        Args:
            category: its id.
            targets: what changes name that concern it: its id and that of its whole.
            things: what commands have set, by number.
        """
        changes = [
            change
            for change in self._changes
            if change.change.kind == "category" and change.change.target in targets
        ]
        return {
            "states": self.states(state_of, category),
            "files": self.states(state_of, category, self._files),
            "changes": [_plain(change, things) for change in changes[:MOST_CHANGES]],
            "left_out": max(0, len(changes) - MOST_CHANGES),
        }

    def states(
        self,
        state: Callable[[Policy, GradePolicy, str], str],
        target: str,
        policy: Policy | None = None,
    ) -> dict[str, list[str]]:
        """Return the grades by their state, and the classes that differ from their grade."""
        policy, found = policy or self._now, dict[str, list[str]]()
        of_grade = dict[str, str]()
        for grade in self._grades:
            known = state(policy, policy.grades[grade.key], target)
            if not grade.class_id:
                of_grade[grade.grade] = known
            if not grade.class_id or of_grade.get(grade.grade) != known:
                found.setdefault(known, []).append(grade.key)
        return found


def _concerns(policy: Policy, dated: Dated, tier: str) -> bool:
    change = dated.change
    match change.audience:
        case Audience.EVERYBODY:
            return change.kind != "tier" or change.target == tier
        case Audience.TIER:
            return change.whom == tier
        case Audience.GRADE | Audience.CLASS:
            return change.whom in policy.grades and policy.grades[change.whom].tier == tier
        case Audience.NETWORK:
            networks = (network for network in policy.networks if network.id == change.whom)
            return any(tier in _tiers_of(policy, network) for network in networks)
        case _:
            return False


def _tiers_of(policy: Policy, network: Network) -> set[str]:
    keys = {network.grade, *(one.grade for one in network.timetable)}
    return {policy.grades[key].tier for key in keys if key in policy.grades}


def _has_ended(dated: Dated, now: float) -> bool:
    is_dated = dated.change.layer in (Layer.EXCEPTION, Layer.PAUSE)
    return is_dated and not dated.holds and dated.span.since > -1e300 and dated.span.since <= now


def _plain(dated: Dated, things: dict[str, Any]) -> dict[str, Any]:
    change = dated.change
    thing = None if change.layer is Layer.SCHEDULE else things.get(change.source)
    until = dated.span.until
    return {
        "layer": change.layer.name.lower(),
        "source": change.source,
        "opens": change.opens,
        "audience": str(change.audience),
        "whom": change.whom,
        "holds": dated.holds,
        "until": until if isfinite(until) else None,
        "author": thing.author if thing else "",
        "reason": thing.reason if thing else "",
    }
