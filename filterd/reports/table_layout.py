# SPDX-License-Identifier: Apache-2.0
"""Lay out tables of a filled-in Word document: widths of columns, pages across.

A template has one column for all that a loop makes of it. So a table whose columns were
repeated gets a grid by the lengths of its texts, in which no word or number is broken. One that
does not fit so has pages of its own across, which Decree 30/2020 allows for tables, and smaller
letters. Other tables stay as the template has them.
"""

from __future__ import annotations

import copy
import functools
import re
from typing import get_args

from filterd.reports.administrative_styles import (
    CELL_MARGINS,
    PAGE,
    STYLES,
    WIDE_TABLE_SIZES,
)
from filterd.reports.xml_element import WORD as _W
from filterd.reports.xml_element import (
    XmlElement,
    add_child,
    new_element,
    remove_from_parent,
    text_of,
)
from filterd.texts.i18n import Language, Texts

_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_NARROWEST, _READABLE, _WIDEST = 5, 12, 40
"""Characters of a column: at least; of several words at least; at most."""
_CHARACTER = 0.5 * 25.4 / 72
"""Millimetres of a digit, and of a letter on average, in each point of its size."""
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9]")
_PER_MM = 56.7
"""Twentieths of a point."""
_LAST_OF_RUN = (
    *("sz", "szCs", "highlight", "u", "effect", "bdr", "shd", "fitText", "vertAlign", "rtl"),
    *("cs", "em", "lang", "eastAsianLayout", "specVanish", "oMath"),
)
"""Properties of a run from its size on, in the order of ECMA-376, which Word insists on."""
_OF_TABLE = "TableTitle", "TableNote"
"""Styles of the paragraphs before and after a table that belong to it."""


def lay_out_tables(tree: XmlElement) -> None:
    """Lay out all tables of a document; ``tree`` is its body, or has it."""
    body = tree if tree.tag == f"{_W}body" else tree.find(f"{_W}body")
    if body is None:
        return
    _complete(tree, body)
    wide = [
        table for table in tree.iter(f"{_W}tbl") if _lay_out(table) and table.getparent() is body
    ]
    upright = body.find(f"{_W}sectPr")
    if wide and upright is not None:
        for table in wide:
            _turn(table, body, upright)
        _end_sections(body)


def set_of_run(run: XmlElement, name: str, value: str) -> None:
    """Set a property of a run."""
    properties = run.find(f"{_W}rPr")
    if properties is None:
        properties = new_element(f"{_W}rPr")
        run.insert(0, properties)
    for former in properties.findall(f"{_W}{name}"):
        properties.remove(former)
    later = _LAST_OF_RUN[_LAST_OF_RUN.index(name) :]
    place = (at for at, one in enumerate(properties) if one.tag.removeprefix(_W) in later)
    made = new_element(f"{_W}{name}", {f"{_W}val": value})
    properties.insert(next(place, len(properties)), made)


def _complete(tree: XmlElement, body: XmlElement) -> None:
    """Give cells and the end of the document the paragraph that Word wants there.

    A loop of no rounds leaves rows without cells and tables without rows: they are removed.
    """
    for kind, within in (("tr", "tc"), ("tbl", "tr")):
        for one in list(tree.iter(f"{_W}{kind}")):
            if one.find(f"{_W}{within}") is None:
                remove_from_parent(one)
    for cell in tree.iter(f"{_W}tc"):
        if not len(cell) or cell[-1].tag != f"{_W}p":
            add_child(cell, f"{_W}p")
    section = body.find(f"{_W}sectPr")
    last = None if section is None else section.getprevious()
    if section is not None and last is not None and last.tag == f"{_W}tbl":
        section.addprevious(_low_paragraph())


def _lay_out(table: XmlElement) -> bool:
    """Give a table of repeated columns a grid; return whether it needs pages across."""
    rows = [row.findall(f"{_W}tc") for row in table.findall(f"{_W}tr")]
    grid, count = table.find(f"{_W}tblGrid"), max(map(len, rows), default=0)
    if grid is None or len(grid) == count or table.find(f".//{_W}gridSpan") is not None:
        return False
    columns = [[row[at] for row in rows if at < len(row)] for at in range(count)]
    least, whole = [[max(map(of, column)) for column in columns] for of in (_unbroken, _length)]
    upright = PAGE.text_width, STYLES["TableText"].size
    layouts = [upright, *((PAGE.across_width, size) for size in WIDE_TABLE_SIZES)]
    fitting = (layout for layout in layouts if sum(_lengths(least, layout[1])) <= layout[0])
    width, size = next(fitting, layouts[-1])
    lengths = _lengths(whole, size)
    if sum(lengths) > width:
        lengths = _lengths(least, size)
    factor, spare = min(1, width / sum(lengths)), max(0, width - sum(lengths))
    usual = list(map(_usual, columns))
    widths = [
        round(_PER_MM * (one * factor + spare * more / sum(usual)))
        for one, more in zip(lengths, usual, strict=True)
    ]
    del grid[:]
    for one in widths:
        add_child(grid, f"{_W}gridCol", {f"{_W}w": str(one)})
    _set_widths(table.findall(f"{_W}tblPr/{_W}tblW"), sum(widths))
    for row in rows:
        for cell, one in zip(row, widths, strict=False):
            _set_widths(cell.findall(f"{_W}tcPr/{_W}tcW"), one)
    if (width, size) == upright:
        return False
    for run in table.iter(f"{_W}r"):
        set_of_run(run, "sz", str(2 * size))
    return True


