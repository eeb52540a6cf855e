# SPDX-License-Identifier: Apache-2.0
"""The compiled lists and their entries are returned as plain data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from filterd.lists.list_queries import (
    content_version,
    entries_of,
    naming_entries,
    not_taken_rows,
    overview,
    report_listing,
)
from filterd.lists.report import CompileReport, ListReport
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock, Wording
from tests.support.policies import an_index, wire

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.lists.index import Index


@pytest.fixture
def index(tmp_path: Path) -> Index:
    lists = {
        "games": ("games", "adblock", False, ["||game.example^", "@@||www.game.example^"]),
        "own": ("games", "domains", True, ["# mine", "www.game.example"]),
    }
    return an_index(tmp_path, lists)


def test_lists_that_have_a_name_or_one_above_it_are_shown_with_the_line(index: Index) -> None:
    found = {
        (one["list"], one["effect"]): one for one in entries_of(index, wire("www.game.example"))
    }
    assert found["own", "BLOCK"] == {
        "name": "www.game.example",
        "entry": "www.game.example",
        "effect": "BLOCK",
        "list": "own",
        "category": "games",
        "line": 2,
    }
    assert (found["games", "BLOCK"]["name"], found["games", "BLOCK"]["line"]) == ("game.example", 1)
    assert entries_of(index, wire("other.example")) == []


def test_what_became_of_the_lists_can_be_sent_and_read_again(index: Index) -> None:
    plain = json.loads(json.dumps(overview(index)))
    assert (plain.pop("build"), plain.pop("octets")) == (index.build, index.size_octets)
    assert CompileReport.from_plain(plain) == index.report


LISTS = {
    "copied": ("malware", "domains", False, ["# a comment", "uni.example"]),
    "games": ("games", "adblock", False, ["||uni.example^", "@@||left.example^"]),
    "hosts": ("games", "hosts", False, ["0.0.0.0 exact.example"]),
    "own": ("games", "domains", True, ["own.example"]),
}


@pytest.fixture
def third_party_index(tmp_path: Path) -> Index:
    return an_index(tmp_path, LISTS)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "uni.example",
            [("copied", "malware", "uni.example", 2), ("games", "games", "uni.example", 1)],
        ),
        ("exact.example", [("hosts", "games", "=exact.example", 1)]),
        ("www.uni.example", []),
        ("example", []),
        ("left.example", []),
        ("own.example", []),
        ("other.example", []),
    ],
)
def test_what_third_parties_say_of_a_name(
    name: str, expected: list[tuple[str, str, str, int]], third_party_index: Index
) -> None:
    found = sorted(naming_entries(third_party_index, wire(name)))
    assert [one[:4] for one in found] == expected
    versions = {one.id: one.digest for one in third_party_index.lists}
    assert all(versions[one.list].startswith(one.version) for one in found)
    assert all(len(one.version) == 12 for one in found)


def test_a_version_is_the_beginning_of_the_digest(tmp_path: Path, third_party_index: Index) -> None:
    assert content_version(third_party_index) == third_party_index.digest.hex()[:12]
    (tmp_path / "other").mkdir()
    fewer = {key: one for key, one in LISTS.items() if key != "games"}
    assert content_version(an_index(tmp_path / "other", fewer)) != content_version(
        third_party_index
    )


def _cells(report: CompileReport) -> list[list[str]]:
    wording = Wording(Texts("en"), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), 0.0))
    listing, rows = report_listing(report)
    headings = [str(column.heading) for column in listing.columns]
    return [
        headings,
        *([column.cell(row, wording)[0] for column in listing.columns] for row in rows),
    ]


def test_a_report_has_a_row_for_each_list_and_one_for_all_services() -> None:
    lists = [
        ListReport("a", "games", "hosts", "a.txt", kept=1_000, redundant=2),
        *(ListReport(f"service:{n}", "games", "", "", kept=n, cancelled=1) for n in (1, 2)),
    ]
    assert _cells(CompileReport(lists)) == [
        ["List", "Category", "Kept", "Redundant", "Rejected"],
        ["a", "games", "1\u202f000", "2", "0"],
        ["(2 services)", "", "3", "0", "2"],
    ]
    assert _cells(CompileReport(lists[:1]))[0] == ["List", "Category", "Kept", "Redundant"]


def test_what_was_not_taken_is_counted_by_reason_the_most_first() -> None:
    lists = [
        ListReport("a", "games", "hosts", "a.txt", refused={"pinned": 1}, set_aside=2),
        ListReport("b", "games", "hosts", "b.txt", problems={"too-long": 7, "pinned": 0}),
        ListReport("c", "games", "hosts", "c.txt", refused={"pinned": 4}, cancelled=1),
    ]
    rows = [(row["reason"], row["n"]) for row in not_taken_rows(CompileReport(lists))]
    assert rows == [("too-long", 7), ("pinned", 5), ("protected", 2), ("cancelled", 1)]
