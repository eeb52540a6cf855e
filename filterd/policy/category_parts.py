# SPDX-License-Identifier: Apache-2.0
"""Parts of categories: what a setting of a category means for them. Pure.

A category that was split keeps its id, and its parts name it (``Category.part_of``). What a site,
a command, a schedule or a filter of the log sets for the whole holds for its parts, too, unless
there is one for the part itself in the same place. A part is never open by itself where its
whole is closed (the catalogue refuses that), so no split opens anything; what was opened beyond
the default stays open, but for a part that is locked: ``locked_in`` finds those, to tell people.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from filterd.policy.model import Audience

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from filterd.policy.model import Category, Policy
    from filterd.policy.temporary_rules import GradeSetting, LocalException, Overrides

_CATEGORY = "category"


class LockedPart(NamedTuple):
    """A part that stays closed although its whole is opened.

    Attributes:
        part, whole: ids of categories.
        audience: for whom the whole is opened.
        whom: the id of the audience, as in ``LocalException``.
        number: of the change; None for the site's files.
    """

    part: str
    whole: str
    audience: Audience
    whom: str
    number: int | None


def with_parts(categories: Mapping[str, Category], category: str) -> frozenset[str]:
    """Return the ids that a category's id stands for: its own and its parts'."""
    parts = (one.id for one in categories.values() if one.part_of == category)
    return frozenset((category, *parts))


def all_with_parts(categories: Mapping[str, Category], ids: Iterable[str]) -> frozenset[str]:
    """Return some ids with those of the parts of each that is a category."""
    return frozenset(chain.from_iterable(with_parts(categories, one) for one in ids))


def settings_with_parts(
    categories: Mapping[str, Category], settings: Mapping[str, bool]
) -> dict[str, bool]:
    """Return settings of categories with those that follow for parts without one."""
    of_parts = {
        part: value for one, value in settings.items() for part in with_parts(categories, one)
    }
    return of_parts | dict(settings)


def locked_in(categories: Mapping[str, Category], category: str) -> list[str]:
    """Return the parts of a category that stay closed when that is opened."""
    if category not in categories or categories[category].locked or categories[category].ordered:
        return []
    parts = with_parts(categories, category) - {category}
    return sorted(part for part in parts if categories[part].locked)


def opened_with(categories: Mapping[str, Category], category: str) -> frozenset[str]:
    """Return the ids that open with a category: itself, and its parts but locked ones."""
    return with_parts(categories, category).difference(locked_in(categories, category))


def locked_parts(policy: Policy, overrides: Overrides, now: float) -> Iterator[LockedPart]:
    """Yield the locked parts of categories that are opened at a Unix time.

    Args:
        policy: that of the site's files; what its tiers open is told where they are checked.
        overrides: what commands have set.
        now: the time.
    """
    for scheduled in policy.scheduled:
        if scheduled.opens and scheduled.kind == _CATEGORY:
            for part in locked_in(policy.categories, scheduled.target):
                yield LockedPart(part, scheduled.target, scheduled.audience, scheduled.whom, None)
    for setting in overrides.grades:
        if setting.opens and setting.kind == _CATEGORY and _holds(setting, now):
            for part in locked_in(policy.categories, setting.target):
                whom = Audience.GRADE, setting.grade
                yield LockedPart(part, setting.target, *whom, setting.id)
    for exception in overrides.exceptions:
        if exception.allow and exception.kind == _CATEGORY and _holds(exception, now):
            for part in locked_in(policy.categories, exception.target):
                yield LockedPart(
                    part, exception.target, exception.audience, exception.whom, exception.id
                )


def _holds(one: GradeSetting | LocalException, now: float) -> bool:
    return one.starts_at <= now and (one.ends_at is None or now < one.ends_at)
