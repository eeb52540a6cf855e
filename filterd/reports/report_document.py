# SPDX-License-Identifier: Apache-2.0
"""A report as data: what each format draws, in one language. Pure.

All texts are final, in the language of the report. Numbers are numbers; a cell of None is
left out because of too few devices, and each format shows it as ``LEFT_OUT``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from filterd.base.value_class import frozen

if TYPE_CHECKING:
    from filterd.texts.i18n import Language

Cell: TypeAlias = str | int | float | None

LEFT_OUT = "(*)"
"""In the place of a figure that too few devices are behind; a note explains it."""


BY_HAND = "........"
"""In the place of what is written by hand."""


def cell_text(cell: Cell, language: str) -> str:
    """Return a cell as text: digits in groups of three, as the language writes them.

    Args:
        cell: a text stays as it is; None is ``LEFT_OUT``.
        language: ``vi`` writes 1.234,5; ``en`` 1,234.5.
    """
    if cell is None:
        return LEFT_OUT
    if isinstance(cell, str):
        return cell
    text = f"{cell:,}"
    return text.translate(_SWAPPED) if language == "vi" else text


_SWAPPED = str.maketrans(",.", ".,")


@frozen
class Paragraph:
    """A paragraph; ``is_warning`` for gaps, left-out cells and the like."""

    id: str
    text: str
    is_warning: bool = False


@frozen
class Figure:
    """One fact with a label, such as the days in service."""

    id: str
    label: str
    value: Cell


@frozen
class Figures:
    """Facts beneath each other."""

    id: str
    figures: tuple[Figure, ...]


@frozen
class TableColumn:
    """A column; ``is_number`` for integers, which stand at the right."""

    heading: str
    is_number: bool = False


@frozen
class ReportTable:
    """A table; ``total`` is its last line, empty for none, and the sum of the others."""

    id: str
    title: str
    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()
    note: str = ""


@frozen
class Blank:
    """A question to a person; ``answer`` is empty where there is none."""

    id: str
    question: str
    answer: str = ""


@frozen
class BarSeries:
    """One kind of thing that bars count; ``look`` names its colour and pattern."""

    title: str
    look: str


@frozen
class BarChart:
    """A chart of stacked bars: a label, a count a series, None if left out."""

    id: str
    title: str
    heading: str
    series: tuple[BarSeries, ...]
    bars: tuple[tuple[str, tuple[int | None, ...]], ...]


@frozen
class Code:
    """A text as QR code, with the text that stands beneath."""

    id: str
    content: str
    caption: str


Part: TypeAlias = Paragraph | Figures | ReportTable | Blank | BarChart | Code


@frozen
class Section:
    """A numbered section."""

    id: str
    title: str
    parts: tuple[Part, ...]


@frozen
class Letterhead:
    """The head of an administrative document (Decree 30/2020, appendix I).

    ``superior`` may be empty; ``number`` is with its symbol, as ``Số: 12/BC-THCS``. Names of
    bodies are in capitals.
    """

    superior: str
    issuer: str
    number: str
    place_and_date: str


@frozen
class Signature:
    """The foot: capacity (may be empty) and post, in capitals; name."""

    capacity: str
    post: str
    name: str


@frozen
class ReportDocument:
    """A whole report.

    Attributes:
        language: ``vi`` or ``en``.
        title: such as BÁO CÁO.
        subject: beneath the title.
        head: None for a page that is no administrative document, such as that for parents.
        legal_bases: in italics beneath the subject, each with its ``;`` or ``.``.
        receiver: of "Kính gửi", empty for none.
        sections: in order; formats number them.
        recipients: of "Nơi nhận".
        signature: None for none.
        notes: at the end, such as the meaning of ``LEFT_OUT``.
        head_blanks: questions about the head, such as the number of the document.
    """

    language: Language
    title: str
    subject: str
    sections: tuple[Section, ...]
    head: Letterhead | None = None
    legal_bases: tuple[str, ...] = ()
    receiver: str = ""
    recipients: tuple[str, ...] = ()
    signature: Signature | None = None
    notes: tuple[str, ...] = ()
    head_blanks: tuple[Blank, ...] = ()

    def parts(self) -> tuple[Part, ...]:
        """Return the parts of all sections, in order."""
        return tuple(part for section in self.sections for part in section.parts)

    def blanks(self) -> tuple[Blank, ...]:
        """Return the questions without an answer."""
        asked = (*self.head_blanks, *self.parts())
        return tuple(one for one in asked if isinstance(one, Blank) and not one.answer)

    def warnings(self) -> tuple[str, ...]:
        """Return the texts of warnings."""
        found = (part for part in self.parts() if isinstance(part, Paragraph) and part.is_warning)
        return tuple(one.text for one in found)
