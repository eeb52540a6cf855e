# SPDX-License-Identifier: Apache-2.0
"""The HTML file: the figures of the document, one file, hostile texts as texts."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from jinja2 import Environment
from lxml import etree

from filterd.reports import html_report
from filterd.reports.report_composer import compose
from filterd.reports.report_document import (
    Code,
    Figures,
    ReportDocument,
    ReportTable,
    Section,
    cell_text,
)
from filterd.texts.i18n import Texts
from tests.support.report_sample import FACTS, INSIDE, PARENTS

if TYPE_CHECKING:
    from filterd.reports.report_facts import ReportFacts

HOSTILE = "<script>alert(1)</script><img src=http://x.example/y onerror=z>\"'&{{ 7*7 }}\ud800"


def written(facts: ReportFacts = FACTS, language: str = "vi") -> tuple[ReportDocument, Any]:
    texts = Texts("en" if language == "en" else "vi")
    document = compose(facts, {"training": HOSTILE, "proposals": "Một\nHai"}, texts)
    return document, read(html_report.write(document, facts))


def read(octets: bytes) -> Any:
    return etree.fromstring(octets, etree.HTMLParser(encoding="utf-8"))


def text_of(element: Any) -> str:
    return "".join(element.itertext()).strip()


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("facts", [FACTS, INSIDE])
def test_every_cell_and_figure_is_that_of_the_document(facts: ReportFacts, language: str) -> None:
    document, page = written(facts, language)
    for part in document.parts():
        if isinstance(part, ReportTable):
            (table,) = page.xpath(f"//table[@id='{part.id}']")
            rows = [[text_of(cell) for cell in row] for row in table.iter("tr")]
            lines = [row for row in (*part.rows, part.total) if row]
            assert rows == [
                [column.heading for column in part.columns],
                *([cell_text(cell, language) for cell in row] for row in lines),
            ]
        if isinstance(part, Figures):
            for figure in part.figures:
                (found,) = page.xpath(f"//dd[@data-figure='{figure.id}']")
                assert text_of(found) == cell_text(figure.value, language)
    assert page.get("lang") == language


def test_the_head_and_the_foot_are_there() -> None:
    page = written()[1]
    head, foot = (text_of(page.xpath(f"//div[@class='{one}']")[0]) for one in ("head", "foot"))
    for text in ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "/BC-THCS"):
        assert text in head
    assert foot.startswith("Nơi nhận:Như trên;")
    assert "HIỆU TRƯỞNGTrần Thị Mai" in foot
    assert text_of(page.xpath("//p[@class='receiver']")[0]) == "Kính gửi: Sở GD&ĐT"


def test_a_missing_answer_is_marked_and_lines_of_one_are_kept() -> None:
    page = written()[1]
    assert "[cần điền: Số học sinh]" in [text_of(one) for one in page.iter("mark")]
    assert any("Một\nHai" in text_of(one) for one in page.xpath("//p[@class='answer']"))


@pytest.mark.parametrize("facts", [FACTS, INSIDE, PARENTS])
def test_nothing_is_run_and_nothing_is_fetched(facts: ReportFacts) -> None:
    page = written(facts)[1]
    assert not list(page.iter("script", "link", "img", "iframe", "form", "a", "base"))
    attributes = {one.attrname for one in page.xpath("//@*")}
    assert attributes.isdisjoint(("style", "src", "href"))
    assert not any(attribute.startswith("on") for attribute in attributes)
    assert not re.search(r"url\((?!#)|@import", text_of(page.find(".//style")))
    (policy,) = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))


def test_a_name_that_is_markup_is_text() -> None:
    page = written(replace(FACTS, school=replace(FACTS.school, name=HOSTILE)))[1]
    assert HOSTILE.replace("\ud800", "?") in text_of(page)
    assert not list(page.iter("script", "img"))


def test_control_without_escaping_a_name_would_be_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    def unescaping(**options: Any) -> Environment:
        return Environment(**{**options, "autoescape": False})

    monkeypatch.setattr(html_report, "Environment", unescaping)
    assert list(written()[1].iter("script", "img"))


def test_a_code_is_drawn_with_its_caption() -> None:
    parts = (Code("fingerprint", "ab cd", "Fingerprint <b>"),)
    document = ReportDocument("en", "RECORD", "of today", (Section("a", "A", parts),))
    page = read(html_report.write(document, FACTS))
    assert page.xpath("//div[@class='qr']/@aria-label") == ["Fingerprint <b>"]
    assert page.xpath("//figure[@class='code']//svg")
    assert text_of(page.xpath("//figure[@class='code']/figcaption")[0]) == "Fingerprint <b>"


def test_the_chart_shows_what_the_table_beneath_it_has() -> None:
    document, page = written()
    bars = next(part for part in document.parts() if part.id == "course-blocked").bars  # type: ignore[union-attr]
    (chart,) = page.xpath("//figure[@class='chart']")
    assert [text_of(one) for one in chart.xpath(".//g/title")] == [label for label, _ in bars]
    assert chart.getnext().xpath(".//table/@id") == ["course"]
