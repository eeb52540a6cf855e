# SPDX-License-Identifier: Apache-2.0
"""Compile the policy of each grade and class, lessons, holidays, grades of rooms.

The settings of a grade are its tier's and its own, merged and applied to the catalogue.

A category is closed to a grade by the first of these that applies:

1. it is locked: closed, always;
2. the school keeps it closed, and it is closed to the grade's tier;
3. the grade's own ``block`` or ``allow``, then its tier's, then those of the
   tiers that this one inherits from, the nearest first;
4. ``by_age``: closed if its ``min_age`` is above the grade's age;
5. open.

What 3 says of a category holds for its parts, unless the same place names the part itself.

A service goes with its category, unless it is named itself in 3, where the setting
nearest to the grade counts, of the service or of its category; or its ``min_age`` is
above that of its category (4). One that is closed only because its category
is does not stand in ``GradePolicy.closed``: opening the category opens it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from filterd.config.scalars import no_class
from filterd.config.site_reader import inheritance
from filterd.config.tiers import AGE_OF_GRADE, DEFAULTS, Settings
from filterd.documents import Document, Where, did_you_mean
from filterd.lists.catalogs.catalog_schema import list_id
from filterd.policy import model
from filterd.policy.category_parts import locked_in, settings_with_parts
from filterd.policy.guarded_categories import opened_by_files, opened_by_schedule
from filterd.policy.model import (
    GRADES,
    TIER_OF_GRADE,
    BlockResponse,
    GradePolicy,
    Holiday,
    Lesson,
    Network,
    Period,
    SchoolClass,
)
from filterd.policy.school_week import WEEKDAYS
from filterd.texts.i18n import UNSAID, quoted, say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from filterd.base.errors import ConfigError, Problems
    from filterd.config.local_rules import Things
    from filterd.config.site_reader import SiteSources, TierSource
    from filterd.config.site_schema import NetworkEntry, SiteFile
    from filterd.config.tiers import Categories, ServiceSettings
    from filterd.lists.catalogs.catalog import PublicHoliday
    from filterd.policy.model import Category, Policy, Service
    from filterd.texts.i18n import Sentence


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
    shipped = sources.shipped_tiers()
    return {grade: _compile_grade(grade, sources, things, shipped) for grade in GRADES}


def strictest(grades: Mapping[str, GradePolicy], among: Iterable[str]) -> str:
    """Return the strictest of some grades and classes.

    Where ``among`` is empty, it is the strictest of all grades. The strictest is the one
    with the most closed categories; of equals the youngest, and of those the first in the
    order of ``GRADES``.
    """
    wanted = set(among) or set(GRADES)
    candidates = [policy for key, policy in grades.items() if key in wanted]
    if not candidates:  # classes that are not there, which ``check_classes`` has noted
        return GRADES[0]
    return model.strictest(candidates).grade


def _compile_grade(
    grade: str, sources: SiteSources, things: Things, shipped: dict[str, TierSource]
) -> GradePolicy:
    tier, age = TIER_OF_GRADE[grade], AGE_OF_GRADE[grade]
    of_tier: list[Settings] = [DEFAULTS]
    of_tier += [source.file for source in inheritance(sources.tiers, tier)]
    own = sources.file.grades.get(grade)
    layers = of_tier if own is None else [*of_tier, own]
    closed, opened = _closed_and_opened(layers, age, things)
    kept = _closed_and_opened(of_tier, age, things)[0] & things.kept_closed
    of_shipped = [DEFAULTS, *(source.file for source in inheritance(shipped, tier))]
    guarded = {category.id for category in things.categories.values() if category.guarded}
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
        guarded=_closed_and_opened(of_shipped, age, things)[0] & guarded,
    )


def _nearest(layers: Iterable[Settings], key: str) -> Any:
    """Return the value of the last layer that sets this key.

    ``DEFAULTS`` sets all keys.
    """
    return [value for layer in layers if (value := getattr(layer, key)) is not None][-1]


def _closed_and_opened(
    layers: list[Settings], age: int, things: Things
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the fields ``closed`` and ``opened`` of ``GradePolicy``."""
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
    """Return the named categories, the named services, and whether each is blocked."""
    categories: dict[str, bool] = {}
    services: dict[str, bool] = {}
    for layer in layers:
        named = settings_with_parts(things.categories, _is_blocked(layer.categories))
        for service in [one for one, is_blocked in services.items() if not is_blocked]:
            if service in things.services and named.get(things.services[service].group):
                del services[service]
        categories.update(named)
        services.update(_is_blocked(layer.services))
    return categories, services


def _is_blocked(named: Categories | ServiceSettings) -> dict[str, bool]:
    """Return the ids that a layer names, and whether each is blocked."""
    return dict.fromkeys(named.allow, False) | dict.fromkeys(named.block, True)


