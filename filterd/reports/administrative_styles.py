# SPDX-License-Identifier: Apache-2.0
"""Lay out administrative documents by Decree 30/2020/NĐ-CP, appendix I. Pure.

A decree that replaces it changes the figures here, and nothing else. Lengths are in
millimetres, sizes of letters and space between paragraphs in points. All letters are black.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from filterd.texts.i18n import say

if TYPE_CHECKING:
    from filterd.texts.i18n import Sentence

Alignment = Literal["left", "center", "right", "both"]

FONT = "Times New Roman"


class PageLayout(NamedTuple):
    """A4 upright, and its margins; ``page_number`` is measured from the upper edge."""

    width: float = 210
    height: float = 297
    top: float = 20
    bottom: float = 20
    left: float = 30
    right: float = 15
    page_number: float = 10

    @property
    def text_width(self) -> float:
        """The width between the margins."""
        return self.width - self.left - self.right

    @property
    def across_width(self) -> float:
        """The width between the margins of a page that is turned."""
        return self.height - self.left - self.right


PAGE = PageLayout()


class AdministrativeStyle(NamedTuple):
    """The look of one kind of paragraph.

    Attributes:
        id: in the template, and in this table.
        name: in Word's list of styles.
        size: of letters.
        alignment: ``both`` for justified.
        first_line: indent of the first line.
        before, after: space to the neighbours.
        spacing: of lines.
        stays_with_next: no page ends behind it.
        is_aside: marked by a line at its left.
    """

    id: str
    name: Sentence
    size: float
    alignment: Alignment
    is_bold: bool = False
    is_italic: bool = False
    is_capitals: bool = False
    first_line: float = 0
    before: float = 0
    after: float = 0
    spacing: float = 1
    stays_with_next: bool = False
    is_aside: bool = False


_FIRST_LINE = 12.7

STYLES = {
    one.id: one
    for one in (
        AdministrativeStyle("Superior", say("Superior body"), 12, "center", is_capitals=True),
        AdministrativeStyle(
            "Issuer", say("Issuing body"), 12, "center", is_bold=True, is_capitals=True
        ),
        AdministrativeStyle(
            "Nation", say("National title"), 12, "center", is_bold=True, is_capitals=True
        ),
        AdministrativeStyle("Motto", say("National motto"), 13, "center", is_bold=True),
        AdministrativeStyle("Number", say("Number and symbol"), 13, "center", before=6),
        AdministrativeStyle(
            "PlaceDate", say("Place and date"), 13, "center", is_italic=True, before=6
        ),
        AdministrativeStyle(
            "DocumentTitle",
            say("Title of the document"),
            14,
            "center",
            is_bold=True,
            is_capitals=True,
            before=18,
        ),
        AdministrativeStyle("Subject", say("Subject"), 14, "center", is_bold=True),
        AdministrativeStyle(
            "LegalBasis",
            say("Legal basis"),
            14,
            "both",
            is_italic=True,
            first_line=_FIRST_LINE,
            before=6,
        ),
        AdministrativeStyle("Receiver", say("Receiver"), 14, "center", before=6, after=6),
        AdministrativeStyle(
            "SectionTitle",
            say("Section title"),
            14,
            "both",
            is_bold=True,
            first_line=_FIRST_LINE,
            before=12,
            after=6,
            stays_with_next=True,
        ),
        AdministrativeStyle(
            "Body", say("Text"), 14, "both", first_line=_FIRST_LINE, after=6, spacing=1.1
        ),
        AdministrativeStyle(
            "Notice", say("Notice"), 13, "both", is_italic=True, after=6, is_aside=True
        ),
        AdministrativeStyle(
            "TableTitle",
            say("Table title"),
            13,
            "center",
            is_bold=True,
            before=6,
            after=6,
            stays_with_next=True,
        ),
        AdministrativeStyle("TableHead", say("Table heading"), 12, "center", is_bold=True),
        AdministrativeStyle("TableText", say("Table text"), 12, "left"),
        AdministrativeStyle("TableNumber", say("Table number"), 12, "right"),
        AdministrativeStyle("TableNote", say("Table note"), 11, "both", is_italic=True, after=6),
        AdministrativeStyle("Picture", say("Picture"), 12, "center", before=6, after=6),
        AdministrativeStyle(
            "RecipientsTitle",
            say("Heading of the recipients"),
            12,
            "left",
            is_bold=True,
            is_italic=True,
        ),
        AdministrativeStyle("Recipients", say("Recipients"), 11, "left"),
        AdministrativeStyle(
            "Capacity", say("Capacity and post"), 14, "center", is_bold=True, is_capitals=True
        ),
        AdministrativeStyle("Signer", say("Name of the signer"), 14, "center", is_bold=True),
        AdministrativeStyle("PageNumber", say("Page number"), 14, "center"),
    )
}
"""All styles by their ids."""

HEAD_COLUMNS = (63, 102)
"""Widths of the two columns of the head; a long place and its date fit into one line."""
FOOT_COLUMNS = (82, 83)
"""Widths of the recipients and of the signature."""
SIGNATURE_SPACE = 28
"""Between the post and the name, for the signature and the stamp."""

ISSUER_RULE, SUBJECT_RULE = 24, 60
"""Lengths of the drawn lines beneath: a third to a half of the text."""
MOTTO_RULES = {"vi": 56, "en": 73}
"""As long as the motto."""

WIDE_TABLE_SIZES = 10, 9, 8
"""Of the letters in a table that is too wide for an upright page: the largest that fits."""
CELL_MARGINS = 4
"""At both sides of the text of a cell, together."""

CODE_WIDTH = 35
"""Of a QR code."""
