# SPDX-License-Identifier: Apache-2.0
"""A report as CSV: each value with its place, for a program that adds schools up."""

from __future__ import annotations

from filterd.reports.csv_report import write
from filterd.reports.report_document import ReportTable, TableColumn
from tests.support.report_parts import CHART, FACT_PARTS, TABLE, document_of
from tests.support.report_readers import lines_of
from tests.support.report_sample import FACTS

OF_SCHOOL = [FACTS.settings.code, FACTS.first, FACTS.last]


def test_each_value_stands_in_a_line_with_school_days_section_and_part() -> None:
    _, *lines = lines_of(write(document_of(*FACT_PARTS, TABLE, CHART), FACTS))
    assert all(line[:3] == OF_SCHOOL for line in lines)
    title = TABLE.title
    assert [line[3:] for line in lines] == [
        ["head", "title", "", "", "", "BÁO CÁO"],
        ["head", "subject", "", "", "", "năm 2026"],
        ["measures", "n", "", "Tổng", "", "7"],
        ["measures", "share", "", "Tỷ lệ", "", "1.25"],
        ["measures", "x", "", "X", "", "(*)"],
        ["measures", "gap", "", "", "", "Gián đoạn."],
        ["measures", "pupils", "", "Số học sinh", "", "640"],
        ["measures", "training", "", "Tập huấn", "", ""],
        ["measures", "qr", "", "Dấu vân tay", "", "abc"],
        ["measures", "blocked", title, "'=1+1", "6", "12"],
        ["measures", "blocked", title, "'=1+1", "7", "(*)"],
        ["measures", "blocked", title, "'=1+1", "Tổng", "12"],
        ["measures", "blocked", title, "Cờ bạc", "6", "20000"],
        ["measures", "blocked", title, "Cờ bạc", "7", "3"],
        ["measures", "blocked", title, "Cờ bạc", "Tổng", "20003"],
        ["measures", "blocked", title, "Tổng", "6", "20012"],
        ["measures", "blocked", title, "Tổng", "7", "3"],
        ["measures", "blocked", title, "Tổng", "Tổng", "20015"],
        ["measures", "blocked", title, "", "", TABLE.note],
        ["notes", "1", "", "", "", "(*) giải thích"],
    ]


def test_excel_reads_it_as_utf_8_and_its_lines_end_as_in_rfc_4180() -> None:
    octets = write(document_of(), FACTS)
    assert octets.startswith(b"\xef\xbb\xbf")
    assert octets.count(b"\r\n") == octets.count(b"\n") == 4


def test_a_table_of_texts_has_a_line_for_each_cell_behind_the_first() -> None:
    columns = tuple(map(TableColumn, ("From", "Until", "Duration")))
    table = ReportTable("gaps", "Gaps", columns, (("7:00", "9:00", "2 h"),))
    _, *lines = lines_of(write(document_of(table), FACTS))
    assert [line[4:] for line in lines if line[4] == "gaps"] == [
        ["gaps", "Gaps", "7:00", "Until", "9:00"],
        ["gaps", "Gaps", "7:00", "Duration", "2 h"],
    ]
