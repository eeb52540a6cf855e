# SPDX-License-Identifier: Apache-2.0
"""Letterhead, schedule and programmes: what a form shows is what it writes again."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.config.reporting_schema import ReportEntry
from filterd.web.sections.report_section import ALERTS, LOG, PROGRAMMES, REPORT

ENTRY: dict[str, Any] = {
    "superior": "UBND phường",
    "symbol": "BC-THCS",
    "recipients": ["Như trên;", "Lưu: VT."],
    "signer": {"post": "Hiệu trưởng", "name": "Trần Thị Mai"},
    "terms": {"hoc-ky-1": "09-05..01-15"},
    "year_begins": "09-05",
    "template": "mau.docx",
    "schedule": [
        {"every": "month", "formats": ["docx", "xlsx"], "folder": "/media/u s b", "mail": True},
        {"every": "year", "mail": True},
    ],
    "programmes": [{"name": "Cũ"}, {"name": "Mới", "from": "2026-10-01", "legal_bases": ["Luật"]}],
}
DATA = {"report": ENTRY}


def _made(edits: list[dict[str, Any]]) -> dict[str, Any]:
    return {edit["path"][1]: edit["value"] for edit in edits}


def test_a_form_that_is_sent_as_it_was_changes_nothing() -> None:
    made = _made(REPORT.edits(DATA, REPORT.parameters.read(REPORT.values(DATA, ""))))
    assert {key: value for key, value in made.items() if value is not None} == {
        key: value for key, value in ENTRY.items() if key != "programmes"
    }


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("month to=/media/usb", {"every": "month", "folder": "/media/usb"}),
        ("term docx csv mail", {"every": "term", "formats": ["docx", "csv"], "mail": True}),
        ("week html 'to=/mnt/a b'", {"every": "week", "formats": ["html"], "folder": "/mnt/a b"}),
    ],
)
def test_a_line_is_a_schedule(line: str, entry: dict[str, Any]) -> None:
    schedule = _made(REPORT.edits({}, {"schedule": [line]}))["schedule"]
    assert schedule == [entry]
    ReportEntry.model_validate({"schedule": schedule})


def test_a_line_that_is_none_is_named() -> None:
    for wrong in ("month 'docx", "month docx to='"):
        with pytest.raises(ConfigError, match="does not have the form"):
            REPORT.edits({}, {"schedule": [wrong]})
    with pytest.raises(ConfigError, match="does not have the form"):
        REPORT.edits({}, {"terms": ["hoc-ky-1"]})


def test_an_empty_form_takes_everything_out_but_the_programmes() -> None:
    made = _made(REPORT.edits(DATA, {}))
    assert set(made.values()) == {None}
    assert "programmes" not in made


def test_a_programme_is_added_changed_and_taken_out() -> None:
    assert PROGRAMMES.items is not None
    assert PROGRAMMES.items(DATA) == ["Cũ", "Mới"]
    assert PROGRAMMES.values(DATA, "Mới")["from"] == "2026-10-01"
    added = _made(PROGRAMMES.edits(DATA, {"item": "Sau", "from": "2031-01-01"}))["programmes"]
    assert added == [*ENTRY["programmes"], {"name": "Sau", "from": "2031-01-01"}]
    changed = _made(PROGRAMMES.edits(DATA, {"item": "Mới", "receiver": "Sở"}))["programmes"]
    assert changed == [{"name": "Cũ"}, {"name": "Mới", "receiver": "Sở"}]
    left = _made(PROGRAMMES.edits(DATA, {"item": "Mới", "remove": True}))["programmes"]
    assert left == [{"name": "Cũ"}]
    ReportEntry.model_validate({"programmes": added})


def test_days_that_are_left_out_are_those_of_filterd() -> None:
    edits = LOG.edits({}, {"level": "names", "tiers": ["primary off"]})
    assert {"path": ["log", "keep_days"], "value": None} in edits
    assert {"path": ["log", "tiers"], "value": {"primary": "off"}} in edits


def test_the_secret_of_a_webhook_keeps_its_file() -> None:
    data = {"alerts": {"webhook": {"url": "https://a.vn/x", "token_file": "t"}}}
    _, webhook = ALERTS.edits(data, {"webhook": "https://a.vn/y"})
    assert webhook["value"] == {"url": "https://a.vn/y", "token_file": "t"}
    assert ALERTS.edits(data, {}) == [{"path": ["alerts"], "value": None}]
