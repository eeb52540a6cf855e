# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from typing import Any

import pytest

from filterd.errors import ConfigErrors
from filterd.lists.list_queries import NamingEntry
from filterd.overrides.mistake_reports import Report, dump, parse, reports_in
from tests.support.changes import Book, an_exception
from tests.support.policies import NOW

ENTRY = NamingEntry("copied", "malware", "*.uni.example", 4, "0123456789ab")


def a_book() -> Book:
    book = Book()
    seen: dict[str, Any] = {
        "seen_in": "v7",
        "filterd": "0.1",
        "entries": [ENTRY, ENTRY._replace(entry="=b.test")],
    }
    book.make("report-mistake", name="uni.example", reason="trường đại học", **seen)
    book.make("exception", **an_exception())
    book.make("report-mistake", name="b.example")
    book.make("report-mistake", name="c.example")
    book.make("undo", number=3)
    return book


def test_the_mistakes_that_were_reported_are_told_but_for_those_taken_back() -> None:
    assert reports_in(a_book().newest_first(), "THCS Mẫu") == (
        Report(
            "THCS Mẫu",
            1,
            NOW,
            "uni.example",
            "trường đại học",
            "v7",
            "0.1",
            (ENTRY, ENTRY._replace(entry="=b.test")),
        ),
        Report("THCS Mẫu", 4, NOW, "c.example", "bài học"),
    )


def test_the_centre_reads_what_a_school_writes_and_learns_of_nobody() -> None:
    reports = reports_in(a_book().newest_first(), "THCS Mẫu")
    text = dump(reports)
    assert parse(text, "x") == reports
    assert "lan" not in text
    assert text.count("\n") == 2
    entry = json.loads(text.splitlines()[0])["entries"][0]
    assert entry == {
        "list": "copied",
        "category": "malware",
        "entry": "*.uni.example",
        "line": 4,
        "version": "0123456789ab",
    }


def test_what_is_wrong_is_told_with_its_line() -> None:
    good = json.loads(dump(reports_in(a_book().newest_first(), "s")).splitlines()[0])
    lines = [
        json.dumps(good),
        "no json",
        json.dumps(good | {"name": "x"}),
        "",
        json.dumps(good | {"pupil": "Nam"}),
        json.dumps(good | {"reason": ""}),
        "[" * 9000,
        json.dumps(good | {"reason": ["x"]}),
        json.dumps(good | {"entries": [{"list": "copied"}]}),
        json.dumps(good | {"entries": ["copied"]}),
        json.dumps(good | {"entries": [ENTRY._asdict() | {"line": "4"}]}),
    ]
    with pytest.raises(ConfigErrors) as refused:
        parse("\n".join(lines), "reports.jsonl")
    places = [error.place for error in refused.value.errors]
    assert places == [f"reports.jsonl:{line}" for line in (2, 3, 5, 6, 7, 8, 9, 10, 11)]


def test_a_file_of_nothing_good_is_told_of_briefly() -> None:
    with pytest.raises(ConfigErrors) as refused:
        parse("x\n" * 1000, "reports.jsonl")
    assert len(refused.value.errors) == 20