def _check(
    document: Document, where: Where, settings: Settings, things: Things, problems: Problems
) -> None:
    """Note ids that do not exist, stand twice, or cannot be opened."""
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
                        say("'{wanted}' is both blocked and allowed", wanted=wanted),
                        say("keep one of the two"),
                    )
                else:
                    reason = things.why_shut(word, wanted)
                if reason:
                    place = (*where, key, verb, position)
                    problems.add(document.error(reason, place, hint=hint))


def guarded_openings(sources: SiteSources, policy: Policy) -> Iterator[ConfigError]:
    """Yield the settings that open what is guarded beyond the shipped tier.

    That is the school's own decision; it should be one, and no oversight.
    """
    grades = [one for one in policy.grades.values() if not one.class_id]
    for tier, source in sources.tiers.items():
        of_tier = [one for one in grades if source in inheritance(sources.tiers, one.tier)]
        yield from _guarded_openings(source.document, (), source.file, of_tier, policy, tier)
    for grade, settings in sources.file.grades.items():
        own = [one for one in grades if one.grade == grade]
        where = ("grades", grade)
        yield from _guarded_openings(sources.document, where, settings, own, policy, grade)
    for position, one in enumerate(policy.scheduled):
        for category in sorted(opened_by_schedule(one, policy)):
            whom = str(one.whom or one.audience)
            yield sources.document.error(
                say("{category} is guarded, and open to {whom}", category=category, whom=whom),
                ("scheduled", position, "open"),
                hint=_opens_for_a_time(category),
            )


def closed_parts(sources: SiteSources, policy: Policy) -> Iterator[ConfigError]:
    """Yield the settings that open a category of which a part is locked."""
    layers: list[tuple[Document, Where, Settings]] = [
        *((tier.document, (), tier.file) for tier in sources.tiers.values()),
        *((sources.document, ("grades", key), grade) for key, grade in sources.file.grades.items()),
    ]
    for document, where, settings in layers:
        for position, whole in enumerate(settings.categories.allow):
            place = (*where, "categories", "allow", position)
            said = settings.categories.block
            yield from _closed_parts(document, place, policy, whole, said)
    for position, one in enumerate(policy.scheduled):
        if one.opens and one.kind == "category":
            where = ("scheduled", position, "open", "category")
            yield from _closed_parts(sources.document, where, policy, one.target, ())


def _closed_parts(
    document: Document, where: Where, policy: Policy, whole: str, said: Collection[str]
) -> Iterator[ConfigError]:
    for part in [one for one in locked_in(policy.categories, whole) if one not in said]:
        reason = say(
            "{part}, a part of {whole}, is locked: it stays closed", part=part, whole=whole
        )
        yield document.error(reason, where, hint=say("block it here, to say so"))


def _opens_for_a_time(category: str) -> Sentence:
    return say("filterd allow category:{category} opens it for a time", category=category)


def _guarded_openings(
    document: Document,
    where: Where,
    settings: Settings,
    grades: Iterable[GradePolicy],
    policy: Policy,
    whom: str,
) -> Iterator[ConfigError]:
    opened = frozenset[str]().union(*(opened_by_files(policy, grade) for grade in grades))
    services = policy.services
    named = (
        ("categories", settings.categories.allow, lambda one: one),
        ("services", settings.services.allow, lambda one: services[one].group),
    )
    for key, allowed, group_of in named:
        for position, one in enumerate(allowed):
            if (category := group_of(one)) in opened:
                yield document.error(
                    say("{category} is guarded, and open to {whom}", category=category, whom=whom),
                    (*where, key, "allow", position),
                    hint=_opens_for_a_time(category),
                )
    if settings.by_age is False and opened:
        yield document.error(
            say(
                "without by_age {categories} is open to {whom}, which is guarded",
                categories=", ".join(sorted(opened)),
                whom=whom,
            ),
            (*where, "by_age"),
            hint=say("block it under categories"),
        )


def compile_lessons(document: Document, site: SiteFile, problems: Problems) -> tuple[Lesson, ...]:
    """Return the lessons as the day has them, and note those that overlap."""
    lessons = [Lesson(lesson, *times) for lesson, times in site.lessons.items()]
    lessons.sort(key=lambda lesson: (lesson.starts_s, lesson.ends_s))
    latest = None
    for lesson in lessons:
        if latest is not None and lesson.starts_s < latest.ends_s:
            reason = say("'{id}' begins before '{earlier}' ends", id=lesson.id, earlier=latest.id)
            hint = say("'{id}' ends at {time}", id=latest.id, time=_clock(latest.ends_s))
            problems.add(document.error(reason, ("lessons", lesson.id), hint=hint))
        if latest is None or lesson.ends_s > latest.ends_s:
            latest = lesson
    return tuple(lessons)


