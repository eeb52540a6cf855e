# SPDX-License-Identifier: Apache-2.0
"""An explanation is worded for people, from the question to the source."""

from __future__ import annotations

import io
import unicodedata
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from filterd.cli.render import details
from filterd.resolve.explanation import EXPLANATION, may_be_closed, passes, targets_to_open
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock, Wording

BLOCKED: dict[str, Any] = {
    "qname": "www.tiktok.com",
    "qtype": "A",
    "client": "10.0.3.7",
    "mac": "00:00:5e:00:53:02",
    "network": "lop-3",
    "grade": "3",
    "tier": "primary",
    "action": "nxdomain",
    "reason": "category",
    "matched": "tiktok.com",
    "category": "social-media",
    "list": "starter-social-media",
    "entry": "tiktok.com",
    "line": 43,
    "note": None,
    "valid_until": None,
    "rewritten_to": None,
    "next_match": None,
    "source": "daemon",
}

CLOCK = SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), 1_796_120_000)


def _cells(row: dict[str, Any]) -> dict[str, str]:
    """Return the text under each heading that has one."""
    wording = Wording(Texts("en"), CLOCK)
    found = {str(column.heading): column.cell(row, wording)[0] for column in EXPLANATION.columns}
    return {heading: text for heading, text in found.items() if text}


def test_a_decision_is_explained_from_the_name_to_the_source() -> None:
    headings = list(_cells(BLOCKED))
    assert headings[:4] == ["Question", "Answer", "Because", "Category"]
    assert headings[-1] == "Asked"


def test_files_that_open_a_service_are_named_in_words() -> None:
    (set_by,) = (column for column in EXPLANATION.columns if column.heading == "Set by")
    wording = Wording(Texts("en"), CLOCK)
    cells = [set_by.cell(BLOCKED | {"changed_by": by}, wording)[0] for by in ("files", "setting:3")]
    assert cells == ["the site's files (services: allow)", "setting:3"]


@pytest.mark.parametrize(
    ("action", "is_passed"), [("pass", True), ("rewrite", True), ("nodata", False)]
)
def test_a_safe_search_twin_passes(action: str, is_passed: bool) -> None:
    row = {**BLOCKED, "action": action}
    assert passes(action) is is_passed
    (answer,) = (column for column in EXPLANATION.columns if column.heading == "Answer")
    _, style = answer.cell(row, Wording(Texts("en"), CLOCK))
    assert style == ("bold green" if is_passed else "bold red")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"action": "pass", "reason": "not-listed", "entry": None}, "PASSES (pass)"),
        ({"action": "rewrite", "reason": "rewritten"}, "PASSES (rewrite)"),
        ({"rewritten_to": "forcesafesearch.google.com"}, "forcesafesearch.google.com"),
        ({"network": None}, "unknown"),
        ({}, "00:00:5e:00:53:02"),
        ({"mac": "02:00:5e:10:00:01"}, "02:00:5e:10:00:01 (randomised by the device"),
        ({}, "no other rule: passes"),
        (
            {"next_match": {"reason": "local", "blocks": True, "category": None, "list": None}},
            "still blocked: the school's own rule",
        ),
        (
            {"next_match": {"reason": "open", "blocks": False, "category": "games", "list": "g"}},
            "passes: a category open to this grade, games, g",
        ),
        ({"note": "[vì thế]"}, "[vì thế]"),
        ({"valid_until": "2026-12-01T12:30:00+00:00"}, "19:30"),
    ],
)
def test_what_there_is_to_say_is_said(change: dict[str, Any], words: str) -> None:
    assert any(words in text for text in _cells({**BLOCKED, **change}).values())


def test_what_there_is_not_is_left_out() -> None:
    cells = {
        **BLOCKED,
        "client": None,
        "mac": None,
        "network": None,
        "category": None,
        "list": None,
        "entry": None,
        "matched": None,
    }
    shown = _cells(cells)
    assert "unknown" not in shown.values()  # it is about a grade, and no device asked
    for heading in (
        "MAC",
        "Network",
        "Category",
        "List",
        "Entry",
        "Matched name",
        "Note",
        "Valid until",
        "Without it",
    ):
        assert heading not in shown


