# SPDX-License-Identifier: Apache-2.0
"""Build the built-in Word template: paragraphs, tables and their tags.

It is a file as a Department would make it in Word: styles of ``administrative_styles``, and
tags of docxtpl for what a report fills in. A report without a template of its own is drawn
with it; ``filterd report --new-template`` writes it, to be changed in Word.
"""

from __future__ import annotations

import functools
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.oxml.parser import OxmlElement
from docx.shared import Mm, Pt, RGBColor

from filterd.reports.administrative_styles import (
    FONT,
    FOOT_COLUMNS,
    HEAD_COLUMNS,
    ISSUER_RULE,
    MOTTO_RULES,
    PAGE,
    SIGNATURE_SPACE,
    STYLES,
    SUBJECT_RULE,
    AdministrativeStyle,
)
from filterd.texts.i18n import Texts, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from docx.oxml.xmlchemy import BaseOxmlElement
    from docx.styles.style import ParagraphStyle
    from docx.table import Table, _Cell, _Row
    from docx.text.paragraph import Paragraph

    from filterd.texts.i18n import Language

_ALIGNMENTS = {
    "left": WD_ALIGN_PARAGRAPH.LEFT,
    "center": WD_ALIGN_PARAGRAPH.CENTER,
    "right": WD_ALIGN_PARAGRAPH.RIGHT,
    "both": WD_ALIGN_PARAGRAPH.JUSTIFY,
}
_KEPT_STYLES = {"Normal", "DefaultParagraphFont", "TableNormal", "NoList", "TableGrid"}
_DROPPED_PARTS = ("/stylesWithEffects", "/thumbnail", "/customXml", "/webSettings", "/numbering")
"""Of python-docx's own template, which it starts from: a report needs none of them."""


@functools.cache
def built_in_template(language: Language = "vi") -> bytes:
    """Return the built-in template as the octets of a Word file.

    Args:
        language: of the national title and the other fixed words.
    """
    octets = io.BytesIO()
    _TemplateWriter(Texts(language)).document.save(octets)
    return octets.getvalue()


