# SPDX-License-Identifier: Apache-2.0
"""What each grade may see: its tier's settings and its own, merged and met with the catalogue.

A category is closed to a grade by the first of these that speaks:

1. it is locked: closed, always;
2. the grade's own ``block`` or ``allow``, then its tier's, then those of the
   tiers that this one inherits from, the nearest first;
3. ``by_age``: closed if its ``min_age`` is above the grade's age;
4. open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.documents import Document, Where, did_you_mean
from filterd.policy import strictness
from filterd.policy.model import GRADES, BlockResponse, Category, GradePolicy
from filterd.policy.site.loading import inheritance
from filterd.policy.site.tiers import AGE_OF_GRADE, DEFAULTS, TIER_OF_GRADE, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from filterd.policy.site.loading import SiteSources
    from filterd.policy.site.problems import Problems


def compile_grades(
    sources: SiteSources, categories: Mapping[str, Category], problems: Problems
) -> dict[str, GradePolicy]:
    """Return the policy of every grade there is, whether or not the site has it."""
    for tier in sources.tiers.values():
        _check(tier.document, (), tier.file, categories, problems)
    for grade, settings in sources.file.grades.items():
        _check(sources.document, ("grades", grade), settings, categories, problems)
    return {grade: _compile_grade(grade, sources, categories) for grade in GRADES}


def strictest(grades: Mapping[str, GradePolicy], among: Iterable[str]) -> str:
    """Return the strictest of some grades, of all where ``among`` is empty.

    It is the one with the most closed categories; of equals the youngest, and
    of those the first in the order of ``GRADES``.
    """
    wanted = set(among) or set(GRADES)
    candidates = [grades[grade] for grade in GRADES if grade in wanted]
    return strictness.strictest(candidates).grade


def _compile_grade(
    grade: str, sources: SiteSources, categories: Mapping[str, Category]
) -> GradePolicy:
    tier, age = TIER_OF_GRADE[grade], AGE_OF_GRADE[grade]
    layers: list[Settings] = [DEFAULTS]
    layers += [source.file for source in inheritance(sources.tiers, tier)]
    if own := sources.file.grades.get(grade):
        layers.append(own)
    sinkhole = _nearest(layers, "sinkhole")
    return GradePolicy(
        grade=grade,
        tier=tier,
        age=age,
        closed=_closed(layers, age, categories),
        response=BlockResponse(_nearest(layers, "block_response")),
        sinkhole_ipv4=sinkhole.ipv4,
        sinkhole_ipv6=sinkhole.ipv6,
        client_ttl_max_s=_nearest(layers, "client_ttl_max_s"),
        safe_search=_nearest(layers, "safe_search"),
        youtube=_nearest(layers, "youtube"),
        strip_ech=_nearest(layers, "ech") == "strip",
    )


def _nearest(layers: Iterable[Settings], key: str) -> Any:
    """Return what the last layer that sets this key says; ``DEFAULTS`` sets them all."""
    return [value for layer in layers if (value := getattr(layer, key)) is not None][-1]


def _closed(layers: list[Settings], age: int, categories: Mapping[str, Category]) -> frozenset[str]:
    named: dict[str, bool] = {}
    for layer in layers:
        named.update(dict.fromkeys(layer.categories.allow, False))
        named.update(dict.fromkeys(layer.categories.block, True))
    by_age = _nearest(layers, "by_age")

    def is_closed(category: Category) -> bool:
        if category.locked or category.ordered:
            return True
        too_young = category.min_age is not None and category.min_age > age
        return named.get(category.id, by_age and too_young)

    return frozenset(category.id for category in categories.values() if is_closed(category))


def _check(
    document: Document,
    where: Where,
    settings: Settings,
    categories: Mapping[str, Category],
    problems: Problems,
) -> None:
    named = settings.categories
    for key, ids in (("block", named.block), ("allow", named.allow)):
        for position, wanted in enumerate(ids):
            place = (*where, "categories", key, position)
            reason = hint = ""
            if wanted not in categories:
                reason, hint = f"'{wanted}' is no category", did_you_mean(wanted, categories)
            elif key == "allow" and wanted in named.block:
                reason, hint = f"'{wanted}' is blocked and allowed at once", "keep one of the two"
            elif key == "allow" and (categories[wanted].locked or categories[wanted].ordered):
                reason, hint = f"'{wanted}' is locked: it is closed to everybody", "remove it"
            if reason:
                problems.add(document.error(reason, place, hint=hint))
