# SPDX-License-Identifier: Apache-2.0
"""Make a report, or an inspection record: period, audience, language, format."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from filterd.base.errors import FilterdError
from filterd.operations.policy import IDS
from filterd.operations.report_questions import ANSWERS, QUESTIONS
from filterd.operations.reports import (
    LANGUAGES,
    MAKE_INSPECTION,
    READ_PERIOD,
    READ_SETTINGS,
    SIGNED,
)
from filterd.operations.totals import HELP as READ_HELP
from filterd.overrides.rights.read_access import READERS, View
from filterd.policy.reporting_settings import PeriodKind, ReportAudience
from filterd.querylog.querylog_rows import HELP, OFFERS, too_small
from filterd.texts.i18n import Sentence, say
from filterd.texts.rows import Column, Listing
from filterd.web.form_choices import seats
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from filterd.texts.rows import Row, Wording
    from filterd.web.form_choices import Options
    from filterd.web.visitor import Visitor

_MONTHS = 12
_PERIODS: Mapping[str, Sentence] = {
    PeriodKind.MONTH: say("the last month"),
    PeriodKind.TERM: say("the last term"),
    PeriodKind.YEAR: say("the last year"),
    PeriodKind.WEEK: say("the last week"),
    PeriodKind.DAY: say("yesterday"),
}
_EVERY: Mapping[str, Sentence] = {
    PeriodKind.DAY: say("each day"),
    PeriodKind.WEEK: say("each week"),
    PeriodKind.MONTH: say("each month"),
    PeriodKind.TERM: say("each term"),
    PeriodKind.YEAR: say("each year"),
}
_AUDIENCES = (
    (ReportAudience.OUTSIDE, View.EXPORT, say("outside the school: totals only")),
    (ReportAudience.INSIDE, View.TOTALS, say("inside the school")),
    (ReportAudience.PARENTS, View.TOTALS, say("parents: no figures of use")),
)
_FORMATS: Mapping[str, Sentence] = {
    "docx": say("Word (docx)"),
    "html": say("a page to print (html)"),
    "xlsx": say("a workbook (xlsx)"),
    "csv": say("a table (csv)"),
    "json": say("for programs (json)"),
}


def _date(day: str, by: Wording) -> str:
    return f"{day[8:]}/{day[5:7]}/{day[:4]}" if day else by.texts("always")


PROGRAMMES = Listing(
    say("Programmes"),
    say("No programme is set yet; the report leaves its place empty."),
    (
        Column(say("Programme"), "name"),
        Column(say("From"), "begins", _date),
        Column(say("Receiver"), "receiver"),
    ),
)


def _goes(row: Row, by: Wording) -> str:
    return ", ".join(filter(None, (row["folder"], row["is_mailed"] and by.texts("by mail"))))


SCHEDULES = Listing(
    say("Scheduled reports"),
    say("No report is scheduled yet; a scheduled report is made in the night after each period."),
    (
        Column(say("Period"), "every", lambda every, by: by.texts.word(_EVERY, every)),
        Column(say("Formats"), "formats", lambda formats, _: ", ".join(formats)),
        Column(say("Goes to"), worded=_goes),
    ),
)


async def _help_sought(visitor: Visitor, month: str) -> dict[str, Any]:
    """Return yes or no for a month that the principal has chosen; nothing for others."""
    if not visitor.may(READ_HELP):
        return {"help_months": []}
    answer = await visitor.call(READ_HELP, month=month) if month else None
    found = answer and answer["answers"]
    return {
        "help_month": month,
        "help_months": list(_months(visitor)),
        "help_listing": HELP,
        "help_answers": found,
        "help_none": visitor.texts(too_small(answer["least_devices"]))
        if answer and found is None
        else "",
        "offers": visitor.texts(OFFERS),
    }


async def _load_reports(visitor: Visitor, query: Mapping[str, str]) -> dict[str, Any]:
    settings = (await visitor.call(READ_SETTINGS))["settings"]
    ids = await visitor.call(IDS)
    texts = visitor.texts
    return {
        "settings": settings,
        "programmes": PROGRAMMES,
        "schedules": SCHEDULES,
        "periods": [*await _last_periods(visitor), *_months(visitor)],
        "audiences": [
            (one.value, texts(text))
            for one, view, text in _AUDIENCES
            if not visitor.roles.isdisjoint(READERS[view])
        ],
        "seats": [("", texts("the whole school")), *_seats(visitor, ids)],
        "formats": [(one, texts(text)) for one, text in _FORMATS.items()],
        "languages": list(LANGUAGES.items()),
        "questions": [(ANSWERS[one.id], one) for one in QUESTIONS],
        **await _help_sought(visitor, query.get("help", "")),
    }


def _seats(visitor: Visitor, ids: Row) -> Options:
    """Return grades, and classes for people with the right to past days of any class."""
    found = seats(ids, visitor.wording)
    return found if visitor.is_admin else [one for one in found if one[0].startswith("grade:")]


async def _last_periods(visitor: Visitor) -> Options:
    """Return the last period of each kind with its days, as far as today is known."""
    found = []
    for kind, text in _PERIODS.items():
        days = ""
        with contextlib.suppress(FilterdError):
            period = await visitor.call(READ_PERIOD, period=kind)
            first, last = (_date(period[key], visitor.wording) for key in ("first", "last"))
            days = f" ({last})" if first == last else f" ({first}-{last})"
        found.append((str(kind), visitor.texts(text) + days))
    return found


def _months(visitor: Visitor) -> Iterator[tuple[str, str]]:
    """Yield the last months."""
    day = visitor.clock.shows(visitor.clock.now).date().replace(day=1)
    for _ in range(_MONTHS):
        day = (day - timedelta(days=1)).replace(day=1)
        yield f"{day:%Y-%m}", f"{day:%m/%Y}"


REPORTS_PAGE = Page(
    path="/reports", title=say("Reports"), template="reports.html", load=_load_reports
)


_INSPECTION_FORMATS = {
    SIGNED: say("the signed file"),
    "docx": say("Word (docx)"),
    "html": say("a page to print (html)"),
}


async def _load_inspection(visitor: Visitor, _: Mapping[str, str]) -> dict[str, Any]:
    return {
        "formats": [(one, visitor.texts(text)) for one, text in _INSPECTION_FORMATS.items()],
        "languages": list(LANGUAGES.items()),
    }


INSPECTION_PAGE = Page(
    path="/inspection",
    title=say("Inspection record"),
    template="inspection.html",
    load=_load_inspection,
    roles=MAKE_INSPECTION.roles,
)
