# SPDX-License-Identifier: Apache-2.0
"""What each grade may see: its tier's settings and its own, merged and met with the catalogue.

A category is closed to a grade by the first of these that speaks:

1. it is locked: closed, always;
2. the school keeps it closed, and it is closed to the grade's tier;
3. the grade's own ``block`` or ``allow``, then its tier's, then those of the
   tiers that this one inherits from, the nearest first;
4. ``by_age``: closed if its ``min_age`` is above the grade's age;
5. open.

A service goes with its category, unless it is named itself in 3, where what is
nearer to the grade counts, be it about the service or about its category; or is
for older ones than its category (4). One that is closed only because its category
is does not stand in ``GradePolicy.closed``: opening the category opens it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.config.site_reader import inheritance
from filterd.config.tiers import AGE_OF_GRADE, DEFAULTS, TIER_OF_GRADE, Settings
from filterd.documents import Document, Where, did_you_mean
from filterd.i18n import UNSAID, quoted, say
from filterd.lists.catalog_schema import list_id
from filterd.policy import model
from filterd.policy.model import GRADES, BlockResponse, GradePolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from filterd.config.error_collector import Problems
    from filterd.config.service_rules import Things
    from filterd.config.site_reader import SiteSources
    from filterd.policy.model import Category, Service


def compile_grades(
    sources: SiteSources, things: Things, problems: Problems
) -> dict[str, GradePolicy]:
    """Return the policy of every grade there is, whether or not the site has it."""
    of_the_school = things._replace(
        kept_closed=frozenset()
    )  # the school may open what it keeps closed
    for tier in sources.tiers.values():
        _check(tier.document, (), tier.file, of_the_school, problems)
    for grade, settings in sources.file.grades.items():
        _check(sources.document, ("grades", grade), settings, things, problems)
    return {grade: _compile_grade(grade, sources, things) for grade in GRADES}


def strictest(grades: Mapping[str, GradePolicy], among: Iterable[str]) -> str:
    """Return the strictest of some grades, of all where ``among`` is empty.

    It is the one with the most closed categories; of equals the youngest, and
    of those the first in the order of ``GRADES``.
    """
    wanted = set(among) or set(GRADES)
    candidates = [grades[grade] for grade in GRADES if grade in wanted]
    return model.strictest(candidates).grade


def _compile_grade(grade: str, sources: SiteSources, things: Things) -> GradePolicy:
    tier, age = TIER_OF_GRADE[grade], AGE_OF_GRADE[grade]
    of_tier: list[Settings] = [DEFAULTS]
    of_tier += [source.file for source in inheritance(sources.tiers, tier)]
    own = sources.file.grades.get(grade)
    layers = of_tier if own is None else [*of_tier, own]
    closed, opened = _closed_and_opened(layers, age, things)
    kept = _closed_and_opened(of_tier, age, things)[0] & things.kept_closed
    sinkhole = _nearest(layers, "sinkhole")
    return GradePolicy(
        grade=grade,
        tier=tier,
        age=age,
        closed=closed | kept,
        opened=opened - kept,
        response=BlockResponse(_nearest(layers, "block_response")),
        sinkhole_ipv4=sinkhole.ipv4,
        sinkhole_ipv6=sinkhole.ipv6,
        client_ttl_max_s=_nearest(layers, "client_ttl_max_s"),
        safe_search=_nearest(layers, "safe_search"),
        youtube=_nearest(layers, "youtube"),
        strip_ech=_nearest(layers, "ech") == "strip",
    )


def _nearest(layers: Iterable[Settings], key: str) -> Any:
    """Return the value of the last layer that sets this key; ``DEFAULTS`` sets all keys."""
    return [value for layer in layers if (value := getattr(layer, key)) is not None][-1]


def _closed_and_opened(
    layers: list[Settings], age: int, things: Things
) -> tuple[frozenset[str], frozenset[str]]:
    """Return what ``GradePolicy`` has under these names."""
    categories, services = _named(layers, things)
    by_age = _nearest(layers, "by_age")

    def is_too_young(min_age: int | None) -> bool:
        return by_age and min_age is not None and min_age > age

    def is_closed(category: Category) -> bool:
        if category.locked or category.ordered:
            return True
        return categories.get(category.id, is_too_young(category.min_age))

    def is_alone_closed(service: Service) -> bool:
        group = things.categories.get(service.group)
        of_group = (group and group.min_age) or 0
        is_older = service.min_age is not None and service.min_age > of_group
        return services.get(service.id, is_older and is_too_young(service.min_age))

    closed = [one.id for one in things.categories.values() if is_closed(one)]
    closed += (list_id(one.id) for one in things.services.values() if is_alone_closed(one))
    opened = (list_id(service) for service, is_blocked in services.items() if not is_blocked)
    return frozenset(closed), frozenset(opened)


def _named(layers: list[Settings], things: Things) -> tuple[dict[str, bool], dict[str, bool]]:
    """Return which categories, and which services, are named, and whether they are blocked."""
    categories: dict[str, bool] = {}
    services: dict[str, bool] = {}
    for layer in layers:
        blocked = set(layer.categories.block)
        for service in [one for one, is_blocked in services.items() if not is_blocked]:
            if service in things.services and things.services[service].group in blocked:
                del services[service]
        for found, named in ((categories, layer.categories), (services, layer.services)):
            found.update(dict.fromkeys(named.allow, False))
            found.update(dict.fromkeys(named.block, True))
    return categories, services


def _check(
    document: Document, where: Where, settings: Settings, things: Things, problems: Problems
) -> None:
    """Note what is named and does not exist, is named twice, or cannot be opened."""
    for word, key, named, known in (
        ("category", "categories", settings.categories, things.categories),
        ("service", "services", settings.services, things.services),
    ):
        for verb, ids in (("block", named.block), ("allow", named.allow)):
            for position, wanted in enumerate(ids):
                hint = say("remove it")
                if wanted not in known:
                    reason, hint = (
                        say("'{wanted}' is not a {word}", wanted=wanted, word=quoted(word)),
                        did_you_mean(wanted, known),
                    )
                elif verb == "block":
                    reason = UNSAID
                elif wanted in named.block:
                    reason, hint = (
                        say("'{wanted}' is blocked and allowed at once", wanted=wanted),
                        say("keep one of the two"),
                    )
                else:
                    reason = things.why_shut(word, wanted)
                if reason:
                    place = (*where, key, verb, position)
                    problems.add(document.error(reason, place, hint=hint))
