# SPDX-License-Identifier: Apache-2.0
"""Draw a document of ``filterd.reports`` in the terminal."""

from __future__ import annotations

from rich.text import Text

from filterd.cli.context import Context
from filterd.cli.render import facts, grid
from filterd.reports.report_document import (
    Code,
    Figures,
    Paragraph,
    Part,
    ReportDocument,
    ReportTable,
    cell_text,
)

_WARNING = "yellow"


def show_document(here: Context, document: ReportDocument) -> None:
    """Print all sections; charts and blanks are for paper only."""
    here.console.print(Text(f"{document.title}: {document.subject}", style="bold"))
    for section in document.sections:
        here.console.print()
        here.console.print(Text(section.title, style="bold"))
        for part in section.parts:
            _show(here, part, document.language)


def _show(here: Context, part: Part, language: str) -> None:
    match part:
        case Paragraph():
            here.console.print(Text(part.text, style=_WARNING if part.is_warning else ""))
        case Figures():
            rows = [(one.label, cell_text(one.value, language)) for one in part.figures]
            here.console.print(facts(rows))
        case ReportTable() if part.rows:
            table = grid(((one.heading, one.is_number) for one in part.columns), whole=True)
            for row in part.rows:
                table.add_row(*(Text(cell_text(one, language)) for one in row))
            here.console.print(Text(part.title, style="dim"))
            here.console.print(table)
        case Code():
            here.console.print(Text(part.content, style="dim"), soft_wrap=True)
        case _:
            pass