class _TemplateWriter:
    """Write the template from top to bottom."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self.document = Document()
        self._clear()
        for style in STYLES.values():
            self._add_style(style)
        self._set_page()
        self._if("issuer", self._head)
        self._title()
        self._for("section", "sections", self._section)
        self._for("note", "notes", self._note)
        self._if("post or signer or recipients", self._foot)

    def _clear(self) -> None:
        """Leave of python-docx's template what a report needs, and no trace of its maker."""
        package, part = self.document.part.package, self.document.part
        for owner in (package, part):
            for key, relation in list(owner.rels.items()):
                if relation.reltype.endswith(_DROPPED_PARTS):
                    del owner.rels[key]
        element = self.document.styles.element
        for style in element.findall(qn("w:style")):
            if style.get(qn("w:styleId")) not in _KEPT_STYLES:
                element.remove(style)
        about = self.document.core_properties
        about.author = about.last_modified_by = about.comments = ""
        about.created = about.modified = datetime(2026, 1, 1, tzinfo=UTC)

    def _add_style(self, style: AdministrativeStyle) -> None:
        made: ParagraphStyle = self.document.styles.add_style(
            self._texts(style.name), WD_STYLE_TYPE.PARAGRAPH
        )
        made.element.set(qn("w:styleId"), style.id)
        made.base_style, made.quick_style = self.document.styles["Normal"], True
        font, layout = made.font, made.paragraph_format
        font.size, font.bold, font.italic = Pt(style.size), style.is_bold, style.is_italic
        font.all_caps = style.is_capitals
        layout.alignment = _ALIGNMENTS[style.alignment]
        layout.first_line_indent = Mm(style.first_line)
        layout.space_before, layout.space_after = Pt(style.before), Pt(style.after)
        layout.line_spacing, layout.keep_with_next = style.spacing, style.stays_with_next
        layout.widow_control = True
        if style.is_aside:
            layout.left_indent = Mm(4)
            _add_border(made.element.get_or_add_pPr(), "left", space=6)

    def _set_page(self) -> None:
        normal: ParagraphStyle = self.document.styles["Normal"]
        normal.font.name, normal.font.size = FONT, Pt(STYLES["Body"].size)
        normal.font.color.rgb = RGBColor(0, 0, 0)
        fonts = normal.element.rPr.rFonts
        for script in ("w:cs", "w:eastAsia"):
            fonts.set(qn(script), FONT)
        section = self.document.sections[0]
        section.page_width, section.page_height = Mm(PAGE.width), Mm(PAGE.height)
        section.top_margin, section.bottom_margin = Mm(PAGE.top), Mm(PAGE.bottom)
        section.left_margin, section.right_margin = Mm(PAGE.left), Mm(PAGE.right)
        section.header_distance = section.footer_distance = Mm(PAGE.page_number)
        section.different_first_page_header_footer = True
        section.first_page_header.paragraphs[0].style = self._style("PageNumber")
        number = section.header.paragraphs[0]
        number.style = self._style("PageNumber")
        field = OxmlElement("w:fldSimple")
        field.set(qn("w:instr"), "PAGE")
        _element(number).append(field)

    def _style(self, id_: str) -> ParagraphStyle:
        style: ParagraphStyle = self.document.styles[self._texts(STYLES[id_].name)]
        return style

    def _paragraph(self, style: str, text: str = "", into: _Cell | None = None) -> Paragraph:
        return (into or self.document).add_paragraph(text, self._style(style))

    def _tag(self, text: str, into: _Cell | None = None) -> None:
        """Add a paragraph that has a tag only, and is not in the report."""
        self._paragraph("Body", "{%p " + text + " %}", into)

    def _for(self, name: str, of: str, write: Callable[[], object]) -> None:
        self._tag(f"for {name} in {of}")
        write()
        self._tag("endfor")

    def _if(self, condition: str, write: Callable[[], object]) -> None:
        self._tag(f"if {condition}")
        write()
        self._tag("endif")

    def _head(self) -> None:
        left, right = self._columns(HEAD_COLUMNS)
        self._tag("if superior", left)
        self._paragraph("Superior", "{{ superior }}", left)
        self._tag("endif", left)
        self._paragraph("Issuer", "{{ issuer }}", left)
        self._rule(ISSUER_RULE, HEAD_COLUMNS[0], left)
        self._paragraph("Number", "{{ number }}", left)
        self._paragraph("Nation", self._texts(say("SOCIALIST REPUBLIC OF VIET NAM")), right)
        self._paragraph("Motto", self._texts(say("Independence - Freedom - Happiness")), right)
        self._rule(MOTTO_RULES[self._texts.language], HEAD_COLUMNS[1], right)
        self._paragraph("PlaceDate", "{{ place_and_date }}", right)

    def _title(self) -> None:
        self._paragraph("DocumentTitle", "{{ title }}")
        self._paragraph("Subject", "{{ subject }}")
        self._rule(SUBJECT_RULE, PAGE.text_width)
        self._for("basis", "legal_bases", lambda: self._paragraph("LegalBasis", "{{ basis }}"))
        receiver = self._texts(say("To: {whom}"), whom="{{ receiver }}")
        self._if("receiver", lambda: self._paragraph("Receiver", receiver))

    def _section(self) -> None:
        self._paragraph("SectionTitle", "{{ section.number }}. {{ section.title }}")
        self._tag("for part in section.parts")
        self._tag('if part.kind == "paragraph"')
        self._paragraph("Body", "{{ part.text }}")
        self._tag('elif part.kind == "notice"')
        self._paragraph("Notice", "{{ part.text }}")
        self._tag('elif part.kind == "figures"')
        self._for(
            "figure",
            "part.figures",
            lambda: self._paragraph("Body", "- {{ figure.label }}: {{ figure.value }}"),
        )
        self._tag('elif part.kind == "answer"')
        question = self._paragraph("Body", "{{ part.question }}: ")
        question.add_run("{{ part.answer }}")  # alone, so that nothing else is marked with it
        self._tag('elif part.kind == "table"')
        self._report_table()
        self._tag('elif part.kind == "code"')
        self._paragraph("Picture", "{{ part.picture }}")
        self._paragraph("Picture", "{{ part.caption }}")
        self._tag("endif")
        self._tag("endfor")

    def _note(self) -> None:
        """Add a note; the signature never stands alone on a page."""
        self._paragraph("TableNote", "{{ note }}").paragraph_format.keep_with_next = True

    def _report_table(self) -> None:
        """Add a table whose rows and columns are loops; its heading is on each page."""
        self._paragraph("TableTitle", "{{ part.title }}")
        columns, end = ("", "{%tc for column in part.columns %}"), ("", "{%tc endfor %}")
        numbers = ("", "{%tc if column.is_number %}")
        value = "{{ row[loop.index0] }}"
        cells = (numbers, ("TableNumber", value), ("", "{%tc else %}"), ("TableText", value))
        row = (columns, *cells, ("", "{%tc endif %}"), end)
        total = tuple((style, text.replace("row[", "part.total[")) for style, text in row)
        table = self.document.add_table(0, len(row))
        table.style = self.document.styles["Table Grid"]
        table.alignment = WD_TABLE_ALIGNMENT.CENTER
        head = self._row(table, (columns, ("TableHead", "{{ column.heading }}"), end))
        _element(head).get_or_add_trPr().append(OxmlElement("w:tblHeader"))
        self._row(table, (("", "{%tr for row in part.rows %}"),))
        self._row(table, row)
        self._row(table, (("", "{%tr endfor %}"),))
        self._row(table, (("", "{%tr if part.total %}"),))
        for cell in self._row(table, total).cells:
            for run in cell.paragraphs[0].runs:
                run.bold = True
        self._row(table, (("", "{%tr endif %}"),))
        self._paragraph("TableNote", "{{ part.note }}")  # without a note it is the space beneath

    def _row(self, table: Table, cells: tuple[tuple[str, str], ...]) -> _Row:
        """Add a row of cells, each of a style and a text; it is never cut by a page's end."""
        row: _Row = table.add_row()  # type: ignore[no-untyped-call]
        _element(row).get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        for surplus in row.cells[len(cells) :]:
            _element(row).remove(_element(surplus))
        for cell, (style, text) in zip(row.cells, cells, strict=False):
            cell.paragraphs[0].style = self._style(style or "TableText")
            cell.paragraphs[0].add_run(text)
        return row

    def _foot(self) -> None:
        left, right = self._columns(FOOT_COLUMNS)
        self._tag("if recipients", left)
        self._paragraph("RecipientsTitle", self._texts(say("Recipients:")), left)
        self._tag("for recipient in recipients", left)
        self._paragraph("Recipients", "- {{ recipient }}", left)
        self._tag("endfor", left)
        self._tag("endif", left)
        for field in ("capacity", "post"):
            self._tag(f"if {field}", right)
            self._paragraph("Capacity", "{{ " + field + " }}", right)
            self._tag("endif", right)
        signer = self._paragraph("Signer", "{{ signer }}", right)
        signer.paragraph_format.space_before = Mm(SIGNATURE_SPACE)

    def _columns(self, widths: tuple[int, int]) -> tuple[_Cell, _Cell]:
        """Add a table without borders, of one row that stays on one page."""
        table = self.document.add_table(1, len(widths))
        table.style, table.autofit = self.document.styles["Normal Table"], False
        _element(table.rows[0]).get_or_add_trPr().append(OxmlElement("w:cantSplit"))
        for cell, column, width in zip(table.rows[0].cells, table.columns, widths, strict=True):
            cell.width = column.width = Mm(width)
            _element(cell).remove(_element(cell.paragraphs[0]))
        margins = OxmlElement("w:tblCellMar")
        for side in ("left", "right"):
            margin = OxmlElement(f"w:{side}")
            margin.set(qn("w:w"), "0")
            margin.set(qn("w:type"), "dxa")
            margins.append(margin)
        _element(table).tblPr.insert_element_before(margins, "w:tblLook")
        left, right = table.rows[0].cells
        return left, right

    def _rule(self, length: float, within: float, into: _Cell | None = None) -> None:
        """Draw a line of a length in the middle: the border of a paragraph without text."""
        rule = self._paragraph("TableText", "", into)
        layout = rule.paragraph_format
        layout.left_indent = layout.right_indent = Mm((within - length) / 2)
        layout.line_spacing, layout.space_before = Pt(3), Pt(3)
        _add_border(_element(rule).get_or_add_pPr(), "top")


def _add_border(properties: BaseOxmlElement, side: str, *, space: int = 1) -> None:
    """Add a border to a paragraph or style: half a point, black."""
    borders, border = OxmlElement("w:pBdr"), OxmlElement(f"w:{side}")
    for key, value in (("val", "single"), ("sz", "6"), ("space", str(space)), ("color", "000000")):
        border.set(qn(f"w:{key}"), value)
    borders.append(border)
    properties.insert_element_before(
        borders, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:spacing", "w:ind", "w:jc", "w:rPr"
    )


def _element(part: Paragraph | Table | _Row | _Cell) -> BaseOxmlElement:
    """Return the XML of a part of the document, for what python-docx has no methods."""
    element: BaseOxmlElement = part._element  # noqa: SLF001 -- see above
    return element
