# SPDX-License-Identifier: Apache-2.0
"""The keys ``log``, ``alerts`` and ``report`` of ``site.yaml``.

The levels of the query log and the days kept; mail and webhook of alerts, without secrets;
letterhead, terms and schedule of reports.
"""

from __future__ import annotations

import re
from datetime import date
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from filterd.base.addresses import is_address, is_public
from filterd.base.errors import NameTextError
from filterd.config.scalars import Tier
from filterd.documents import DocumentModel, did_you_mean, refusal
from filterd.policy.log_levels import LEAST_K, LogLevel, QueryLog
from filterd.policy.reporting_settings import (
    TERMS,
    TOKEN,
    AlertSettings,
    MailSettings,
    PeriodKind,
    Programme,
    ReportSchedule,
    ReportSettings,
    SchoolTerm,
    WebhookSettings,
)
from filterd.texts.i18n import say
from filterd.wire import name as names

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.errors import Problems
    from filterd.config.site_schema import SiteFile
    from filterd.documents import Document


_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9.-]{1,253})", re.ASCII)
_URL = re.compile(r"https?://[^\s/?#@\\{}]+(/[!-~]{0,1000})?", re.ASCII)


def _host(text: str) -> str:
    try:
        names.from_text(text)
    except NameTextError:
        if not is_address(text):
            raise refusal(say("'{text}' is not a host", text=text[:80])) from None
    return text


def _mail_address(text: str) -> str:
    if _ADDRESS.fullmatch(text) is None:
        raise refusal(
            say("'{text}' is not a mail address", text=text[:80]), say("such as it@truong.edu.vn")
        )
    return text


def _webhook_address(text: str) -> str:
    """Return an https address; http only of an address literal that is not public."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", 0
    if not host or port == 0 or _URL.fullmatch(text) is None or parts.fragment:
        raise refusal(
            say("'{text}' is not an address of a webhook", text=text[:80]),
            say("write https://HOST/PATH, without a name or password"),
        )
    is_private = is_address(host) and not is_public(ip_address(host))
    if parts.scheme != "https" and not is_private:
        raise refusal(
            say("a webhook outside the school needs https"),
            say("http is for a private address only"),
        )
    return text


MailAddress = Annotated[str, AfterValidator(_mail_address)]
SecretFile = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]


class MailEntry(DocumentModel):
    """A mail server that takes alerts, by TLS or STARTTLS only."""

    server: Annotated[str, AfterValidator(_host)] = Field(
        description="Its name or address, as in its certificate."
    )
    port: Annotated[int, Field(ge=1, le=65535)] = Field(
        587, description="Its port: 465 is TLS, any other one STARTTLS."
    )
    from_: MailAddress = Field(alias="from", description="The sender's address.")
    to: tuple[MailAddress, ...] = Field(
        min_length=1, max_length=10, description="The addresses that get the alerts."
    )
    user: str = Field("", max_length=254, description="The user of the server, if it wants one.")
    password_file: SecretFile | None = Field(
        None, description="The file in secrets/ beside site.yaml that has the password."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> MailEntry:
        if bool(self.user) is (self.password_file is None):
            raise refusal(say("user and password_file belong together"))
        return self


class WebhookEntry(DocumentModel):
    """An address that alerts are posted to, as JSON."""

    url: Annotated[str, AfterValidator(_webhook_address)] = Field(
        description="Its https address; {token} stands for the token."
    )
    token_file: SecretFile | None = Field(
        None, description="The file in secrets/ beside site.yaml that has the token."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> WebhookEntry:
        if TOKEN in self.url and self.token_file is None:
            raise refusal(say("the token has no file"), say("add token_file:"))
        return self


class AlertsEntry(DocumentModel):
    """Where alerts go, beside the journal and ``filterd status``."""

    mail: MailEntry | None = Field(None, description="Send them by mail.")
    webhook: WebhookEntry | None = Field(None, description="Post them to a web service.")
    language: Literal["vi", "en"] | None = Field(
        None, description="The language of alerts; that of the site if left out."
    )


def compile_alerts(site: SiteFile) -> AlertSettings | None:
    """Return where alerts go; None where the site names nothing."""
    entry = site.alerts
    if entry is None:
        return None
    return AlertSettings(
        school=site.school.name,
        time_zone=site.time_zone,
        language=entry.language or site.language,
        mail=None if entry.mail is None else _mail(entry.mail),
        webhook=None if entry.webhook is None else _webhook(entry.webhook),
    )


def _mail(entry: MailEntry) -> MailSettings:
    own = entry.user, entry.password_file or ""
    return MailSettings(entry.server, entry.port, entry.from_, entry.to, *own)


def _webhook(entry: WebhookEntry) -> WebhookSettings:
    return WebhookSettings(entry.url, entry.token_file or "")


_IN_FILES = tuple(one.value for one in LogLevel if one is not LogLevel.FULL)


def _level(value: Any) -> str:
    if value == LogLevel.FULL:
        raise refusal(
            say("'full' is set by command only, for 7 days at most"),
            say("filterd log level full --tier TIER --for 3d --reason REASON"),
        )
    if value not in _IN_FILES:
        raise refusal(
            say("'{value}' is not known", value=value), did_you_mean(str(value), _IN_FILES)
        )
    return str(value)


Level = Annotated[str, PlainValidator(_level), WithJsonSchema({"enum": list(_IN_FILES)})]


class LogEntry(DocumentModel):
    """The record of lookups."""

    level: Level = Field(
        "counts",
        description="off: nothing; counts: totals by hour; names: also names by tier and day;"
        " blocked: also each blocked lookup. No level has an address.",
    )
    tiers: dict[Tier, Level] = Field(
        default_factory=dict, description="Tiers with another level than the others."
    )
    keep_days: Annotated[int, Field(ge=1, le=90)] = Field(
        30, description="The school days for which names and lookups are kept."
    )
    keep_totals_days: Annotated[int, Field(ge=31, le=800)] = Field(
        400, description="The days for which totals are kept."
    )
    least_devices: Annotated[int, Field(ge=LEAST_K, le=50)] = Field(
        LEAST_K,
        description="The least number of devices behind an allowed name that is kept at names,"
        " and behind a number that leaves the school.",
    )


def compile_log(entry: LogEntry) -> QueryLog:
    """Return the options of the query log."""
    return QueryLog(
        LogLevel(entry.level),
        {tier: LogLevel(level) for tier, level in entry.tiers.items()},
        entry.keep_days,
        entry.keep_totals_days,
        entry.least_devices,
    )


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
    programmes = sorted(entry.programmes, key=lambda programme: programme.from_)
    terms = tuple(SchoolTerm(id_, *text.split("..")) for id_, text in entry.terms.items())
    return ReportSettings(
        code=site.school.code,
        superior=entry.superior,
        place=entry.place,
        symbol=entry.symbol,
        programmes=tuple(
            Programme(programme.name, programme.from_, programme.receiver, programme.legal_bases)
            for programme in programmes
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
