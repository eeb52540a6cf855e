# SPDX-License-Identifier: Apache-2.0
"""What the compiled lists are and say is told as plain data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from filterd.lists.list_queries import entries_of, naming_entries, overview, version_of
from filterd.lists.report import CompileReport
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


def test_who_names_a_name_or_what_is_above_it_is_told_with_the_line(index: Index) -> None:
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
    told = json.loads(json.dumps(overview(index)))
    assert (told.pop("build"), told.pop("octets")) == (index.build, index.size_octets)
    assert CompileReport.from_plain(told) == index.report


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
    assert version_of(third_party_index) == third_party_index.digest.hex()[:12]
    (tmp_path / "other").mkdir()
    fewer = {key: one for key, one in LISTS.items() if key != "games"}
    assert version_of(an_index(tmp_path / "other", fewer)) != version_of(third_party_index)
