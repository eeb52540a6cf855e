# SPDX-License-Identifier: Apache-2.0
"""THE list of formats, and the names of files: each draws a ``ReportDocument``.

A new format is a module with ``write(document, facts, template) -> bytes`` and a line here.
The module is imported in the child process only.

Files are named by period, audience and scope: ``bao-cao-2026-11.docx``,
``report-inside-6A-2026-11-28.html``: ASCII without spaces, for mail servers, sticks and every
browser.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, Protocol

from filterd.policy.reporting_settings import PeriodKind, ReportAudience

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from filterd.reports.report_document import ReportDocument
    from filterd.reports.report_facts import ReportFacts
    from filterd.texts.i18n import Language


class Write(Protocol):
    """Draw a report as the octets of a file."""

    def __call__(
        self, document: ReportDocument, facts: ReportFacts, template: bytes | None
    ) -> bytes:
        """Return the file.

        Raises:
            ConfigError: the template is refused, or asks for a field that does not exist.
        """


class ReportFormat(NamedTuple):
    """A format: the module that writes it, and its media type."""

    id: str
    module: str
    media_type: str

    def writer(self) -> Write:
        """Return what writes it, importing its libraries."""
        write: Write = import_module(f"filterd.reports.{self.module}").write
        return write


_OOXML = "application/vnd.openxmlformats-officedocument"

FORMATS = {
    one.id: one
    for one in (
        ReportFormat("html", "html_report", "text/html; charset=utf-8"),
        ReportFormat("docx", "word_report", f"{_OOXML}.wordprocessingml.document"),
        ReportFormat("xlsx", "workbook", f"{_OOXML}.spreadsheetml.sheet"),
        ReportFormat("csv", "csv_report", "text/csv; charset=utf-8"),
        ReportFormat("json", "json_report", "application/json"),
    )
}
"""All formats by their ids."""


_WORDS = {
    "vi": ("bao-cao", {ReportAudience.INSIDE: "-noi-bo", ReportAudience.PARENTS: "-phu-huynh"}),
    "en": ("report", {ReportAudience.INSIDE: "-inside", ReportAudience.PARENTS: "-parents"}),
}
_FOREIGN = re.compile(r"[^A-Za-z0-9.-]+")


def file_name(facts: Mapping[str, Any], format_: str, language: Language) -> str:
    """Return the name of the file of a report.

    Args:
        facts: of ``ReportFacts.to_plain``; ``kind``, ``first``, ``last``, ``audience`` and
            ``scope`` count.
        format_: an id of ``report_formats.FORMATS``.
        language: of the report.
    """
    report, audiences = _WORDS[language]
    audience = audiences.get(ReportAudience(facts["audience"]), "")
    scope = _FOREIGN.sub("-", facts["scope"]).strip("-")
    return f"{report}{audience}{scope and '-'}{scope}-{_days(facts)}.{format_}"


def _days(facts: Mapping[str, Any]) -> str:
    first, last = str(facts["first"]), str(facts["last"])
    if facts["kind"] == PeriodKind.DAY:
        return last
    if facts["kind"] == PeriodKind.MONTH:
        return last[:7]
    if facts["kind"] == PeriodKind.YEAR:
        return last[:4] if first[:4] == last[:4] else f"{first[:4]}-{last[:4]}"
    return f"{first}_{last}"
