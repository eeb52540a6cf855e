# SPDX-License-Identifier: Apache-2.0
"""Read reports back from their files, by other means than those that write them."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import dataclass, field
from typing import TypeAlias

from lxml import etree

Read: TypeAlias = str | int | float

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
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
