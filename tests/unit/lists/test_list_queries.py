# SPDX-License-Identifier: Apache-2.0
"""What the compiled lists are and say is told as plain data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from filterd.lists.list_queries import entries_of, overview
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
    assert CompileReport.from_json(told) == index.report
