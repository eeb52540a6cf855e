# SPDX-License-Identifier: Apache-2.0
"""The facts of a period, from the manager to the maker of a report. Pure.

They have no name that was looked up and no device. What a report for outside the school has
are the published totals (``querylog.published_totals``); cells of fewer than k devices are not
there, and ``left_out`` says only whether there are any.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from filterd.base.state_file import Decoders, to_plain
from filterd.base.value_class import frozen
from filterd.policy.reporting_settings import PeriodKind, ReportAudience, ReportSettings


@frozen
class SchoolFacts:
    """The school, as the site and the gateway know it on the last day.

    Attributes:
        name, contact: as the site has them.
        tiers: of its grades, in order.
        grades: that its networks, classes or timetables have.
        classes: ids, in order, where the report may have figures of classes; else none.
        networks: how many; ``rooms`` of them have a timetable.
        class_count: how many classes there are.
    """

    name: str
    contact: str
    tiers: tuple[str, ...]
    grades: tuple[str, ...]
    classes: tuple[str, ...]
    networks: int
    rooms: int
    class_count: int = 0


@frozen
class CountCell:
    """Answers of one kind in a month or on a day.

    Attributes:
        period: ``2026-11`` or ``2026-11-28``.
        tier: empty for a confidential category, which is of the whole school.
        grade: empty where only the tier is known.
        class_id: empty where it is not asked for.
        category: empty for none.
        action: as the log has it: pass, blocked, ...
        n: answers.
        distinct: distinct (name, class, day) of blocks; None where it is not known.
    """

    period: str
    tier: str
    grade: str
    class_id: str
    category: str
    action: str
    n: int
    distinct: int | None = None


@frozen
class CategoryFacts:
    """A category: its names, and to which tiers it is closed.

    ``open_grades`` are grades to which it is open although their tier's other grades are not.
    ``part_of``: the id of the category that it is a part of, empty for none.
    """

    id: str
    names: dict[str, str]
    legal_basis: str
    is_locked: bool
    is_confidential: bool
    closed_tiers: tuple[str, ...]
    open_grades: tuple[str, ...] = ()
    part_of: str = ""


@frozen
class ServiceGap:
    """A time without service; Unix times, ``ends`` excluded."""

    begins: int
    ends: int


@frozen
class ServiceFacts:
    """Service and checks of a period.

    Attributes:
        days: of the period that are over and not before the first record.
        days_in_service: with at least a minute of service.
        minutes: of service; ``minutes_expected`` of these days.
        gaps: the longest, by their begins.
        gap_count: how many there are.
        days_unreadable: days whose record is damaged or was never written.
        lists_version: the last one.
        oldest_lists_s: the greatest age that lists had on a day; None for not known.
        tests_passed, tests_failed: daily self-tests, by category and tier.
    """

    days: int = 0
    days_in_service: int = 0
    minutes: int = 0
    minutes_expected: int = 0
    gaps: tuple[ServiceGap, ...] = ()
    gap_count: int = 0
    days_unreadable: tuple[str, ...] = ()
    lists_version: str = ""
    oldest_lists_s: int | None = None
    tests_passed: int = 0
    tests_failed: int = 0


@frozen
class HandlingFacts:
    """What was found, reported and handled in the period.

    Medians are in seconds, None where nothing was handled.
    """

    mistakes_reported: int = 0
    mistakes_mended: int = 0
    mend_median_s: int | None = None
    requests: int = 0
    requests_approved: int = 0
    requests_refused: int = 0
    request_median_s: int | None = None
    exceptions_allowed: int = 0
    exceptions_blocked: int = 0
    pauses: int = 0
    pause_minutes: int = 0


@frozen
class FullLogSpan:
    """A time in which the log had every lookup of a tier ("" for all); Unix times."""

    tier: str
    begins: int
    ends: int


@frozen
class LogFacts:
    """What the log stores.

    Attributes:
        levels: by tier, at the end of the period; for parents, when the report was made.
        keep_days, keep_totals_days: for how long.
        least_devices: k; the smallest one with which a figure was published.
        full: when it had every lookup.
        lost: answers that could not be counted.
    """

    levels: dict[str, str]
    keep_days: int
    keep_totals_days: int
    least_devices: int
    full: tuple[FullLogSpan, ...] = ()
    lost: int = 0


@frozen
class ReportFacts:
    """All facts of a report.

    Attributes:
        kind: of the period.
        first, last: its days, both included, ISO 8601.
        made_at: Unix time.
        time_zone: IANA, of all days.
        filterd: the version of the program.
        audience: decides what is in ``cells``.
        scope: the class or grade that a report is about; empty for the school.
        settings: of the site, without the schedule and the path of the template.
        cells: answers; see ``CountCell``. Whole months by grade; days of the rest by tier, for
            outside; inside by grade and day, and by class where the author may see classes.
        left_out: whether cells were not published, or for inside have lost their category; never
            of a confidential one.
        days_missing: days of the period without any count, of which not every minute was in
            service, ISO 8601.
        days_unused: how many days without any count were wholly in service, such as Sundays.
    """

    kind: PeriodKind
    first: str
    last: str
    made_at: float
    time_zone: str
    filterd: str
    audience: ReportAudience
    scope: str
    settings: ReportSettings
    school: SchoolFacts
    categories: tuple[CategoryFacts, ...]
    cells: tuple[CountCell, ...]
    left_out: bool
    days_missing: tuple[str, ...]
    service: ServiceFacts
    handling: HandlingFacts
    log: LogFacts
    days_unused: int = 0

    def to_plain(self) -> dict[str, Any]:
        """Return plain data, for another process."""
        plain: dict[str, Any] = to_plain(self)
        return plain


_decoded = Decoders({"PeriodKind": PeriodKind, "ReportAudience": ReportAudience}).of(ReportFacts)


_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What XML forbids, and so every format of an office; a line break and a tab stay."""


def from_plain(data: Any) -> ReportFacts:
    """Return the facts of ``to_plain``; what no file can have is shown as a sign.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    facts: ReportFacts = _decoded(_printable(data))
    for day in (facts.first, facts.last):
        date.fromisoformat(day)
    ZoneInfo(facts.time_zone)
    return facts


def _printable(value: Any) -> Any:
    match value:
        case str():
            return _UNPRINTABLE.sub("\ufffd", value)
        case dict():
            return {_printable(key): _printable(one) for key, one in value.items()}
        case list():
            return [_printable(one) for one in value]
    return value
