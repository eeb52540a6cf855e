# SPDX-License-Identifier: Apache-2.0
"""Alerts and reports, as compiled from a site's files. Pure.

It has no secret. A secret is a file of ``secrets/`` beside ``site.yaml``, which only the
monitor and root read; here is its name.
"""

from __future__ import annotations

from enum import StrEnum

from filterd.base.value_class import frozen


@frozen
class MailSettings:
    """A mail server and the addresses of alerts.

    Port ``TLS_PORT`` is TLS from the first octet (RFC 8314), any other one STARTTLS.
    ``user`` and ``password_file`` are empty for a server that wants none.
    """

    server: str
    port: int
    sender: str
    to: tuple[str, ...]
    user: str = ""
    password_file: str = ""


TLS_PORT = 465


@frozen
class WebhookSettings:
    """An address that alerts are posted to.

    The token stands in the place of ``TOKEN`` in the address, else in the field Authorization.
    """

    url: str
    token_file: str = ""


TOKEN = "{token}"  # noqa: S105 -- its place, not the token


@frozen
class AlertSettings:
    """The ways of alerts, None for those not wanted, and how a message is written."""

    school: str
    time_zone: str
    language: str
    mail: MailSettings | None = None
    webhook: WebhookSettings | None = None


class PeriodKind(StrEnum):
    """A kind of period that a report covers; ``SPAN`` is any two dates."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TERM = "term"
    YEAR = "year"
    SPAN = "span"


class ReportAudience(StrEnum):
    """For whom a report is.

    * ``OUTSIDE``: authorities; tier x category x day and grade x category x month only.
    * ``INSIDE``: the school; grades, classes, distinct names of a day.
    * ``PARENTS``: what is filtered and what is stored; no figures of use.
    """

    OUTSIDE = "outside"
    INSIDE = "inside"
    PARENTS = "parents"


class ReportFileFormat(StrEnum):
    """A format of a report's file; ``reports.report_formats`` draws it."""

    HTML = "html"
    DOCX = "docx"
    XLSX = "xlsx"
    CSV = "csv"
    JSON = "json"


@frozen
class Programme:
    """The programme under which a school reports, from a day on.

    Attributes:
        name: as the report prints it.
        begins: ISO 8601; empty for always. The last one that has begun holds.
        receiver: to whom the report is addressed.
        legal_bases: each one line of the head, in order.
    """

    name: str
    begins: str = ""
    receiver: str = ""
    legal_bases: tuple[str, ...] = ()


@frozen
class SchoolTerm:
    """A term of the school year, from ``begins`` to ``ends``: ``MM-DD``.

    A term that ends before it begins goes over the turn of the year.
    """

    id: str
    begins: str
    ends: str


@frozen
class ReportSchedule:
    """A report that is made by itself, the day after each period.

    Attributes:
        every: the period; never ``SPAN``.
        formats: as ``filterd report --format`` has them.
        folder: where files are put; empty for nowhere.
        is_mailed: whether they are mailed to the addresses of ``alerts``.
    """

    every: PeriodKind
    formats: tuple[str, ...] = ("docx",)
    folder: str = ""
    is_mailed: bool = False


TERMS = (SchoolTerm("hoc-ky-1", "09-05", "01-15"), SchoolTerm("hoc-ky-2", "01-16", "05-31"))
"""Of a school that names none."""


@frozen
class ReportSettings:
    """The letterhead, programmes, terms and schedule of reports.

    Attributes:
        code: the ministry's code of the school.
        superior: the body above the school, in the letterhead.
        place: in the line of place and date.
        symbol: behind the number of a report, such as ``BC-THCS``.
        programmes: in the order of their begins; none: a person fills them in.
        recipients: the lines of "Nơi nhận".
        capacity, post, signer: of the signature; ``capacity`` as ``KT. HIỆU TRƯỞNG``.
        terms: of the school year.
        year_begins: ``MM-DD``.
        template: the absolute path of the school's or Department's own Word template; empty
            for the built-in one.
        schedules: reports that are made by themselves.
    """

    code: str = ""
    superior: str = ""
    place: str = ""
    symbol: str = "BC"
    programmes: tuple[Programme, ...] = ()
    recipients: tuple[str, ...] = ()
    capacity: str = ""
    post: str = ""
    signer: str = ""
    terms: tuple[SchoolTerm, ...] = TERMS
    year_begins: str = "01-01"
    template: str = ""
    schedules: tuple[ReportSchedule, ...] = ()

    def programmes_in(self, first: str, last: str) -> tuple[Programme, ...]:
        """Return the programmes that hold on a day of a period, in order.

        Args:
            first: its first day, ISO 8601.
            last: its last one.
        """
        begun = [programme for programme in self.programmes if programme.begins <= last]
        before = sum(one.begins <= first for one in begun)
        return tuple(begun[max(0, before - 1) :])


@frozen
class Destinations:
    """Where what leaves the school goes, as ``site.yaml`` itself says it.

    Attributes:
        school: its name.
        language: of the site, in which reports are written.
        alerts: their ways; None where the site names nothing.
        report: of reports; its schedules name the folders.
    """

    school: str
    language: str
    alerts: AlertSettings | None
    report: ReportSettings
