# SPDX-License-Identifier: Apache-2.0
"""One part of each kind, and a report of given parts, for tests of formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.reports.report_document import (
    BarChart,
    BarSeries,
    Blank,
    Code,
    Figure,
    Figures,
    Paragraph,
    ReportDocument,
    ReportTable,
    Section,
    TableColumn,
)

if TYPE_CHECKING:
    from filterd.reports.report_document import Part

TABLE = ReportTable(
    "blocked",
    "Theo nhóm: [6/1]*?'",
    (
        TableColumn("Nhóm"),
        TableColumn("6", True),
        TableColumn("7", True),
        TableColumn("Tổng", True),
    ),
    (("=1+1", 12, None, 12), ("Cờ bạc", 20_000, 3, 20_003)),
    ("Tổng", 20_012, 3, 20_015),
    "(*) dưới 5 thiết bị",
)
CHART = BarChart(
    "course", "Theo tháng", "Tháng", (BarSeries("Bị chặn", "blocked"),), (("9", (3,)), ("10", (4,)))
)
FACT_PARTS = (
    Figures(
        "usage", (Figure("n", "Tổng", 7), Figure("share", "Tỷ lệ", 1.25), Figure("x", "X", None))
    ),
    Paragraph("gap", "Gián đoạn.", is_warning=True),
    Blank("pupils", "Số học sinh", "640"),
    Blank("training", "Tập huấn"),
    Code("qr", "abc", "Dấu vân tay"),
)


def document_of(*parts: Part) -> ReportDocument:
    """Return a report of one section."""
    section = Section("measures", "Biện pháp", parts)
    return ReportDocument("vi", "BÁO CÁO", "năm 2026", (section,), notes=("(*) giải thích",))
