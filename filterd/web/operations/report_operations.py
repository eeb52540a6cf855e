# SPDX-License-Identifier: Apache-2.0
"""Operations that make reports, and read their settings.

A report is made in a child process of this one (``reports.report_run``), of the facts that the
manager hands out by the rights of the person. One is made at a time.
"""

from __future__ import annotations

import asyncio
import base64
import threading
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from filterd.base.errors import ConfigError
from filterd.operations.answers import TEXT, of, record
from filterd.operations.parameters.scalar import Choice, Fields, Flag, Parameter, Text, Whole
from filterd.overrides.rights.read_access import READERS, View
from filterd.policy.reporting_settings import ReportSettings
from filterd.reports import report_run
from filterd.reports.inspection_facts import INSPECTION_TYPE
from filterd.reports.report_facts import ReportAudience
from filterd.reports.report_formats import FORMATS, file_name
from filterd.reports.report_questions import LONGEST, QUESTIONS
from filterd.reports.report_run import ReportFile, ReportRequest
from filterd.texts.i18n import language_of, say
from filterd.web.endpoint import MadeFile, WebOperation, asks
from filterd.web.problem import WebError

if TYPE_CHECKING:
    from filterd.web.visitor import Visitor

_DAY = r"20[0-9]{2}-[0-9]{2}-[0-9]{2}"
_PERIOD = "day, week, month, term, year: the last one that is over; or 2026-11, or two dates"
LANGUAGES = {"vi": "Tiếng Việt", "en": "English"}
SHOWN_FORMAT = "html"
ANSWERS = {one.id: f"answer_{one.id.replace('-', '_')}" for one in QUESTIONS}
"""The field of each question of ``report_questions``."""

_turn = threading.Lock()
"""Held while a report is made: each takes memory of the dashboard."""


async def _days(visitor: Visitor, given: dict[str, Any]) -> Any:
    return await visitor.ask("report-period", text=_period(given))


async def _report(visitor: Visitor, given: dict[str, Any]) -> MadeFile:
    audience, scope = _audience(given)
    is_shown = given.get("preview", False)
    format_ = SHOWN_FORMAT if is_shown else given.get("format", SHOWN_FORMAT)
    language = language_of(given.get("language", visitor.language))
    period = await _days(visitor, given)
    facts = await visitor.ask("report-facts", **period, audience=audience.value, **scope)
    answers = {id_: given[name] for id_, name in ANSWERS.items() if name in given}
    template = None
    if format_ == "docx" and audience is ReportAudience.OUTSIDE:
        template = base64.b64decode(await visitor.ask("report-template") or "") or None
    request = ReportRequest(facts, format_, language, answers, template)
    made = await asyncio.to_thread(made_in_turn, request)
    name = file_name(facts, format_, language)
    return MadeFile(name, FORMATS[format_].media_type, made.octets, is_shown)


def _audience(given: dict[str, Any]) -> tuple[ReportAudience, dict[str, str]]:
    """Return for whom a report is, and its class or grade, which is for inside."""
    audience = ReportAudience(given.get("audience", ReportAudience.OUTSIDE))
    kind, _, one = given.get("whom", "").partition(":")
    if not one:
        return audience, {}
    if audience is ReportAudience.PARENTS:
        raise ConfigError(say("a report for parents covers the whole school"))
    return ReportAudience.INSIDE, {kind: one}


def _period(given: dict[str, Any]) -> str:
    first, last = given.get("first", ""), given.get("last", "")
    if bool(first) is not bool(last):
        raise ConfigError(say("give both a first and a last day, or neither"))
    return f"{first}..{last}" if first else str(given.get("period", "month"))


def made_in_turn(request: ReportRequest) -> ReportFile:
    """Make a report, if no other one is being made.

    Raises:
        WebError: one is.
    """
    if not _turn.acquire(blocking=False):
        raise WebError(
            HTTPStatus.TOO_MANY_REQUESTS,
            say("another report is being made; try again in a minute"),
        )
    try:
        return report_run.make(request)
    finally:
        _turn.release()


