# SPDX-License-Identifier: Apache-2.0
"""Make reports and read their settings; make the inspection record."""

from __future__ import annotations

from typing import Annotated, Any

from filterd.accounts.grant import TokenScope
from filterd.base.value_class import frozen
from filterd.operations.answers import TEXT, record
from filterd.operations.operation import Operation
from filterd.operations.parameters.day import DAY
from filterd.operations.parameters.report_days import LAST_MONTH, ReportDaysField
from filterd.operations.parameters.report_scope import WHOLE_SCHOOL, ReportScope, ReportScopeField
from filterd.operations.parameters.scalar import Choice, Flag, Text, Whole
from filterd.operations.report_questions import AnswersField
from filterd.operations.request import OperationRequest
from filterd.overrides.rights.read_access import READERS, View
from filterd.policy.reporting_settings import PeriodKind, ReportFileFormat, ReportSettings

LANGUAGES = {"vi": "Tiếng Việt", "en": "English"}
SIGNED = "signed"
PRINTED = (ReportFileFormat.HTML, ReportFileFormat.DOCX)
_OLDEST_S = 3_600
_PREVIEW = Flag("Answer with html to look at, whatever `format` is")


@frozen
class ReportDays:
    """The days of a period, ISO 8601; ``id``: its name in the calendar of the school."""

    kind: str
    first: str
    last: str
    id: str


@frozen
class ReadReportPeriod(
    OperationRequest[ReportDays], command="report-period", scopes=(TokenScope.TOTALS,)
):
    """The days that a period covers."""

    text: Annotated[str, ReportDaysField()] = LAST_MONTH


@frozen
class ReadReportFacts(
    OperationRequest[dict[str, Any]], command="report-facts", scopes=(TokenScope.TOTALS,)
):
    """What a report of days has, as ``reports.report_facts`` reads it."""

    kind: Annotated[str, Choice(tuple(one.value for one in PeriodKind))]
    first: Annotated[str, DAY]
    last: Annotated[str, DAY]
    id: Annotated[str, Text(64)] = ""
    scope: Annotated[ReportScope, ReportScopeField()] = WHOLE_SCHOOL


@frozen
class ReadReportSettings(
    OperationRequest[dict[str, Any]], command="report-settings", scopes=(TokenScope.TOTALS,)
):
    """The settings of reports."""


@frozen
class ReadReportTemplate(
    OperationRequest[str | None], command="report-template", scopes=(TokenScope.TOTALS,)
):
    """The Word template of the school in base64; None for none."""


@frozen(kw_only=True)
class MakeReport(OperationRequest[Any], command=ReadReportFacts.command):
    """A report; a face makes it of the facts."""

    period: Annotated[str, ReportDaysField()] = LAST_MONTH
    scope: Annotated[ReportScope, ReportScopeField()] = WHOLE_SCHOOL
    format: Annotated[str, Choice(tuple(ReportFileFormat), "html if left out")] = (
        ReportFileFormat.HTML
    )
    language: Annotated[str, Choice(tuple(LANGUAGES))] = ""
    preview: Annotated[bool, _PREVIEW] = False
    answers: Annotated[dict[str, Any], AnswersField()]


@frozen
class ReadInspection(
    OperationRequest[dict[str, Any]], command="inspection", scopes=(TokenScope.ALL_READ,)
):
    """The signed record, made now or before: at most ``old_s`` ago."""

    old_s: Annotated[int, Whole(0, _OLDEST_S)] = 0


@frozen(kw_only=True)
class MakeInspection(OperationRequest[Any], command=ReadInspection.command):
    """The record as a file; a face prints it."""

    format: Annotated[str, Choice((SIGNED, *PRINTED), "the signed file if left out")] = SIGNED
    language: Annotated[str, Choice(tuple(LANGUAGES))] = ""
    preview: Annotated[bool, _PREVIEW] = False


MAKE = Operation(
    name="makeReport",
    method="POST",
    path="/reports",
    about="Make a report of days that are over; answers are not kept. The history has those for"
    " outside.",
    request=MakeReport,
    answer={},
    commands=("report",),
    tag="reports",
)
READ_SETTINGS = Operation(
    name="readReportSettings",
    method="GET",
    path="/reports/settings",
    about="The letterhead, programmes, terms and schedule of reports.",
    request=ReadReportSettings,
    answer=record({"settings": ReportSettings, "language": TEXT}),
    tag="reports",
)
READ_PERIOD = Operation(
    name="readReportPeriod",
    method="GET",
    path="/reports/period",
    about="The days that a report of a period covers, by the school's calendar.",
    request=ReadReportPeriod,
    answer=ReportDays,
    tag="reports",
)
MAKE_INSPECTION = Operation(
    name="makeInspection",
    method="POST",
    path="/inspection",
    about="Make the signed inspection record, or its printed form. The history records it.",
    request=MakeInspection,
    answer={},
    roles=READERS[View.INSPECTION],
    commands=("inspect make",),
    tag="reports",
)
