# SPDX-License-Identifier: Apache-2.0
"""``report`` in site.yaml: what is taken, and what is refused with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from filterd.config.report_schema import ReportEntry
from filterd.documents import parse
from tests.support.site import a_policy, problems

if TYPE_CHECKING:
    from pathlib import Path


def _entry(text: str) -> ReportEntry:
    return ReportEntry.model_validate(parse(text.encode(), "site.yaml").data)


def test_a_letterhead_with_programmes_terms_and_a_schedule_is_taken() -> None:
    entry = _entry(
        "superior: UBND phường\nterms: {hk1: 09-05..01-15}\nyear_begins: 09-05\n"
        "programmes: [{name: Chương trình, from: 2026-01-01, legal_bases: [Luật số 1]}]\n"
        "template: Mẫu 2026/Báo cáo.docx\nsigner: {post: Hiệu trưởng, name: Mai}\n"
        "schedule: [{every: month, formats: [xlsx], mail: true}]\n"
    )
    assert entry.programmes[0].from_ == "2026-01-01"
    assert entry.schedule[0].formats == ("xlsx",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("year_begins: 13-01\n", "is not a day of the year"),
        ("terms: {hk1: 09-05}\n", "is not a term"),
        ("terms: {hk1: 09-05..02-30}\n", "is not a day of the year"),
        ("programmes: [{name: P, from: soon}]\n", "is not a date"),
        ("schedule: [{every: month, formats: [pdf]}]\n", "formats"),
        ("schedule: [{every: month}]\n", "goes nowhere"),
        ("symbol: a/b\n", "symbol"),
        ("template: /var/lib/filterd/device.docx\n", "template"),
        ("template: ../../var/lib/filterd/device.docx\n", "template"),
        ("template: mau/../../a.docx\n", "template"),
        ("template: ./a.docx\n", "template"),
        ("template: accounts.filterd\n", "template"),
    ],
)
def test_other_values_are_refused(text: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        _entry(text)


def test_reports_are_mailed_only_where_alerts_have_a_mail_server(tmp_path: Path) -> None:
    report = "report:\n  schedule:\n    - {every: month, mail: true}\n"
    mail = "alerts: {mail: {server: m.vn, from: a@b.vn, to: [c@d.vn]}}\n"
    (problem,) = problems(tmp_path, report)
    assert "no mail server" in problem
    assert a_policy(tmp_path, report + mail).report is not None
