# SPDX-License-Identifier: Apache-2.0
"""Tables are read from CSV and XLSX; a hostile file is refused in one line."""

from __future__ import annotations

import contextlib
import io
import os
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filterd.base.errors import ConfigError
from filterd.cli import spreadsheet
from filterd.texts.rows import to_csv

if TYPE_CHECKING:
    from pathlib import Path

TABLE = [["day", "room"], ["t2", "Phòng <máy> & 1"], ["", "=1+1"]]
SHEET = "xl/worksheets/sheet1.xml"
SHARED = """<sst><si><t>day</t></si><si><r><t>Phò</t></r><r><t>ng</t></r></si></sst>"""


def _load(folder: Path, content: bytes) -> list[list[str]]:
    path = folder / "table"
    path.write_bytes(content)
    return spreadsheet.read(path)


def _workbook(sheet: str, **more: str) -> bytes:
    """Return a workbook with this content of its sheet."""
    octets = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(spreadsheet.to_xlsx([]))) as plain,
        zipfile.ZipFile(octets, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in plain.namelist():
            archive.writestr(name, sheet if name == SHEET else plain.read(name))
        for name, content in more.items():
            archive.writestr(f"xl/{name}.xml", content)
    return octets.getvalue()


@pytest.mark.parametrize("written", [to_csv, spreadsheet.to_xlsx])
def test_a_table_that_is_written_is_read_back(tmp_path: Path, written: object) -> None:
    assert callable(written)
    assert _load(tmp_path, written(TABLE)) == TABLE


def test_cells_of_office_programs_are_read(tmp_path: Path) -> None:
    sheet = (
        '<x:worksheet xmlns:x="m"><x:sheetData>'
        '<x:row r="2"><x:c r="A2" t="s"><x:v>0</x:v></x:c><x:c r="C2"><x:v>1.0</x:v></x:c></x:row>'
        '<x:row r="4"><x:c r="B4" t="s"><x:v>1</x:v></x:c>'
        '<x:c t="str"><x:f>A1</x:f><x:v>6A</x:v></x:c></x:row>'
        "</x:sheetData></x:worksheet>"
    )
    found = _load(tmp_path, _workbook(sheet, sharedStrings=SHARED))
    assert found == [[], ["day", "", "1"], [], ["", "Phòng", "6A"]]


@pytest.mark.parametrize("text", ["sep=;\na;b\n", "a;b\n", "a\tb\n", "\ufeffa,b\n"])
def test_csv_of_spreadsheets_is_read(tmp_path: Path, text: str) -> None:
    assert _load(tmp_path, text.encode())[-1] == ["a", "b"]


BOMB = (
    "<worksheet><sheetData>"
    + " " * (spreadsheet.MOST_MEMBER_OCTETS + 1)
    + "</sheetData></worksheet>"
)
LAUGHS = (
    '<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    '<worksheet><sheetData><row r="1"><c t="str"><v>&b;</v></c></row></sheetData></worksheet>'
)


def _row(attributes: str, cell: str = "") -> str:
    return f"<worksheet><sheetData><row {attributes}>{cell}</row></sheetData></worksheet>"


HOSTILE = {
    "a member that expands": _workbook(BOMB),
    "an entity": _workbook(LAUGHS),
    "a row far away": _workbook(_row('r="1048576"')),
    "a row twice": _workbook(_row('r="0"')),
    "a column far away": _workbook(_row('r="1"', '<c r="XFD1" t="str"><v>a</v></c>')),
    "a text that is not there": _workbook(_row('r="1"', '<c r="A1" t="s"><v>7</v></c>')),
    "a cell in no row": _workbook('<worksheet><c r="A1"><v>1</v></c></worksheet>'),
    "no XML": _workbook("<worksheet"),
    "no archive": b"PK\x03\x04" + bytes(100),
    "a torn archive": spreadsheet.to_xlsx(TABLE)[:-30],
    "too many octets": bytes(spreadsheet.MOST_OCTETS + 1),
    "too many columns": b"," * 200,
    "too many rows": b"a\n" * (spreadsheet.MOST_ROWS + 1),
    "no text": b"\xff\xfe\xfd",
    "a field without end": b'"' + b"a" * 200_000,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ConfigError) as refused:
        _load(tmp_path, HOSTILE[kind])
    assert len(str(refused.value).splitlines()) == 1
    assert len(str(refused.value)) < 300 + len(str(tmp_path))


def test_control_the_same_workbooks_without_harm_are_read(tmp_path: Path) -> None:
    calm = _row('r="1"', '<c r="A1" t="str"><v>a</v></c>')
    assert _load(tmp_path, _workbook(calm)) == [["a"]]


def test_a_text_of_very_many_parts_is_bounded_as_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part copies those before: without a bound minutes, for a file of some kilobytes."""
    longest, joined = 0, spreadsheet._joined

    def watched(text: str, data: str) -> str:
        nonlocal longest
        longest = max(longest, len(text))
        return joined(text, data)

    monkeypatch.setattr(spreadsheet, "_joined", watched)
    shared = "<sst><si>" + "<r><t>x</t></r>" * 1_000 + "</si></sst>"
    cells = '<c t="s"><v>0</v></c><c t="str">' + "<v>x</v>" * 1_000 + "</c>"
    found = _load(tmp_path, _workbook(_row('r="1"', cells), sharedStrings=shared))
    assert found == [["x" * spreadsheet.MOST_CHARACTERS] * 2]
    assert longest == spreadsheet.MOST_CHARACTERS


def test_a_workbook_is_read_in_a_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "table"
    path.write_bytes(spreadsheet.to_xlsx(TABLE))
    assert spreadsheet.load(path) == TABLE
    monkeypatch.setattr(spreadsheet, "_Workbook", lambda _: os.abort())
    with pytest.raises(ConfigError, match="more memory or time"):
        spreadsheet.load(path)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 900))
def test_whatever_is_written_over_a_workbook_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, octets: bytes, at: int
) -> None:
    content = bytearray(spreadsheet.to_xlsx(TABLE))
    content[at : at + len(octets)] = octets
    folder = tmp_path_factory.mktemp("hostile")
    with contextlib.suppress(ConfigError):
        assert isinstance(_load(folder, bytes(content)), list)