def _lengths(characters: list[int], size: float) -> list[float]:
    """Return the widths, in millimetres, of columns with so many characters of a size."""
    return [CELL_MARGINS + character * size * _CHARACTER for character in characters]


def _set_widths(found: list[XmlElement], width: int) -> None:
    for one in found:
        one.set(f"{_W}w", str(width))
        one.set(f"{_W}type", "dxa")


def _unbroken(cell: XmlElement) -> int:
    """Return the characters that a line of a cell must have room for."""
    text = text_of(cell)
    longest = max(map(len, text.split()), default=0)
    if _is_heading(cell):
        return _bounded(longest + 1)  # it is bold
    return _bounded(max(longest, min(len(text), _READABLE)))


def _length(cell: XmlElement) -> int:
    """Return the characters of a cell; of a heading those that it must have room for."""
    return _unbroken(cell) if _is_heading(cell) else _bounded(len(text_of(cell)))


def _bounded(characters: int) -> int:
    return max(_NARROWEST, min(characters, _WIDEST))


def _usual(column: list[XmlElement]) -> float:
    """Return the mean length of the texts of a column."""
    lengths = [len(text_of(one)) for one in column if not _is_heading(one)]
    return max(_NARROWEST, sum(lengths) / max(1, len(lengths)))


def _is_heading(cell: XmlElement) -> bool:
    row = cell.getparent()
    return row is not None and row.find(f"{_W}trPr/{_W}tblHeader") is not None


def _turn(table: XmlElement, body: XmlElement, upright: XmlElement) -> None:
    """Put a table on pages across: the section before it ends, and it ends its own.

    ``upright`` is the section of the other pages.
    """
    first, last = table, table
    before, after = table.getprevious(), table.getnext()
    if before is not None and _style(before) in _styles_of_table():
        first = before
    if after is not None and _style(after) in _styles_of_table():
        last = after
    across = copy.deepcopy(upright)
    for size in across.findall(f"{_W}pgSz"):
        width, height = size.get(f"{_W}w", ""), size.get(f"{_W}h", "")
        size.set(f"{_W}w", height)
        size.set(f"{_W}h", width)
        size.set(f"{_W}orient", "landscape")
    former = first.getprevious()
    if former is not None and former.find(f"{_W}pPr/{_W}sectPr/{_W}pgSz[@{_W}orient]") is not None:
        body.remove(former)  # the table before is on pages across, too
    elif former is not None:
        first.addprevious(_end_of_section(copy.deepcopy(upright)))
    last.addnext(_end_of_section(across))


def _end_of_section(section: XmlElement) -> XmlElement:
    paragraph = _low_paragraph()
    paragraph[0].append(section)
    return paragraph


def _low_paragraph() -> XmlElement:
    """Return a paragraph without text, of a point's height."""
    paragraph = new_element(f"{_W}p")
    properties = add_child(paragraph, f"{_W}pPr")
    spacing = {"before": "0", "after": "0", "line": "20", "lineRule": "exact"}
    add_child(properties, f"{_W}spacing", {f"{_W}{name}": one for name, one in spacing.items()})
    return paragraph


def _end_sections(body: XmlElement) -> None:
    """Leave the first page without a number in the first section only."""
    for section in list(body.iter(f"{_W}sectPr"))[1:]:
        for name in ("titlePg", "headerReference", "footerReference"):
            for one in section.findall(f"{_W}{name}"):
                section.remove(one)


def _style(paragraph: XmlElement) -> str:
    style = paragraph.find(f"{_W}pPr/{_W}pStyle")
    return "" if style is None else str(style.get(f"{_W}val"))


@functools.cache
def _styles_of_table() -> frozenset[str]:
    """Return ``_OF_TABLE``, and what LibreOffice makes of their names."""
    named = [Texts(one)(STYLES[id_].name) for id_ in _OF_TABLE for one in get_args(Language)]
    return frozenset((*_OF_TABLE, *(_NOT_IN_IDS.sub("", one) for one in named)))
