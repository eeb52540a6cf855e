# SPDX-License-Identifier: Apache-2.0
"""Compile the site's own rules: exceptions, services and what stays closed.

Exceptions become dated local rules.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from filterd.config.scalars import check_audience
from filterd.documents import did_you_mean
from filterd.lists.catalogs.catalog_schema import list_id, service_list
from filterd.policy.category_parts import all_with_parts
from filterd.policy.model import LocalRule, Service
from filterd.texts.i18n import UNSAID, Sentence, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from filterd.base.errors import ConfigError, Problems
    from filterd.config.scalars import When
    from filterd.config.site_reader import SiteSources
    from filterd.config.site_schema import ExceptionEntry, SiteFile
    from filterd.documents import Document, Where
    from filterd.lists.catalogs.catalog import Catalog
    from filterd.lists.rules import ListSource
    from filterd.policy.model import Category


def compile_exceptions(
    document: Document, site: SiteFile, problems: Problems
) -> tuple[LocalRule, ...]:
    """Return the local rules; a rule's id is the place where it is written."""
    zone = ZoneInfo(site.time_zone)
    return tuple(
        _compile_exception(document, position, entry, zone)
        for position, entry in enumerate(site.exceptions)
        if _is_sound(document, position, entry, site, problems)
    )


def past_exceptions(document: Document, site: SiteFile, now: float) -> Iterator[ConfigError]:
    """Yield exceptions that are over."""
    zone = ZoneInfo(site.time_zone)
    for position, entry in enumerate(site.exceptions):
        ends_at = _unix_time(entry.until, zone, end=True)
        if ends_at is not None and ends_at <= now:
            hint = say("remove it, or name a later day")
            where = ("exceptions", position, "until")
            yield document.error(say("the exception has ended"), where, hint=hint)


def _compile_exception(
    document: Document, position: int, entry: ExceptionEntry, zone: ZoneInfo
) -> LocalRule:
    line, column = document.place(("exceptions", position))
    name = entry.allow if entry.allow is not None else entry.block
    assert name is not None
    audience, whom = entry.for_.audience
    return LocalRule(
        id=f"site.yaml:{line}:{column}",
        name=name,
        allow=entry.allow is not None,
        audience=audience,
        whom=whom,
        reason=entry.reason,
        author=entry.author,
        starts_at=_unix_time(entry.from_, zone),
        ends_at=_unix_time(entry.until, zone, end=True),
    )


def _unix_time(when: When | None, zone: ZoneInfo, *, end: bool = False) -> float | None:
    """Return the moment as a Unix time.

    A date alone that ends something includes its day.
    """
    if when is None:
        return None
    time = when.time + timedelta(days=1) if end and when.whole_day else when.time
    if time.tzinfo is None:
        time = time.replace(tzinfo=zone)
    return time.timestamp()


def _is_sound(
    document: Document, position: int, entry: ExceptionEntry, site: SiteFile, problems: Problems
) -> bool:
    where = ("exceptions", position)
    if not check_audience(document, where, entry.for_, site, problems):
        return False
    zone = ZoneInfo(site.time_zone)
    begin, end = _unix_time(entry.from_, zone), _unix_time(entry.until, zone, end=True)
    if begin is not None and end is not None and begin >= end:
        reason, hint = say("the exception ends before it begins"), say("swap from and until")
        problems.add(document.error(reason, (*where, "until"), hint=hint))
        return False
    return True


class Things(NamedTuple):
    """The categories and services that can be opened and closed."""

    categories: Mapping[str, Category]
    services: Mapping[str, Service]
    kept_closed: frozenset[str]
    """As in ``Policy.kept_closed``."""

    def why_shut(self, kind: str, target: str) -> Sentence:
        """Return why a category or service cannot be opened, ``UNSAID`` if it can.

        Args:
            kind: ``category`` or ``service``.
            target: the id of one that is known.
        """
        own_id = target if kind == "category" else list_id(target)
        group = target if kind == "category" else self.services[target].group
        category = self.categories.get(group)
        if category and (category.locked or category.ordered):
            return say("'{target}' is locked: it is closed to everybody", target=target)
        if self.kept_closed & {own_id, group}:
            return say("'{target}' is kept closed by the school", target=target)
        return UNSAID


def compile_services(
    document: Document,
    site: SiteFile,
    catalog: Catalog,
    categories: Mapping[str, Category],
    problems: Problems,
) -> dict[str, Service]:
    """Return all services, and note errors of the school's own."""
    services = {
        one.id: Service(
            one.id,
            one.name_vi,
            one.name_en,
            one.group,
            one.min_age,
            one.names,
            one.terms_date,
            one.note_vi,
            one.note_en,
        )
        for one in catalog.services
    }
    for service, entry in site.services.items():
        where: Where = ("services", service)
        if service in services:
            reason = say("the catalogue already has a service '{service}'", service=service)
            problems.add(document.error(reason, where, hint=say("choose another id")))
            continue
        group = categories.get(entry.group)
        if group is None:
            reason = say("'{group}' is not a category", group=entry.group)
            hint = did_you_mean(entry.group, categories)
        elif group.ordered:
            reason = say("'{group}' is for legal orders only", group=entry.group)
            hint = say("choose another category")
        else:
            reason = hint = UNSAID
        if reason:
            of_key = say("{key}: {reason}", key="group", reason=reason)
            problems.add(document.error(of_key, (*where, "group"), hint=hint))
        services[service] = Service(
            service, entry.name.vi, entry.name.en, entry.group, entry.min_age, entry.names
        )
    return services


def own_service_lists(sources: SiteSources) -> Iterator[ListSource]:
    """Yield the school's own services as the lists that they are in the index."""
    for service, entry in sources.file.services.items():
        where = ("services", service, "names")
        yield service_list(
            service, entry.name.en, entry.group, entry.names, sources.document, where
        )


def compile_kept_closed(
    document: Document,
    site: SiteFile,
    categories: Mapping[str, Category],
    services: Mapping[str, Service],
    problems: Problems,
) -> frozenset[str]:
    """Return the ids that stay closed, as in ``Policy.kept_closed``."""
    kept = site.keep_closed
    for kind, word, ids, known in (
        ("categories", say("category"), kept.categories, categories),
        ("services", say("service"), kept.services, services),
    ):
        for position, wanted in enumerate(ids):
            if wanted not in known:
                where = ("keep_closed", kind, position)
                hint = did_you_mean(wanted, known)
                problems.add(
                    document.error(
                        say("'{wanted}' is not a {word}", wanted=wanted, word=word),
                        where,
                        hint=hint,
                    )
                )
    closed = all_with_parts(categories, kept.categories)
    return closed.union(map(list_id, kept.services))
