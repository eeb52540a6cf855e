# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import re

import pytest

from filterd.lists.report import (
    SAMPLES,
    SHOWN_CHARACTERS,
    CompileReport,
    ListReport,
    Reason,
    shown,
)


def test_every_code_is_lower_case_words() -> None:
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", reason) for reason in Reason)


def test_every_explanation_continues_a_sentence() -> None:
    assert all(
        re.fullmatch(r"(is|has|asks|hides|maps|names|does|would) .*[^.]", reason.explanation)
        for reason in Reason
    )


def test_reason_is_found_by_its_code() -> None:
    assert Reason("single-label") is Reason.SINGLE_LABEL


def a_report() -> CompileReport:
    one = ListReport("a", "ads", "hosts", "/lists/a", lines=9, kept=3, set_aside=2)
    one.refused = {"pinned": 1, "single-label": 2}
    one.problems = {"bad-syntax": 1}
    one.add_sample(4, "pinned", "example.com")
    return CompileReport([one, ListReport("b", "ads", "hosts", "/lists/b", kept=4)], 7, 1.5)


def test_report_survives_json() -> None:
    report = a_report()
    assert CompileReport.from_plain(json.loads(json.dumps(report.to_plain()))) == report


def test_totals_add_up_over_lists() -> None:
    report = a_report()
    assert (report.kept, report.refused, report.set_aside, report.problems) == (7, 3, 2, 1)


def test_samples_are_bounded() -> None:
    report = ListReport("a", "ads", "hosts", "a")
    for line in range(SAMPLES + 5):
        report.add_sample(line, "bad-syntax", "x")
    assert [sample.line for sample in report.samples] == list(range(SAMPLES))


@pytest.mark.parametrize(
    "text", ["\n\r\t\0", "\x1b[31m", "\u202etxt", "\udcff", "é" * 500, "x" * 10_000, "\U0001f600"]
)
def test_shown_text_is_short_and_printable_ascii(text: str) -> None:
    harmless = shown(text)
    assert harmless.isascii()
    assert harmless.isprintable()
    assert len(harmless) <= 10 * SHOWN_CHARACTERS


def test_plain_text_is_shown_as_it_is() -> None:
    assert shown("||ads.example^") == "||ads.example^"
