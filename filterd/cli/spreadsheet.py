# SPDX-License-Identifier: Apache-2.0
"""Read tables of text in CSV and XLSX files (ECMA-376) with bounds; write XLSX plainly.

A workbook is a ZIP archive of XML. Only the first sheet is read, its texts and numbers; all
else in it (formulas, styles, links, macros) is left alone. A file may be hostile: the octets
of each member, rows, columns and texts have bounds, and a document type is refused, so that no
entity expands. It is read in a bounded child all the same.
"""

from __future__ import annotations

import csv
import io
import posixpath
import re
import zipfile
from pathlib import Path
from typing import Any, cast
from xml.parsers import expat
from xml.sax.saxutils import escape

from filterd.base.archives import DAMAGED, opened_zip
from filterd.base.errors import ConfigError
from filterd.cli.named_files import decoded, is_separator, read_apart, read_octets
from filterd.texts.i18n import say
from filterd.texts.rows import Table

MOST_OCTETS, MOST_MEMBER_OCTETS = 4 << 20, 16 << 20
MOST_ROWS, MOST_COLUMNS, MOST_CHARACTERS = 20_000, 128, 200
_LOOKED_AT, _MOST_BEGIN = 20, 1 << 16
"""Lines and characters that show what separates the columns of a CSV file."""
_BEGINS = b"PK\x03\x04"
_place = re.compile(r"([A-Z]{1,3})([0-9]{1,7})", re.ASCII).fullmatch
_DAMAGED = (*DAMAGED, expat.ExpatError)
"""What the modules of the standard library raise for a file that is none of ours."""


def load(path: Path) -> Table:
    """Read a file in a bounded fork of this process, which has no other thread.

    Raises:
        ConfigError: it is no table, or too large.
        StoreError: it cannot be read.
    """
    return cast("Table", read_apart(read, path))


def read(path: Path) -> Table:
    """Read a file in this process; what it is, its first octets show. Raises as ``load``."""
    content = read_octets(path, MOST_OCTETS)
    if len(content) > MOST_OCTETS:
        raise _too_large(path)
    if not content.startswith(_BEGINS):
        return _of_csv(decoded(content, path), path)
    try:
        return _bounded(_Workbook(content).table(), path)
    except _DAMAGED as error:
        hint = say("save it as .xlsx or as CSV again")
        raise ConfigError(say("this is not a workbook"), path=str(path), hint=hint) from error


def to_xlsx(table: Table) -> bytes:
    """Return a table as a workbook of one sheet."""
    rows = "".join(
        f'<row r="{number}">'
        + "".join(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in row)
        + "</row>"
        for number, row in enumerate(table, 1)
    )
    octets = io.BytesIO()
    with zipfile.ZipFile(octets, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _PARTS.items():
            archive.writestr(zipfile.ZipInfo(name), _XML + content.format(rows=rows))
    return octets.getvalue()


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels"'
    ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
    "</Types>",
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1"'
    f' Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="timetable" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    "</Relationships>",
    "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{{rows}}</sheetData>'
    "</worksheet>",
}


def _of_csv(text: str, path: Path) -> Table:
    first, _, rest = text.partition("\n")
    if is_separator(first):
        text = "\n" + rest  # line numbers stay
    begin = text[:_MOST_BEGIN].splitlines()[:_LOOKED_AT]  # a title has no separator
    between = max(";\t,", key=lambda one: sum(one in line for line in begin))
    try:
        return _bounded(list(csv.reader(io.StringIO(text), delimiter=between)), path)
    except csv.Error as error:
        hint = say("save it as .xlsx or as CSV again")
        raise ConfigError(say("this is not a table"), path=str(path), hint=hint) from error


def _bounded(table: Table, path: Path) -> Table:
    if len(table) > MOST_ROWS or any(len(row) > MOST_COLUMNS for row in table):
        raise _too_large(path)
    return [[cell.strip()[:MOST_CHARACTERS] for cell in row] for row in table]


def _too_large(path: Path) -> ConfigError:
    hint = say("at most {rows} rows and {columns} columns", rows=MOST_ROWS, columns=MOST_COLUMNS)
    return ConfigError(say("the file is too large"), path=str(path), hint=hint)