ABOUT = {
    "name_vi": "Mạng xã hội",
    "name_en": "Social media",
    "rating": "T13",
    "min_age": 13,
    "legal_basis": ["Luật A, Điều 1", "Nghị định B"],
    "locked": False,
    "ordered": False,
}
BLOCK = 'filterd block www.tiktok.com --client 10.0.3.7 --for 45m --reason "..."'
ALLOW = BLOCK.replace("block", "allow")
BY_SERVICE = {"reason": "category", "blocks": True, "category": "x", "list": "service:tiktok"}


def test_a_category_is_reported_with_its_name_its_rating_and_its_legal_basis() -> None:
    cells = _cells({**BLOCKED, "about": ABOUT})
    assert cells["Category"] == "social-media: Social media"
    assert (cells["Rating"], cells["Legal basis"]) == (
        "T13, from age 13",
        "Luật A, Điều 1\nNghị định B",
    )


@pytest.mark.parametrize(
    ("change", "step"),
    [
        ({}, ALLOW),
        ({"client": None, "class": "9/3 a"}, ALLOW.replace("client 10.0.3.7", "class '9/3 a'")),
        ({"client": None}, ALLOW.replace("client 10.0.3.7", "grade 3")),
        ({"next_match": BY_SERVICE}, ALLOW.replace("www.tiktok.com", "service:tiktok")),
        ({"action": "pass", "reason": "not-listed"}, BLOCK),
        ({"action": "pass", "reason": "pin"}, None),
        ({"reason": "local", "entry": "exception:7"}, "filterd exceptions revoke 7"),
        ({"reason": "local", "entry": "site.yaml:7:1"}, "edit the site's file"),
        ({"reason": "allow-only"}, "filterd exam stop"),
        ({"reason": "allow-only", "changed_by": "schedule:a"}, ALLOW),
        ({"reason": "locked", "about": ABOUT}, "see `keep_closed` in site.yaml"),
        (
            {"reason": "locked", "about": {**ABOUT, "locked": True}},
            'if the list is mistaken: filterd report-mistake tiktok.com --reason "..."',
        ),
        (
            {"reason": "ordered", "about": {**ABOUT, "ordered": True}},
            "a legal order: no one at a school can open it",
        ),
        ({"reason": "private-answer"}, "see `private_answers` in site.yaml"),
        ({"reason": "never-delegated"}, None),
        ({"source": "history"}, None),
    ],
)
def test_the_next_command_is_shown_or_why_there_is_none(
    change: dict[str, Any], step: str | None
) -> None:
    assert _cells({**BLOCKED, **change}).get("To change it") == step


def _drawn(table: Any, width: int = 80) -> list[str]:
    output = io.StringIO()
    console = Console(file=output, width=width, markup=False, emoji=False, highlight=False)
    console.print(table)
    return [line.rstrip() for line in output.getvalue().splitlines()]


def test_vietnamese_headings_are_aligned() -> None:
    lines = _drawn(details(Wording(Texts("vi"), CLOCK), EXPLANATION, BLOCKED))
    assert "Danh sách             starter-social-media, dòng 43" in lines
    assert "Trả lời               BỊ CHẶN (nxdomain)" in lines
    starts = {len(line) - len(line[20:].lstrip()) for line in lines}
    assert starts == {22}
    assert all(unicodedata.is_normalized("NFC", line) for line in lines)


@pytest.mark.parametrize(
    ("change", "targets"),
    [
        ({}, ["www.tiktok.com"]),
        ({"reason": "alias"}, ["www.tiktok.com"]),
        ({"list": "service:tiktok"}, ["service:tiktok", "www.tiktok.com"]),
        (
            {"list": "service:a", "next_match": {"list": "service:b"}},
            ["service:a", "service:b", "www.tiktok.com"],
        ),
        (
            {"list": "service:a", "next_match": {"list": "service:a"}},
            ["service:a", "www.tiktok.com"],
        ),
        ({"list": None, "next_match": {"list": None}}, ["www.tiktok.com"]),
        ({"action": "pass"}, []),
        ({"action": "rewrite"}, []),
        ({"reason": "locked"}, []),
        ({"reason": "ordered"}, []),
        ({"reason": "local"}, []),
        ({"reason": "pin"}, []),
        ({"reason": "allow-only"}, []),  # an exam
        ({"reason": "allow-only", "changed_by": "schedule:a"}, ["www.tiktok.com"]),
    ],
)
def test_a_blocked_name_is_opened_by_its_service_or_itself(
    change: dict[str, Any], targets: list[str]
) -> None:
    assert targets_to_open(BLOCKED | change) == targets


