# SPDX-License-Identifier: Apache-2.0
"""Reports in a real browser: on a phone, in the dark, and printed on A4."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.policy.reporting_settings import PeriodKind
from filterd.reports.html_report import write
from filterd.reports.report_composer import compose
from filterd.reports.report_facts import CountCell
from filterd.texts.i18n import Texts
from tests.support.browser import LOOKS, Tab
from tests.support.needs import command
from tests.support.report_sample import FACTS, INSIDE, PARENTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from filterd.reports.report_facts import ReportFacts
    from filterd.texts.i18n import Language

CLASSES = tuple(f"{grade}{letter}" for grade in range(1, 13) for letter in "ABCD")
YEAR = replace(
    INSIDE,
    kind=PeriodKind.YEAR,
    first="2026-01-01",
    last="2026-12-31",
    school=replace(INSIDE.school, name="x" * 253, classes=CLASSES, grades=()),
    cells=tuple(
        CountCell(f"2026-{month:02}", "primary", one[:-1], one, "gambling", "blocked", 10**6, 9)
        for month in range(1, 13)
        for one in CLASSES
    ),
)
"""Of 48 classes, with large numbers, and the longest name that a site may have."""
REPORTS = {"outside": FACTS, "year": YEAR, "parents": PARENTS}


def file_of(facts: ReportFacts, language: Language, folder: Path) -> str:
    file = folder / "report.html"
    file.write_bytes(write(compose(facts, {}, Texts(language)), facts))
    return file.as_uri()


@pytest.fixture
def sheet(browser: Browser) -> Iterator[Tab]:
    context = browser.new_context()
    opened = Tab(context.new_page(), "")
    opened.page.on("console", lambda said: opened.complaints.append(said.text))
    yield opened
    context.close()
    assert opened.complaints == []


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_can_be_read_by_everybody(sheet: Tab, name: str, tmp_path: Path) -> None:
    for language, scheme, (width, height) in LOOKS:
        sheet.page.set_viewport_size({"width": width, "height": height})
        sheet.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        sheet.open(file_of(REPORTS[name], language, tmp_path))  # type: ignore[arg-type]
        assert sheet.violations() == []
        assert not sheet.is_too_wide()


def pages_of(sheet: Tab, facts: ReportFacts, folder: Path) -> list[str]:
    """Print a report; return the text of each page."""
    program = command("pdftotext")
    sheet.open(file_of(facts, "vi", folder))
    sheet.page.pdf(path=folder / "report.pdf", prefer_css_page_size=True)
    words = [program, "-layout", str(folder / "report.pdf"), "-"]
    text = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return text.split("\f")[:-1]


def test_pages_are_numbered_from_the_second_and_tables_go_on_with_their_heads(
    sheet: Tab, tmp_path: Path
) -> None:
    pages = pages_of(sheet, YEAR, tmp_path)
    numbers = [re.match(r"\s*(\d+)\n", page) for page in pages]
    assert [number and int(number[1]) for number in numbers] == [None, *range(2, len(pages) + 1)]
    of_classes = [page for page in pages if re.search(r"^\s*\d+[A-D]\s", page, re.MULTILINE)]
    assert len(of_classes) > 1
    assert all(re.search(r"Lớp\s+Trả lời\s+Bị chặn", one) for one in of_classes)


def test_the_page_for_parents_is_one_page(sheet: Tab, tmp_path: Path) -> None:
    (page,) = pages_of(sheet, PARENTS, tmp_path)
    assert "THÔNG TIN GỬI CHA MẸ HỌC SINH" in page
    assert "111" in page
