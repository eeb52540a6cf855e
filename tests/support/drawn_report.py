# SPDX-License-Identifier: Apache-2.0
"""A report with every kind of part, and tables of 40 classes, for tests of formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.reports.report_document import (
    BarChart,
    BarSeries,
    Blank,
    Cell,
    Code,
    Figure,
    Figures,
    Letterhead,
    Paragraph,
    ReportDocument,
    ReportTable,
    Section,
    Signature,
    TableColumn,
)

if TYPE_CHECKING:
    from filterd.texts.i18n import Language

HOSTILE = "<w:p> {{ x }} {% for a in b %} & \"'"
CLASSES = [f"{grade}{letter}" for grade in range(6, 10) for letter in "ABCDEFGHIJ"]
CATEGORIES = [f"Nhóm {n} {HOSTILE}" for n in range(14)]


def _table(id_: str, columns: list[str], rows: list[tuple[Cell, ...]], note: str) -> ReportTable:
    """Return a table whose first column is text, and whose last line has the sums."""
    sums = tuple(
        sum(one for one in column if isinstance(one, int))
        for column in list(zip(*rows, strict=True))[1:]
    )
    heads = tuple(TableColumn(one, at > 0) for at, one in enumerate(columns))
    return ReportTable(id_, f"Bảng {id_}", heads, tuple(rows), ("Tổng", *sums), note)


def drawn_report(language: Language = "vi") -> ReportDocument:
    """Return the report; its long table has 560 rows, its wide one 15 columns."""
    long: list[tuple[Cell, ...]] = [
        (f"{one} · {category}", 1_000 * at + n, None if n == 3 else n)
        for at, one in enumerate(CLASSES)
        for n, category in enumerate(CATEGORIES)
    ]
    wide: list[tuple[Cell, ...]] = [
        (one, *(100 * at + n for n in range(len(CATEGORIES)))) for at, one in enumerate(CLASSES)
    ]
    parts = (
        Paragraph("text", "Trong kỳ, hộp lọc làm việc liên tục. " * 12),
        Paragraph("gap", f"Có một khoảng không làm việc. {HOSTILE}", is_warning=True),
        Figures("service", (Figure("days-in", "Số ngày", 1_234), Figure("share", "Tỉ lệ", 12.5))),
        Blank("pupils", "Số học sinh"),
        Blank("training", "Tập huấn", "Hai buổi\nBa buổi"),
        _table("long", ["Lớp, nhóm", "Lượt", "Tên"], long, "(*) ít hơn 5 thiết bị"),
        _table("wide", ["Lớp", *(f"Nhóm {n} cờ bạc" for n in range(len(CATEGORIES)))], wide, ""),
        BarChart("chart", "Biểu đồ", "Lớp", (BarSeries("Chặn", "blocked"),), (("6A", (3,)),)),
        Code("code", "sha256:0123456789abcdef", "Mã kiểm tra"),
    )
    return ReportDocument(
        language,
        "BÁO CÁO",
        "Kết quả lọc nội dung không phù hợp với trẻ em trên mạng của nhà trường, năm 2026",
        (Section("measures", "Giải pháp kỹ thuật", parts),),
        head=Letterhead(
            "UBND phường Bến Thành",
            "Trường THCS Nguyễn Trãi",
            "Số: …/BC-THCS",
            "Thành phố Hồ Chí Minh, ngày 29 tháng 11 năm 2026",
        ),
        legal_bases=("Căn cứ Quyết định số 830/QĐ-TTg;", "Căn cứ Luật số 116/2025/QH15."),
        receiver="Sở Giáo dục và Đào tạo",
        recipients=("Như trên;", "Lưu: VT."),
        signature=Signature("KT. Hiệu trưởng", "Phó Hiệu trưởng", "Trần Thị Mai"),
        notes=("(*) Số liệu của ít hơn 5 thiết bị không được công bố.",),
    )