class _Workbook:
    """A workbook that is read; it raises ``_DAMAGED`` for any other file."""

    def __init__(self, content: bytes) -> None:
        self._archive = opened_zip(io.BytesIO(content))

    def table(self) -> Table:
        """Return the cells of the first sheet."""
        sheets, relations = list[str](), dict[str, str]()

        def sheet(tag: str, attributes: dict[str, str]) -> None:
            if tag == "sheet":
                sheets.append(next(v for k, v in attributes.items() if k.endswith(":id")))

        def relation(tag: str, attributes: dict[str, str]) -> None:
            if tag == "Relationship":
                relations[attributes["Id"]] = attributes["Target"]

        self._parse("xl/workbook.xml", sheet)
        self._parse("xl/_rels/workbook.xml.rels", relation)
        target = posixpath.normpath(posixpath.join("/xl", relations[sheets[0]])).lstrip("/")
        reader = _Sheet(self._shared_texts())
        self._parse(target, reader.begin, reader.end, reader.text)
        return reader.table

    def _shared_texts(self) -> list[str]:
        texts: list[str] = []
        is_text = False

        def begin(tag: str, _: dict[str, str]) -> None:
            nonlocal is_text
            is_text = tag == "t"
            if tag == "si":
                texts.append("")

        def end(_: str) -> None:
            nonlocal is_text
            is_text = False

        def text(data: str) -> None:
            if is_text:
                texts[-1] = _joined(texts[-1], data)

        if "xl/sharedStrings.xml" in self._archive.namelist():
            self._parse("xl/sharedStrings.xml", begin, end, text)
        return texts

    def _parse(self, name: str, begin: Any, end: Any = None, text: Any = None) -> None:
        with self._archive.open(name) as member:
            content = member.read(MOST_MEMBER_OCTETS + 1)
        if len(content) > MOST_MEMBER_OCTETS:
            raise ValueError(name)
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = lambda tag, held: begin(tag.rpartition(":")[2], held)
        if end is not None:
            parser.EndElementHandler = lambda tag: end(tag.rpartition(":")[2])
        parser.CharacterDataHandler = text
        parser.StartDoctypeDeclHandler = _refuse
        parser.Parse(content, True)


def _joined(text: str, data: str) -> str:
    """Return a text with its next part, bounded: there may be a million parts."""
    return (text + data)[:MOST_CHARACTERS]


def _refuse(*_: object) -> None:
    raise ValueError("a document type")


class _Sheet:
    """The cells of a sheet, as the parser comes by them."""

    def __init__(self, texts: list[str]) -> None:
        self.table: Table = []
        self._texts = texts
        self._column, self._kind, self._value, self._is_value = 0, "", "", False

    def begin(self, tag: str, attributes: dict[str, str]) -> None:
        """Note where a cell is, and what kind of value it has."""
        if tag == "row":
            number = int(attributes.get("r", len(self.table) + 1))
            if not len(self.table) < number <= MOST_ROWS:
                raise ValueError(number)
            self.table += ([] for _ in range(number - len(self.table)))
            self._column = 0
        elif tag == "c":
            found = _place(attributes["r"]) if "r" in attributes else None
            if found is not None:
                self._column = _column_of(found[1])
            self._kind, self._value = attributes.get("t", "n"), ""
        self._is_value = tag in ("v", "t")

    def text(self, data: str) -> None:
        """Take a part of a value."""
        if self._is_value:
            self._value = _joined(self._value, data)

    def end(self, tag: str) -> None:
        """Put a cell into its row."""
        self._is_value = False
        if tag != "c":
            return
        value = self._texts[int(self._value)] if self._kind == "s" and self._value else self._value
        if self._kind == "n":
            value = value.removesuffix(".0")
        if self._column >= MOST_COLUMNS:
            if value:
                raise ValueError(self._column)
            return
        row = self.table[-1]
        row += [""] * (self._column + 1 - len(row))
        row[self._column] = value
        self._column += 1


def _column_of(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
