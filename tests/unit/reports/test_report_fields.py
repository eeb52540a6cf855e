# SPDX-License-Identifier: Apache-2.0
"""The fields that a template may print."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.reports.report_fields import field_rows, fields_of
from filterd.reports.template_sandbox import TemplateSandbox, TemplateValues
from filterd.texts.i18n import Texts
from tests.support.drawn_report import drawn_report
from tests.support.report_sample import FACTS

if TYPE_CHECKING:
    from filterd.reports.report_document import ReportDocument
    from filterd.texts.i18n import Language


def _filled(document: ReportDocument, source: str) -> str:
    values = TemplateValues(document.language)
    return TemplateSandbox(fields_of(document, FACTS, values, str.upper)).fill(source)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_field_that_is_listed_is_there_and_explained(language: Language) -> None:
    document = drawn_report(language)
    rows = field_rows(document, Texts(language))
    assert all(row["meaning"] for row in rows)
    ends = [re.sub("%[a-z]+ for", "% for", row["field"]) for row in rows]
    source = "".join(f"{end}{{% endfor %}}" if "for" in end else end for end in ends)
    assert "Trường THCS" in _filled(document, source)


def test_every_field_of_the_top_is_listed() -> None:
    listed = " ".join(row["field"] for row in field_rows(drawn_report(), Texts("vi")))
    for name in fields_of(drawn_report(), FACTS, TemplateValues("vi"), str):
        assert re.search(rf"\b{name}\b", listed), name


def test_parts_are_named_by_their_ids() -> None:
    source = "{{ figures.days_in }} {{ answers.pupils }} {{ texts.gap }} {{ codes.code }}"
    filled = _filled(drawn_report(), source)
    assert filled.startswith("1.234 [cần điền: Số học sinh] Có một khoảng")
    rows = "{% for row in tables.long.rows %}{{ row[1] }};{% endfor %}{{ tables.long.total[1] }}"
    assert _filled(drawn_report(), rows).startswith("0;1;2;")


def test_a_page_that_is_no_administrative_document_has_no_head() -> None:
    letter = replace(drawn_report(), head=None, signature=None)
    assert (
        _filled(letter, "{% if issuer %}head{% endif %}{{ signer }}|{{ first }}") == "|01/09/2026"
    )


def test_what_limits_the_figures_is_a_list_of_its_own() -> None:
    filled = _filled(drawn_report(), "{{ period }}{% for one in warnings %};{{ one }}{% endfor %}")
    assert filled.startswith("từ ngày 01/09/2026 đến ngày 02/11/2026;Có một khoảng")
