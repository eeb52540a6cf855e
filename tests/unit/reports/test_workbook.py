# SPDX-License-Identifier: Apache-2.0
"""A report as a workbook: texts stay texts, numbers numbers, and it prints well."""

from __future__ import annotations

import io
import zipfile

import xlsxwriter

from filterd.reports.report_document import Figure, Figures, Paragraph
from filterd.reports.workbook import write
from tests.support.report_parts import CHART, FACT_PARTS, TABLE, document_of
from tests.support.report_readers import sheets_of
from tests.support.report_sample import FACTS, INSIDE

HOSTILE = (
    "=1+1",
    "http://x.example",
    "mailto:a@b.example",
    "{=SUM(A1)}",
    "-2+3",
    "_x0041_",
    "\x01",
)


def test_every_table_and_chart_has_a_sheet_with_its_cells() -> None:
    facts, table, chart = sheets_of(write(document_of(*FACT_PARTS, TABLE, CHART), FACTS))
    assert table.rows == [
        [TABLE.title],
        ["Nhóm", "6", "7", "Tổng"],
        ["=1+1", 12, "(*)", 12],
        ["Cờ bạc", 20_000, 3, 20_003],
        ["Tổng", 20_012, 3, 20_015],
        [TABLE.note],
    ]
    assert chart.rows[1:] == [["Tháng", "Bị chặn"], ["9", 3], ["10", 4]]
    assert facts.rows == [
        ["BÁO CÁO"],
        ["", "năm 2026"],
        ["1. Biện pháp", ""],
        ["Tổng", 7],
        ["Tỷ lệ", 1.25],
        ["X", "(*)"],
        ["", "Gián đoạn."],
        ["Số học sinh", "640"],
        ["Tập huấn", "[cần điền: Tập huấn]"],
        ["Dấu vân tay", "abc"],
        ["", "(*) giải thích"],
    ]


def test_a_hostile_text_is_neither_a_formula_nor_a_link() -> None:
    figures = tuple(Figure("x", one, one) for one in HOSTILE)
    octets = write(document_of(Figures("f", figures)), FACTS)
    (facts,) = sheets_of(octets)
    assert facts.formulas == []
    assert [row[0] for row in facts.rows[3:-1]] == [*HOSTILE[:-2], "_x005F_x0041_", "_x0001_"]
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert not [name for name in parts if "sheet" in name and name.endswith(".rels")]
    assert b"TargetMode" not in b"".join(parts.values())


def test_control_another_way_to_write_a_cell_makes_a_formula_of_it() -> None:
    octets = io.BytesIO()
    with xlsxwriter.Workbook(octets, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for row, one in enumerate(HOSTILE):
            sheet.write(row, 0, one)
    (sheet,) = sheets_of(octets.getvalue())
    assert sheet.formulas


def test_names_of_sheets_are_those_that_excel_takes_and_different() -> None:
    names = [one.name for one in sheets_of(write(document_of(TABLE, TABLE, CHART), FACTS))]
    assert names == ["Dữ kiện", "1. Theo nhóm- -6-1----", "2. Theo nhóm- -6-1----", "3. Theo tháng"]


def test_heads_stay_in_sight_and_it_prints_on_a4_across_with_a_chart() -> None:
    with zipfile.ZipFile(io.BytesIO(write(document_of(TABLE), FACTS))) as archive:
        sheet = archive.read("xl/worksheets/sheet2.xml").decode()
        chart = archive.read("xl/charts/chart1.xml").decode()
        book = archive.read("xl/workbook.xml").decode()
    assert '<pane xSplit="1" ySplit="3"' in sheet
    assert 'paperSize="9" orientation="landscape"' in sheet.replace('fitToHeight="0" ', "")
    assert "$3:$3" in book
    assert '<c:min val="0"/>' in chart, "columns begin at zero"
    assert chart.count("<c:ser>") == 2  # not the column of sums


def test_a_report_for_inside_is_marked_above_each_printed_page() -> None:
    warning = Paragraph("inside", "Nội bộ.", is_warning=True)
    for facts, is_said in ((INSIDE, True), (FACTS, False)):
        with zipfile.ZipFile(io.BytesIO(write(document_of(warning, TABLE), facts))) as archive:
            sheets = [archive.read(f"xl/worksheets/sheet{n}.xml").decode() for n in (1, 2)]
        assert [("Nội bộ.</oddHeader>" in sheet) for sheet in sheets] == [is_said] * 2


def test_it_has_the_time_of_the_facts_and_no_author() -> None:
    first, again = write(document_of(TABLE), FACTS), write(document_of(TABLE), FACTS)
    assert first == again
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        about = archive.read("docProps/core.xml").decode()
    assert "<dc:creator></dc:creator>" in about
    assert "2026-11-03T" in about
