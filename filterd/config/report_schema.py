# SPDX-License-Identifier: Apache-2.0
"""The schema of ``report`` in ``site.yaml``: letterhead, terms, schedule."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from filterd.documents import DocumentModel, refusal
from filterd.i18n import say
from filterd.policy.report_settings import (
    TERMS,
    PeriodKind,
    Programme,
    ReportSchedule,
    ReportSettings,
    SchoolTerm,
)

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.config.site_schema import SiteFile
    from filterd.documents import Document
    from filterd.errors import Problems

_WORD_FILE = re.compile(r"([^/.\s\\][^/\\]*/)*[^/.\s\\][^/\\]*\.docx")
_SPAN = re.compile(r"(\d\d-\d\d)\.\.(\d\d-\d\d)", re.ASCII)


def _date(text: Any) -> str:
    try:
        return date.fromisoformat(str(text)).isoformat()
    except ValueError:
        raise refusal(
            say("'{text}' is not a date", text=str(text)[:40]), say("such as 2026-01-01")
        ) from None


def _month_day(text: str) -> str:
    try:
        date.fromisoformat(f"2023-{text}")  # no leap year: a term never ends on 29 February
    except ValueError:
        raise refusal(
            say("'{text}' is not a day of the year", text=text[:40]), say("such as 09-05")
        ) from None
    return text


def _term(text: str) -> str:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise refusal(say("'{text}' is not a term", text=text[:40]), say("such as 09-05..01-15"))
    for day in found.groups():
        _month_day(day)
    return text


def _folder(text: str) -> str:
    if text and not text.startswith("/"):
        raise refusal(say("'{text}' is not a folder", text=text[:40]), say("such as /media/usb"))
    return text


def _template(text: str) -> str:
    if text and not _WORD_FILE.fullmatch(text):
        raise refusal(
            say("'{text}' is not a Word file beneath the folder of site.yaml", text=text[:40]),
            say("such as form.docx"),
        )
    return text


Line = Annotated[str, Field(min_length=1, max_length=300)]
Format = Literal["html", "docx", "xlsx", "csv", "json"]


class ProgrammeEntry(DocumentModel):
    """A programme under which the school reports."""

    name: Line = Field(description="Its name, as the report prints it.")
    from_: Annotated[str, BeforeValidator(_date)] = Field(
        "", alias="from", description="The first day on which it holds; always if left out."
    )
    receiver: str = Field("", max_length=300, description="The body that receives the report.")
    legal_bases: tuple[Line, ...] = Field(
        (), max_length=20, description="The legal bases, each a line of the report's head."
    )


class SignerEntry(DocumentModel):
    """The person who signs reports."""

    post: str = Field("", max_length=100, description="The post, such as Hiệu trưởng.")
    name: str = Field("", max_length=100, description="The name, without titles.")
    capacity: str = Field(
        "", max_length=100, description="The capacity, such as KT. HIỆU TRƯỞNG; usually none."
    )


class ReportScheduleEntry(DocumentModel):
    """A report that is made by itself, the day after each period."""

    every: Literal["day", "week", "month", "term", "year"] = Field(
        description="The period that each report covers."
    )
    formats: tuple[Format, ...] = Field(("docx",), min_length=1, description="The formats.")
    folder: Annotated[str, AfterValidator(_folder)] = Field(
        "", description="A folder for the files."
    )
    mail: bool = Field(False, description="Mail them to the addresses of alerts.")

    @model_validator(mode="after")
    def _goes_somewhere(self) -> ReportScheduleEntry:
        if not (self.folder or self.mail):
            raise refusal(
                say("a scheduled report goes nowhere"), say("give it a folder, or mail: true")
            )
        return self


class ReportEntry(DocumentModel):
    """Reports of the school: letterhead, programmes, terms, schedule."""

    superior: str = Field(
        "", max_length=200, description="The body above the school, in the letterhead."
    )
    place: str = Field("", max_length=100, description="The place, before the date.")
    symbol: Annotated[str, Field(pattern=r"^[\w-]{1,40}$")] = Field(
        "BC", description="The symbol behind the number, such as BC-THCS."
    )
    programmes: tuple[ProgrammeEntry, ...] = Field(
        (), max_length=20, description="The programmes, the earliest first."
    )
    recipients: tuple[Line, ...] = Field((), max_length=20, description="The lines of Nơi nhận.")
    signer: SignerEntry = Field(
        default_factory=lambda: SignerEntry.model_validate({}),
        description="The person who signs.",
    )
    terms: dict[str, Annotated[str, AfterValidator(_term)]] = Field(
        default_factory=dict, max_length=6, description="The terms: an id, and MM-DD..MM-DD."
    )
    year_begins: Annotated[str, AfterValidator(_month_day)] = Field(
        "01-01", description="The first day of the year of reports; 09-05 for school years."
    )
    template: Annotated[str, AfterValidator(_template)] = Field(
        "",
        max_length=200,
        description="A Word template of your own, beneath the folder of site.yaml.",
    )
    schedule: tuple[ReportScheduleEntry, ...] = Field(
        (), max_length=10, description="Reports that are made by themselves."
    )


def check_report(document: Document, site: SiteFile, problems: Problems) -> None:
    """Note a schedule that mails reports where the site has no mail server.

    Args:
        document: of ``site``, for places.
        site: the file.
        problems: gets the errors.
    """
    has_server = site.alerts is not None and site.alerts.mail is not None
    for position, one in enumerate(() if site.report is None else site.report.schedule):
        if one.mail and not has_server:
            reason, hint = say("there is no mail server"), say("name one in alerts.mail")
            place = "report", "schedule", position, "mail"
            problems.add(document.error(reason, place, hint=hint))


def compile_report(site: SiteFile, folder: Path) -> ReportSettings:
    """Return the settings of reports.

    Args:
        site: the file.
        folder: of it, beneath which the template is.
    """
    entry = site.report
    if entry is None:
        return ReportSettings(site.school.code)
    programmes = sorted(entry.programmes, key=lambda one: one.from_)
    terms = tuple(SchoolTerm(id_, *text.split("..")) for id_, text in entry.terms.items())
    return ReportSettings(
        code=site.school.code,
        superior=entry.superior,
        place=entry.place,
        symbol=entry.symbol,
        programmes=tuple(
            Programme(one.name, one.from_, one.receiver, one.legal_bases) for one in programmes
        ),
        recipients=entry.recipients,
        capacity=entry.signer.capacity,
        post=entry.signer.post,
        signer=entry.signer.name,
        terms=terms or TERMS,
        year_begins=entry.year_begins,
        template=str(folder / entry.template) if entry.template else "",
        schedules=tuple(
            ReportSchedule(PeriodKind(one.every), one.formats, one.folder, one.mail)
            for one in entry.schedule
        ),
    )
