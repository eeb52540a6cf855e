# SPDX-License-Identifier: Apache-2.0
"""The site's own allows and blocks: from entries of ``site.yaml`` to dated local rules."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from filterd.config.audience import check_network
from filterd.i18n import say
from filterd.policy.model import LocalRule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.config.error_collector import Problems
    from filterd.config.scalars import When
    from filterd.config.site_schema import ExceptionEntry, SiteFile
    from filterd.documents import Document
    from filterd.errors import ConfigError


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
    """Return the moment as a Unix time; a date alone that ends something includes its day."""
    if when is None:
        return None
    time = when.time + timedelta(days=1) if end and when.whole_day else when.time
    if time.tzinfo is None:
        time = time.replace(tzinfo=zone)
    return time.timestamp()


def _is_sound(
    document: Document,
    position: int,
    entry: ExceptionEntry,
    site: SiteFile,
    problems: Problems,
) -> bool:
    where = ("exceptions", position)
    if not check_network(document, where, entry.for_, site.networks, problems):
        return False
    zone = ZoneInfo(site.time_zone)
    begin, end = _unix_time(entry.from_, zone), _unix_time(entry.until, zone, end=True)
    if begin is not None and end is not None and begin >= end:
        reason, hint = say("the exception ends before it begins"), say("exchange from and until")
        problems.add(document.error(reason, (*where, "until"), hint=hint))
        return False
    return True