_OF_PERIOD: dict[str, Parameter] = {
    "period": Text(24, about=_PERIOD),
    "first": Text(10, _DAY, about="In place of `period`: the first day"),
    "last": Text(10, _DAY, about="and the last one, which is over"),
}
_FIELDS: dict[str, Parameter] = {
    **_OF_PERIOD,
    "audience": Choice(
        tuple(one.value for one in ReportAudience),
        "For whom: `outside` has totals that may leave the school; usual",
    ),
    "whom": Text(
        40, r"(class|grade):.+", about="A class or grade, such as class:6A; it is for inside"
    ),
    "format": Choice(tuple(FORMATS), "html if left out"),
    "language": Choice(tuple(LANGUAGES)),
    "preview": Flag("Answer with html to look at, whatever `format` is"),
    **{
        ANSWERS[one.id]: (
            Whole(0, 10_000_000, str(one.text))
            if one.is_number
            else Text(LONGEST, about=str(one.text), lines=True)
        )
        for one in QUESTIONS
    },
}
MAKE = WebOperation(
    name="makeReport",
    method="POST",
    path="/reports",
    about="Make a report of days that are over; answers are not kept. The history has those for"
    " outside.",
    run=_report,
    fields=Fields(_FIELDS),
    media_types=tuple(one.media_type for one in FORMATS.values()),
    largest_octets=512 * 1024,
    commands=("report",),
    tag="reports",
)
READ_SETTINGS = WebOperation(
    name="readReportSettings",
    method="GET",
    path="/reports/settings",
    about="The letterhead, programmes, terms and schedule of reports.",
    run=asks("report-settings"),
    answer=record({"settings": of(ReportSettings), "language": TEXT}),
    tag="reports",
)
READ_PERIOD = WebOperation(
    name="readReportPeriod",
    method="GET",
    path="/reports/period",
    about="The days that a report of a period covers, by the school's calendar.",
    run=_days,
    fields=Fields(_OF_PERIOD),
    answer=record({"kind": TEXT, "first": TEXT, "last": TEXT, "id": TEXT}),
    tag="reports",
)


_RECORD_OLD_S = 600
"""Within this time a person downloads the record that was looked at."""
SIGNED = "signed"
PRINTED = (SHOWN_FORMAT, "docx")
_SUFFIX = "inspection.json"


async def _inspection(visitor: Visitor, given: dict[str, Any]) -> MadeFile:
    is_shown = given.get("preview", False)
    inspection = await visitor.ask("inspection", old_s=_RECORD_OLD_S)
    made_at = datetime.fromtimestamp(inspection["facts"]["made_at"], UTC)
    name = f"filterd-{made_at:%Y%m%dT%H%M%SZ}"
    format_ = SHOWN_FORMAT if is_shown else given.get("format", SIGNED)
    if format_ == SIGNED:
        return MadeFile(f"{name}.{_SUFFIX}", INSPECTION_TYPE, inspection["record"].encode())
    language = language_of(given.get("language", visitor.language))
    request = ReportRequest({}, format_, language, record=inspection["record"])
    made = await asyncio.to_thread(made_in_turn, request)
    return MadeFile(f"{name}.{format_}", FORMATS[format_].media_type, made.octets, is_shown)


MAKE_INSPECTION = WebOperation(
    name="makeInspection",
    method="POST",
    path="/inspection",
    about="Make the signed inspection record, or its printed form. The history records it.",
    run=_inspection,
    fields=Fields(
        {
            "format": Choice((SIGNED, *PRINTED), "the signed file if left out"),
            "language": Choice(tuple(LANGUAGES)),
            "preview": Flag("Answer with html to look at, whatever `format` is"),
        }
    ),
    roles=READERS[View.INSPECTION],
    media_types=(INSPECTION_TYPE, *(FORMATS[one].media_type for one in PRINTED)),
    commands=("inspect make",),
    tag="reports",
)