def compile_holidays(site: SiteFile, public: Iterable[PublicHoliday]) -> tuple[Holiday, ...]:
    """Return public holidays and the school's own days off, in their order."""
    days = [Holiday(one.first, one.last, one.name_vi, one.name_en) for one in public]
    days += (
        Holiday(holiday.first, holiday.last or holiday.first, holiday.name, holiday.name)
        for holiday in site.holidays
    )
    return tuple(sorted(days, key=lambda day: (day.first, day.last)))


def compile_networks(site: SiteFile, grades: Mapping[str, GradePolicy]) -> tuple[Network, ...]:
    """Return the networks of a site.

    A room without a grade of its own has the strictest of its timetable.
    """
    return tuple(
        Network(
            network_id,
            network.seat or strictest(grades, grades_of(network)),
            network.cidrs,
            network.interfaces,
            network.macs,
            tuple(_periods(network)),
            network.is_room,
            network.on_holidays,
        )
        for network_id, network in site.networks.items()
    )


def grades_of(network: NetworkEntry) -> set[str]:
    """Return every grade and class that a network may have by the files."""
    named = {cell.seat for lessons in network.timetable.values() for cell in lessons.values()}
    return named if network.seat is None else {network.seat, *named}


def check_timetables(document: Document, site: SiteFile, problems: Problems) -> None:
    """Note unknown lessons, and days that appear twice, once in each language."""
    for network_id, network in site.networks.items():
        seen: dict[int, str] = {}
        for day, lessons in network.timetable.items():
            where = ("networks", network_id, "timetable", day)
            first = seen.setdefault(WEEKDAYS[day], day)
            if first != day:
                reason = say("'{day}' and '{first}' are the same day", day=day, first=first)
                problems.add(document.error(reason, where, hint=say("merge both")))
            for lesson in lessons:
                if lesson not in site.lessons:
                    hint = did_you_mean(lesson, site.lessons) or say("name it under lessons")
                    reason = say("'{lesson}' is not a lesson of this site", lesson=lesson)
                    problems.add(document.error(reason, (*where, lesson), hint=hint))


def holes(document: Document, site: SiteFile) -> Iterator[ConfigError]:
    """Yield the holes of a timetable: lessons without an entry between two of a day.

    A lesson that no timetable has at all is a break, and no hole.
    """
    held = {
        lesson
        for network in site.networks.values()
        for lessons in network.timetable.values()
        for lesson in lessons
    }
    order = sorted(held & site.lessons.keys(), key=lambda lesson: site.lessons[lesson])
    for network_id, network in site.networks.items():
        for day, lessons in network.timetable.items():
            there = [lesson in lessons for lesson in order]
            if True not in there:
                continue
            first, last = there.index(True), len(there) - there[::-1].index(True)
            missing = [lesson for lesson in order[first:last] if lesson not in lessons]
            if missing:
                reason = say(
                    "'{network_id}' has no grade in {lessons} of {day}",
                    network_id=network_id,
                    lessons=", ".join(missing),
                    day=day,
                )
                hint = say("then it has the strictest grade of its timetable")
                where = ("networks", network_id, "timetable", day)
                yield document.error(reason, where, hint=hint)


def _periods(network: NetworkEntry) -> Iterator[Period]:
    for day, lessons in network.timetable.items():
        for lesson, cell in lessons.items():
            yield Period(WEEKDAYS[day], lesson, cell.seat, cell.teacher)


def _clock(second: int) -> str:
    return f"{second // 3600:02}:{second % 3600 // 60:02}"


def compile_classes(site: SiteFile) -> tuple[SchoolClass, ...]:
    """Return the classes, in the order of the file."""
    return tuple(
        SchoolClass(class_id, one.grade, one.teachers) for class_id, one in site.classes.items()
    )


def class_policies(grades: Mapping[str, GradePolicy], site: SiteFile) -> dict[str, GradePolicy]:
    """Return the policy of every class: that of its grade."""
    return {
        class_id: replace(grades[one.grade], class_id=class_id)
        for class_id, one in site.classes.items()
    }


def check_classes(document: Document, site: SiteFile, problems: Problems) -> None:
    """Note classes that differ in letter case only, and unknown classes.

    A class that the site does not have is unknown.
    """
    seen: dict[str, str] = {}
    for class_id in site.classes:
        first = seen.setdefault(class_id.casefold(), class_id)
        if first != class_id:
            reason = say(
                "'{class_id}' and '{first}' are the same class", class_id=class_id, first=first
            )
            error = document.error(reason, ("classes", class_id), hint=say("keep one of the two"))
            problems.add(error)
    for network_id, network in site.networks.items():
        if network.class_ is not None and network.class_ not in site.classes:
            where = ("networks", network_id, "class")
            problems.add(no_class(document, where, network.class_, site))
        for day, lessons in network.timetable.items():
            for lesson, cell in lessons.items():
                if cell.class_ is not None and cell.class_ not in site.classes:
                    place = ("networks", network_id, "timetable", day, lesson)
                    problems.add(no_class(document, place, cell.class_, site))
