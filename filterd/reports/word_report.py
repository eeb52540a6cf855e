# SPDX-License-Identifier: Apache-2.0
"""Write a report as a Word file, by the built-in template or another one.

Both are filled in alike: checked (``template_check``), filled in within bounds
(``template_sandbox``), and the file that comes of it is opened again and compared. It must
name nothing outside that the template did not name, and have every value that a tag has
printed, in order. With the built-in template its tables are those of the report.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import segno
from docx.shared import Mm
from docxtpl import DocxTemplate, InlineImage
from lxml import etree

from filterd.base.errors import ConfigError, FilterdError, StoreError
from filterd.operations.report_questions import to_fill_in
from filterd.reports import template_check
from filterd.reports.administrative_styles import CODE_WIDTH
from filterd.reports.report_document import ReportTable, cell_text
from filterd.reports.report_fields import fields_of
from filterd.reports.table_layout import lay_out_tables, set_of_run
from filterd.reports.template_builder import built_in_template
from filterd.reports.template_sandbox import TemplateSandbox, TemplateValues
from filterd.reports.xml_element import WORD as _W
from filterd.reports.xml_element import text_of
from filterd.texts.i18n import Texts, say

if TYPE_CHECKING:
    from filterd.reports.report_document import ReportDocument
    from filterd.reports.report_facts import ReportFacts
    from filterd.reports.xml_element import XmlElement

_PARAGRAPH = re.compile(r"<w:p([ >])")
_SPACES = re.compile(r"\s+")


def write(document: ReportDocument, facts: ReportFacts, template: bytes | None = None) -> bytes:
    """Return the Word file.

    Raises:
        ConfigError: the template is refused, or a tag of it.
        StoreError: the file does not have what was written into it.
    """
    source = template_check.checked(template or built_in_template(document.language))
    try:
        word = _WordTemplate(document, facts, source.octets)
        octets = word.filled()
    except (FilterdError, MemoryError):
        raise
    except Exception as error:
        if template is None:
            raise
        # python-docx raises what comes up where parts of a file do not fit together.
        hint = say("save it in Word as .docx again")
        raise ConfigError(say("this is not a Word file"), hint=hint) from error
    made = template_check.reopened(octets)
    if made.links - source.links:
        raise StoreError(
            say("the document has a link to an address that its template does not have")
        )
    for part, printed in word.printed.items():
        if printed:
            _compare(printed, made.text(part))
    if template is None:
        _compare_tables(document, made.trees["word/document.xml"])
    return made.octets


class _WordTemplate(DocxTemplate):  # type: ignore[misc]  # docxtpl has no types
    """A template that is filled in by the sandbox.

    Attributes:
        printed: the texts that each part of the document has printed, in order.
    """

    def __init__(self, document: ReportDocument, facts: ReportFacts, template: bytes) -> None:
        super().__init__(io.BytesIO(template))
        self._document, self._facts = document, facts
        self._values = TemplateValues(document.language)
        fields = fields_of(document, facts, self._values, self._picture)
        self._sandbox = TemplateSandbox(fields)
        self.printed: dict[str, list[str]] = {}

    def filled(self) -> bytes:
        """Return the file, with all tags filled in.

        Raises:
            ConfigError: the template cannot be filled.
        """
        try:
            self.render({})
        except etree.XMLSyntaxError as error:
            hint = say("let each loop and choice begin and end in the same table, row or cell")
            raise ConfigError(
                say("the tags of the template cut its paragraphs or tables"), hint=hint
            ) from error
        octets = io.BytesIO()
        self.save(octets)
        return octets.getvalue()

    def render_xml_part(
        self,
        src_xml: str,
        part: Any,
        _: Any,
        __: Any = None,
    ) -> str:
        """Return a part filled in, by the sandbox alone; each paragraph begins a line."""
        self.current_rendering_part = part
        begun = len(self._values.printed)
        filled = self._sandbox.fill(_PARAGRAPH.sub(r"\n<w:p\1", src_xml))
        name = str(part.partname).lstrip("/")
        self.printed.setdefault(name, []).extend(self._values.printed[begun:])
        laid: str = self.resolve_listing(filled.replace("\n<w:p", "<w:p"))
        return laid

    def render_properties(self, _: Any, __: Any = None) -> None:
        """Set title and author, which the template does not."""
        about = self.docx.core_properties
        about.title = f"{self._document.title} {self._document.subject}"[:255]
        about.author = about.last_modified_by = self._facts.school.name[:255]

    def render_footnotes(self, context: Any, jinja_env: Any = None) -> None:
        """Fill footnotes in, once.

        docxtpl does it for each section, and takes what was printed for tags.
        """
        for part in self.docx.part.package.parts:
            if part.content_type.endswith("wordprocessingml.footnotes+xml"):
                source = self.patch_xml(part.blob.decode())
                part._blob = self.render_xml_part(source, part, context, jinja_env).encode()  # noqa: SLF001 -- as docxtpl

    def fix_tables(self, xml: str) -> XmlElement:
        """Parse the text of the document, strictly; lay out tables, mark missing answers."""
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        tree: XmlElement = etree.fromstring(xml, parser)
        lay_out_tables(tree)
        begin = to_fill_in("", Texts(self._document.language))[:-1]
        for text in tree.iter(f"{_W}t"):
            if begin in (text.text or "") and (run := text.getparent()) is not None:
                set_of_run(run, "highlight", "yellow")
        return tree

    def _picture(self, content: str) -> InlineImage:
        png = io.BytesIO()
        segno.make(content, error="m").save(png, kind="png", scale=8, border=4)
        return InlineImage(self, png, width=Mm(CODE_WIDTH))


def _compare(printed: list[str], text: str) -> None:
    """Compare what tags have printed with the text of the file that was made.

    Raises:
        ConfigError: a value is not where it was printed.
    """
    text, at = _SPACES.sub("", text), 0
    for one in printed:
        wanted = _SPACES.sub("", one)
        found = text.find(wanted, at)
        if found < 0:
            raise ConfigError(
                say("the template loses a value that it prints: {value}", value=one[:80]),
                hint=say("let each tag stand in a paragraph, as text"),
            )
        at = found + len(wanted)


def _compare_tables(document: ReportDocument, tree: XmlElement) -> None:
    """Compare the tables of the file with the report, and totals with rows.

    Raises:
        StoreError: they differ.
    """
    wanted = [part for part in document.parts() if isinstance(part, ReportTable)]
    made = [one for one in tree.iter(f"{_W}tbl") if one.find(f".//{_W}tblHeader") is not None]
    are_equal = len(wanted) == len(made) and all(
        _rows(table) == _expected(model, document.language)
        for model, table in zip(wanted, made, strict=True)
    )
    if not are_equal or not all(map(_is_summed, wanted)):
        raise StoreError(say("the tables of the document are not those of the report"))


def _rows(table: XmlElement) -> list[list[str]]:
    return [
        [_SPACES.sub("", text_of(cell)) for cell in row.iter(f"{_W}tc")]
        for row in table.iter(f"{_W}tr")
    ]


def _expected(table: ReportTable, language: str) -> list[list[str]]:
    heads = tuple(column.heading for column in table.columns)
    rows = (heads, *table.rows, *((table.total,) if table.total else ()))
    return [[_SPACES.sub("", cell_text(cell, language)) for cell in row] for row in rows]


def _is_summed(table: ReportTable) -> bool:
    """Return whether each whole number of the total is the sum above it."""
    for at, total in enumerate(table.total):
        column = [row[at] for row in table.rows]
        if isinstance(total, int) and total != sum(one for one in column if isinstance(one, int)):
            return False
    return True