@pytest.mark.parametrize(
    ("action", "reason", "may"),
    [
        *(("pass", one, True) for one in ("not-listed", "open", "service", "list-exception")),
        *(("pass", one, True) for one in ("protected", "rewritten")),
        ("rewrite", "rewritten", True),
        *(("pass", one, False) for one in ("pin", "local", "lease", "local-zone")),
        ("nxdomain", "not-listed", False),
        ("nodata", "service", False),
    ],
)
def test_a_name_may_be_closed_if_it_is_open_and_no_pin(
    action: str, reason: str, *, may: bool
) -> None:
    assert may_be_closed({"action": action, "reason": reason}) is may


@pytest.mark.parametrize(
    ("change", "heading", "text"),
    [
        ({"about": {**ABOUT, "min_age": None}}, "Rating", "T13"),
        ({"about": {**ABOUT, "rating": None}}, "Rating", "from age 13"),
        ({"about": {**ABOUT, "rating": None, "min_age": None}}, "Rating", None),
        ({}, "MAC", "00:00:5e:00:53:02"),
        ({}, "Network", "lop-3"),
        ({"network": None}, "Network", "unknown"),
        ({"action": "pass", "reason": "open"}, "Without it", None),
        ({"entry": None}, "Without it", None),
        ({}, "Without it", "no other rule: passes"),
    ],
)
def test_a_cell_has_all_that_there_is_to_say_and_no_more(
    change: dict[str, Any], heading: str, text: str | None
) -> None:
    assert _cells({**BLOCKED, **change}).get(heading) == text


@pytest.mark.parametrize(
    ("change", "step"),
    [
        (
            {"reason": "locked", "about": {**ABOUT, "ordered": True, "locked": True}},
            "a legal order: no one at a school can open it",
        ),
        (
            {"reason": "locked"},
            'if the list is mistaken: filterd report-mistake tiktok.com --reason "..."',
        ),
        ({"reason": "never-delegated", "about": ABOUT}, None),
    ],
)
def test_why_no_command_opens_it_is_by_its_category(
    change: dict[str, Any], step: str | None
) -> None:
    assert _cells({**BLOCKED, **change}).get("To change it") == step


def test_each_value_stands_under_its_heading() -> None:
    row = {
        **BLOCKED,
        "at": "2026-12-01T05:00:00+00:00",
        "about": ABOUT,
        "rewritten_to": "safe.example",
        "changed_by": "setting:3",
        "note": "bài học",
        "class": "3A",
        "valid_until": "2026-12-01T12:30:00+00:00",
    }
    cells = _cells(row)
    times = {heading: cells.pop(heading) for heading in ("At", "Valid until")}
    assert [text.split()[0] for text in times.values()] == ["12:00", "19:30"]
    assert cells == {
        "Question": "www.tiktok.com A",
        "Answer": "BLOCKED (nxdomain)",
        "Because": "a category closed to this grade",
        "Answered by": "safe.example",
        "Category": "social-media: Social media",
        "Rating": "T13, from age 13",
        "Legal basis": "Luật A, Điều 1\nNghị định B",
        "Matched name": "tiktok.com",
        "List": "starter-social-media, line 43",
        "Entry": "tiktok.com",
        "Set by": "setting:3",
        "Note": "bài học",
        "Client": "10.0.3.7",
        "MAC": "00:00:5e:00:53:02",
        "Network": "lop-3",
        "Class": "3A",
        "Grade": "3",
        "Tier": "primary",
        "Without it": "no other rule: passes",
        "To change it": ALLOW,
        "Asked": "the running daemon",
    }
