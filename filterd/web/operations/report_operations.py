# SPDX-License-Identifier: Apache-2.0
"""Make reports and inspection records as files.

A report is made in a child process of this one (``reports.report_run``), of the facts that the
manager hands out by the rights of the person. One is made at a time.
"""

from __future__ import annotations

import asyncio
import base64
import threading
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from filterd.base.state_file import to_plain
from filterd.operations import reports
from filterd.operations.reports import (
    PRINTED,
    SIGNED,
    ReadInspection,
    ReadReportFacts,
    ReadReportPeriod,
    ReadReportTemplate,
)
from filterd.policy.reporting_settings import ReportAudience, ReportFileFormat
from filterd.reports import report_run
from filterd.reports.inspection_facts import INSPECTION_TYPE
from filterd.reports.report_formats import FORMATS, file_name
from filterd.reports.report_run import ReportFile, ReportRequest
from filterd.texts.i18n import language_of, say
from filterd.web.endpoint import MadeFile, endpoint
from filterd.web.problem import WebError

if TYPE_CHECKING:
    from filterd.operations.reports import MakeInspection, MakeReport
    from filterd.web.visitor import Visitor

_turn = threading.Lock()
"""Held while a report is made: each takes memory of the dashboard."""
_RECORD_OLD_S = 600
"""Within this time a person downloads the record that was looked at."""
_SUFFIX = "inspection.json"


async def _report(visitor: Visitor, asked: MakeReport) -> MadeFile:
    format_ = ReportFileFormat.HTML if asked.preview else asked.format
    language = language_of(asked.language or visitor.language)
    days = to_plain(await visitor.send(ReadReportPeriod(asked.period)))
    facts = await visitor.send(ReadReportFacts(**days, scope=asked.scope))
    template = None
    if format_ == ReportFileFormat.DOCX and asked.scope.audience is ReportAudience.OUTSIDE:
        encoded = await visitor.send(ReadReportTemplate())
        template = base64.b64decode(encoded or "") or None
    request = ReportRequest(facts, format_, language, asked.answers, template)
    made = await asyncio.to_thread(made_in_turn, request)
    name = file_name(facts, format_, language)
    return MadeFile(name, FORMATS[format_].media_type, made.octets, asked.preview)


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


async def _inspection(visitor: Visitor, asked: MakeInspection) -> MadeFile:
    inspection = await visitor.send(ReadInspection(_RECORD_OLD_S))
    made_at = datetime.fromtimestamp(inspection["facts"]["made_at"], UTC)
    name = f"filterd-{made_at:%Y%m%dT%H%M%SZ}"
    format_ = ReportFileFormat.HTML if asked.preview else asked.format
    if format_ == SIGNED:
        return MadeFile(f"{name}.{_SUFFIX}", INSPECTION_TYPE, inspection["record"].encode())
    language = language_of(asked.language or visitor.language)
    request = ReportRequest({}, format_, language, record=inspection["record"])
    made = await asyncio.to_thread(made_in_turn, request)
    return MadeFile(f"{name}.{format_}", FORMATS[format_].media_type, made.octets, asked.preview)


MAKE = endpoint(
    reports.MAKE,
    _report,
    media_types=tuple(one.media_type for one in FORMATS.values()),
    largest_octets=512 * 1024,
)
MAKE_INSPECTION = endpoint(
    reports.MAKE_INSPECTION,
    _inspection,
    media_types=(INSPECTION_TYPE, *(FORMATS[one].media_type for one in PRINTED)),
)
