# SPDX-License-Identifier: Apache-2.0
"""Entries of third parties that close exactly a name are found, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.lists.false_positives import naming_entries, version_of
from tests.support.policies import an_index, wire

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.lists.index import Index

LISTS = {
    "copied": ("malware", "domains", False, ["# a comment", "uni.example"]),
    "games": ("games", "adblock", False, ["||uni.example^", "@@||left.example^"]),
    "hosts": ("games", "hosts", False, ["0.0.0.0 exact.example"]),
    "own": ("games", "domains", True, ["own.example"]),
}


@pytest.fixture
def index(tmp_path: Path) -> Index:
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
    name: str, expected: list[tuple[str, str, str, int]], index: Index
) -> None:
    found = sorted(naming_entries(index, wire(name)))
    assert [one[:4] for one in found] == expected
    versions = {one.id: one.digest for one in index.lists}
    assert all(versions[one.list].startswith(one.version) for one in found)
    assert all(len(one.version) == 12 for one in found)


def test_a_version_is_the_beginning_of_the_digest(tmp_path: Path, index: Index) -> None:
    assert version_of(index) == index.digest.hex()[:12]
    (tmp_path / "other").mkdir()
    fewer = {key: one for key, one in LISTS.items() if key != "games"}
    assert version_of(an_index(tmp_path / "other", fewer)) != version_of(index)
