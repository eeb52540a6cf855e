# SPDX-License-Identifier: Apache-2.0
"""THE list of formats: each draws a ``ReportDocument`` as one file.

A new format is a module with ``write(document, facts, template) -> bytes`` and a line here.
The module is imported in the child process only.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from filterd.reports.report_document import ReportDocument
    from filterd.reports.report_facts import ReportFacts


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
