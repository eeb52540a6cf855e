# SPDX-License-Identifier: Apache-2.0
"""Draw a document of ``filterd.reports`` in the terminal.

A record that is verified comes from elsewhere, and so may texts in it that would move the
cursor or turn the direction of writing: they are shown by their codes.
"""

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
_SPACES = "\u00a0\u202f"
"""That no line breaks at; numbers have them."""


def show_document(here: Context, document: ReportDocument) -> None:
    """Print all sections; charts and blanks are for paper only."""
    here.console.print(_text(f"{document.title}: {document.subject}", "bold"))
    for section in document.sections:
        here.console.print()
        here.console.print(Text(section.title, style="bold"))
        for part in section.parts:
            _show(here, part, document.language)


def _show(here: Context, part: Part, language: str) -> None:
    match part:
        case Paragraph():
            here.console.print(_text(part.text, _WARNING if part.is_warning else ""))
        case Figures():
            rows = [(one.label, _text(cell_text(one.value, language))) for one in part.figures]
            here.console.print(facts(rows))
        case ReportTable() if part.rows:
            table = grid(((one.heading, one.is_number) for one in part.columns), whole=True)
            for row in part.rows:
                table.add_row(*(_text(cell_text(one, language)) for one in row))
            here.console.print(Text(part.title, style="dim"))
            here.console.print(table)
        case Code():
            here.console.print(_text(part.content, "dim"), soft_wrap=True)
        case _:
            pass


def _text(text: str, style: str = "") -> Text:
    shown = (one if one.isprintable() or one in _SPACES else ascii(one)[1:-1] for one in text)
    return Text("".join(shown), style=style)
