# SPDX-License-Identifier: Apache-2.0
"""Read reports back from their files, by other means than those that write them."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Read: TypeAlias = str | int | float
ReadTable: TypeAlias = dict[tuple[str, str], str]

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PLACE = re.compile(r"([A-Z]+)(\d+)")


@dataclass
class ReadSheet:
    """A sheet of a workbook: its rows without empty cells at the end, and its formulas."""

    name: str
    rows: list[list[Read]] = field(default_factory=list)
    formulas: list[str] = field(default_factory=list)


def sheets_of(octets: bytes) -> list[ReadSheet]:
    """Return the sheets of a workbook, numbers as numbers."""
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        texts = [
            "".join(one.itertext(f"{_MAIN}t"))
            for one in _xml(archive, "xl/sharedStrings.xml").iter(f"{_MAIN}si")
        ]
        names = [
            one.get("name", "") for one in _xml(archive, "xl/workbook.xml").iter(f"{_MAIN}sheet")
        ]
        return [
            _sheet(name, _xml(archive, f"xl/worksheets/sheet{number}.xml"), texts)
            for number, name in enumerate(names, 1)
        ]


def _xml(archive: zipfile.ZipFile, name: str) -> etree._Element:
    return etree.fromstring(archive.read(name))


def _sheet(name: str, content: etree._Element, texts: list[str]) -> ReadSheet:
    sheet = ReadSheet(name)
    sheet.formulas = [one.text or "" for one in content.iter(f"{_MAIN}f")]
    for row in content.iter(f"{_MAIN}row"):
        cells: list[Read] = []
        for one in row.iter(f"{_MAIN}c"):
            value = one.findtext(f"{_MAIN}v")
            if value is None:
                continue
            found = _PLACE.fullmatch(one.get("r", ""))
            assert found
            assert len(found[1]) == 1
            cells += [""] * (ord(found[1]) - ord("A") - len(cells))
            cells.append(texts[int(value)] if one.get("t") == "s" else _number(value))
        sheet.rows.append(cells)
    return sheet


def _number(text: str) -> int | float:
    return int(text) if re.fullmatch(r"\d+", text) else float(text)


def lines_of(octets: bytes) -> list[list[str]]:
    """Return the lines of a CSV file, its heading first."""
    return list(csv.reader(io.StringIO(octets.decode("utf-8-sig"), newline="")))


@dataclass
class ReadReport:
    """What a reader finds in a report: all as text, numbers as digits without groups.

    Attributes:
        figures: by their labels.
        tables: by their titles: cells by the label of the row and the heading of the column.
        ids: of figures and tables, by label or title, where the format has them.
        texts: paragraphs.
    """

    figures: dict[str, str] = field(default_factory=dict)
    tables: dict[str, ReadTable] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    texts: set[str] = field(default_factory=set)

    def by_id(self, model: ReadReport) -> dict[str, str | ReadTable]:
        """Return figures and tables by their ids; ``model`` has those that the format lacks."""
        ids = self.ids or model.ids
        found: dict[str, str | ReadTable] = {**self.figures, **self.tables}
        return {ids[label]: value for label, value in found.items() if label in ids}


def of_json(octets: bytes) -> ReadReport:
    """Read a report in JSON."""
    read = ReadReport()
    for section in json.loads(octets)["report"]["sections"]:
        for part in section["parts"]:
            if part["kind"] == "figures":
                read.figures |= {one["label"]: _shown(one["value"]) for one in part["figures"]}
                read.ids |= {one["label"]: one["id"] for one in part["figures"]}
            elif part["kind"] == "paragraph":
                read.texts.add(part["text"])
            elif part["kind"] == "table":
                heads = [one["heading"] for one in part["columns"]]
                read.tables[part["title"]] = _table(heads, [*part["rows"], part["total"]])
                read.ids[part["title"]] = part["id"]
    return read


def of_csv(octets: bytes) -> ReadReport:
    """Read a report in CSV."""
    read = ReadReport()
    lines = ([cell.removeprefix("'") for cell in line] for line in lines_of(octets)[1:])
    for *_, id_, title, row, column, value in lines:
        if title and row:
            read.tables.setdefault(title, {})[row, column] = value
        elif row:
            read.figures[row] = value
        else:
            read.texts.add(value)
        read.ids[title or row] = id_
    return read


def of_workbook(octets: bytes) -> ReadReport:
    """Read a report in a workbook: the first sheet has figures, each other one a table."""
    read = ReadReport()
    facts, *others = sheets_of(octets)
    read.figures = {str(row[0]): _shown(row[1]) for row in facts.rows if len(row) == 2}
    read.texts = {str(row[-1]) for row in facts.rows if row}
    for (title,), heads, *lines in (one.rows for one in others):
        whole = [line for line in lines if len(line) == len(heads)]
        read.tables[str(title)] = _table([*map(str, heads)], whole)
    return read


def of_word(octets: bytes) -> ReadReport:
    """Read a report in Word: figures are items of lists, a table has its title above it."""
    read, title = ReadReport(), ""
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        body = _xml(archive, "word/document.xml")[0]
    for one in body:
        if one.tag == f"{_WORD}p":
            text = _text(one)
            read.texts.add(text)
            label, colon, value = text.removeprefix("- ").partition(": ")
            if colon:
                read.figures.setdefault(label, _ungrouped(value))
            title = text or title
        elif one.tag == f"{_WORD}tbl" and title:
            rows = [
                [_text(cell) for cell in row.iter(f"{_WORD}tc")] for row in one.iter(f"{_WORD}tr")
            ]
            read.tables[title] = _table(rows[0], [[*map(_ungrouped, row)] for row in rows[1:]])
    return read


def of_page(octets: bytes) -> ReadReport:
    """Read a report in HTML: figures are terms with their details, tables have captions."""
    page, read = etree.HTML(octets), ReadReport()
    terms, details = (["".join(one.itertext()) for one in page.iter(tag)] for tag in ("dt", "dd"))
    read.figures = dict(zip(terms, map(_ungrouped, details), strict=True))
    read.ids = {
        "".join(one.getprevious().itertext()): one.get("data-figure") for one in page.iter("dd")
    }
    read.texts = {"".join(one.itertext()) for one in page.iter("p")}
    for one in page.iter("table"):
        heads, *lines = (["".join(cell.itertext()) for cell in row] for row in one.iter("tr"))
        title = "".join(next(one.iter("caption")).itertext())
        read.tables[title] = _table(heads, [[*map(_ungrouped, line)] for line in lines])
        read.ids[title] = one.get("id")
    return read


def _text(element: etree._Element) -> str:
    return "".join(one.text or "" for one in element.iter(f"{_WORD}t"))


def _ungrouped(text: str) -> str:
    """Return a number without the points or commas between its groups of digits."""
    return re.sub(r"[.,]", "", text) if re.fullmatch(r"\d{1,3}([.,]\d{3})+", text) else text


READERS = {"json": of_json, "csv": of_csv, "xlsx": of_workbook, "docx": of_word, "html": of_page}
"""The readers of formats."""


def _table(heads: list[str], lines: Iterable[Sequence[Read | None]]) -> ReadTable:
    return {
        (str(line[0]), head): _shown(cell)
        for line in lines
        if line
        for head, cell in zip(heads[1:], line[1:], strict=True)
    }


def _shown(cell: Read | None) -> str:
    return "(*)" if cell is None else str(cell)
