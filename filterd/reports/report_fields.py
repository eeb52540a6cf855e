# SPDX-License-Identifier: Apache-2.0
"""The fields of a report that a Word template may print, and their explanation.

Fields of the top have a name: ``{{ school }}``. Figures, answers, tables and codes have the
ids of the report, with ``_`` for ``-``: ``{{ figures.days_in_service }}``. A list is repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.operations.report_questions import to_fill_in
from filterd.reports.report_document import (
    BarChart,
    Blank,
    Code,
    Figures,
    Paragraph,
    ReportTable,
)
from filterd.reports.report_period import period_of, short_date
from filterd.reports.template_sandbox import TemplateFields
from filterd.texts.i18n import Texts, say
from filterd.texts.rows import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from filterd.reports.report_document import Part, ReportDocument
    from filterd.reports.report_facts import ReportFacts
    from filterd.reports.template_sandbox import TemplateValues
    from filterd.texts.i18n import Sentence

_EXPLAINED: dict[str, Sentence] = {
    "title": say("Title of the document"),
    "subject": say("Subject"),
    "school": say("Name of the school"),
    "code": say("Code of the school"),
    "period": say("Period of the report"),
    "first": say("First day of the period"),
    "last": say("Last day of the period"),
    "superior": say("Superior body"),
    "issuer": say("Issuing body"),
    "number": say("Number and symbol"),
    "place_and_date": say("Place and date"),
    "receiver": say("Receiver"),
    "capacity": say("Capacity of the signer"),
    "post": say("Post of the signer"),
    "signer": say("Name of the signer"),
}
"""Texts of the top."""

_LISTS: dict[str, tuple[str, Sentence]] = {
    "legal_bases": ("{%p for basis in legal_bases %}", say("Legal basis")),
    "recipients": ("{%p for recipient in recipients %}", say("Recipients")),
    "warnings": (
        "{%p for warning in warnings %}",
        say("What limits the figures, such as gaps in service"),
    ),
    "notes": ("{%p for note in notes %}", say("Notes at the end")),
    "sections": ("{%p for section in sections %}", say("All sections, as the built-in template")),
}

COLUMNS = (
    Column(say("In the template"), "field"),
    Column(say("Meaning"), "meaning"),
)
"""Of ``field_rows``."""


def field_rows(document: ReportDocument, texts: Texts) -> list[dict[str, str]]:
    """Return what a template may use for this report: ``field`` and ``meaning``."""
    found = [("{{ " + name + " }}", texts(meaning)) for name, meaning in _EXPLAINED.items()]
    found += [(tag, texts(meaning)) for tag, meaning in _LISTS.values()]
    for part in (*document.head_blanks, *document.parts()):
        key = _key(part.id)
        match part:
            case Figures():
                found += [
                    ("{{ figures." + _key(figure.id) + " }}", figure.label)
                    for figure in part.figures
                ]
            case Blank():
                found.append(("{{ answers." + key + " }}", part.question))
            case Paragraph():
                found.append(("{{ texts." + key + " }}", part.text))
            case ReportTable():
                columns = ", ".join(
                    f"row[{at}] {column.heading}" for at, column in enumerate(part.columns)
                )
                found.append(
                    ("{%tr for row in tables." + key + ".rows %}", f"{part.title}: {columns}")
                )
            case Code():
                found.append(("{{ codes." + key + " }}", part.caption))
            case BarChart():
                pass  # its figures are in a table, too
    return [{"field": field, "meaning": meaning} for field, meaning in found]


def fields_of(
    document: ReportDocument,
    facts: ReportFacts,
    values: TemplateValues,
    picture: Callable[[str], Any],
) -> dict[str, Any]:
    """Return all fields of a report, by the names of the top.

    Args:
        document: the report.
        facts: it was made of.
        values: makes the values.
        picture: draws a text as a QR code.
    """
    text, texts = values.text, Texts(document.language)
    parts = (*document.head_blanks, *document.parts())
    figures = [one for part in parts if isinstance(part, Figures) for one in part.figures]
    made = _Parts(values, texts, picture)
    sections = [
        TemplateFields(
            "section",
            {
                "number": values.cell(number),
                "title": text(section.title),
                "parts": values.rows([made.of(part) for part in section.parts]),
            },
        )
        for number, section in enumerate(document.sections, 1)
    ]
    return {
        **{name: text(value) for name, value in _words(document, facts, texts).items()},
        "legal_bases": values.rows([text(base) for base in document.legal_bases]),
        "recipients": values.rows([text(recipient) for recipient in document.recipients]),
        "warnings": values.rows([text(warning) for warning in document.warnings()]),
        "notes": values.rows([text(note) for note in document.notes]),
        "figures": _named(
            "figures", ((figure.id, values.cell(figure.value)) for figure in figures)
        ),
        "answers": _named("answers", made.those_of(parts, Blank, "answer")),
        "texts": _named("texts", made.those_of(parts, Paragraph, "text")),
        "tables": _named("tables", made.those_of(parts, ReportTable)),
        "codes": _named("codes", made.those_of(parts, Code, "picture")),
        "sections": values.rows(sections),
    }


def _words(document: ReportDocument, facts: ReportFacts, texts: Texts) -> dict[str, str]:
    """Return the fields that are a text each: those of head, title and signature."""
    head, signature = document.head, document.signature
    return {
        "title": document.title,
        "subject": document.subject,
        "school": facts.school.name,
        "code": facts.settings.code,
        "period": period_of(facts, texts),
        "first": short_date(facts.first),
        "last": short_date(facts.last),
        "superior": head.superior if head else "",
        "issuer": head.issuer if head else "",
        "number": head.number if head else "",
        "place_and_date": head.place_and_date if head else "",
        "receiver": document.receiver,
        "capacity": signature.capacity if signature else "",
        "post": signature.post if signature else "",
        "signer": signature.name if signature else "",
    }


class _Parts:
    """Make the fields of parts."""

    def __init__(self, values: TemplateValues, texts: Texts, picture: Callable[[str], Any]) -> None:
        self._values, self._texts, self._picture = values, texts, picture

    def those_of(
        self, parts: tuple[Part, ...], kind: type[Part], field: str = ""
    ) -> Iterable[tuple[str, Any]]:
        """Yield the ids and fields of the parts of a kind, or one field of each."""
        for part in parts:
            if isinstance(part, kind):
                fields = self.of(part)
                yield part.id, fields.values[field] if field else fields

    def of(self, part: Part) -> TemplateFields:
        """Return the fields of a part; ``kind`` chooses how a template draws it."""
        text, rows, cell = self._values.text, self._values.rows, self._values.cell
        fields: dict[str, Any]
        match part:
            case Paragraph():
                fields = {
                    "kind": "notice" if part.is_warning else "paragraph",
                    "text": text(part.text),
                }
            case Figures():
                shown = [
                    TemplateFields(
                        "figure", {"label": text(figure.label), "value": cell(figure.value)}
                    )
                    for figure in part.figures
                ]
                fields = {"kind": "figures", "figures": rows(shown)}
            case Blank():
                answer = part.answer or to_fill_in(part.question, self._texts)
                fields = {
                    "kind": "answer",
                    "question": text(part.question),
                    "answer": text(answer),
                }
            case ReportTable():
                columns = [
                    TemplateFields(
                        "column", {"heading": text(column.heading), "is_number": column.is_number}
                    )
                    for column in part.columns
                ]
                fields = {
                    "kind": "table",
                    "title": text(part.title),
                    "columns": rows(columns),
                    "rows": rows([rows([cell(one) for one in row]) for row in part.rows]),
                    "total": rows([cell(one) for one in part.total]),
                    "note": text(part.note),
                }
            case Code():
                fields = {
                    "kind": "code",
                    "picture": self._picture(part.content),
                    "caption": text(part.caption),
                }
            case BarChart():
                fields = {"kind": "chart"}
        return TemplateFields("part", fields)


def _named(path: str, pairs: Iterable[tuple[str, Any]]) -> TemplateFields:
    return TemplateFields(path, {_key(name): value for name, value in pairs})


def _key(id_: str) -> str:
    return id_.replace("-", "_").replace(".", "_")
