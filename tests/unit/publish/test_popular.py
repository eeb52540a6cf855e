# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.errors import ListError
from filterd.lists.hostname import key_from_text
from filterd.lists.rules import Scope
from filterd.publish import popular as module
from filterd.publish.popular import Popular, Ranked, read_popular

if TYPE_CHECKING:
    from pathlib import Path

POPULAR = Popular(["drive.google.com", "google.com", "vnexpress.net"])


def _closed(name: str, scope: Scope) -> list[str]:
    return [one.name for one in POPULAR.closed_by(key_from_text(name), scope)]


def test_an_entry_for_one_host_closes_that_host() -> None:
    assert _closed("google.com", Scope.EXACT) == ["google.com"]
    assert _closed("www.google.com", Scope.EXACT) == []


def test_an_entry_for_all_beneath_closes_what_is_popular_there() -> None:
    assert _closed("google.com", Scope.SUBTREE) == ["drive.google.com", "google.com"]
    assert _closed("drive.google.com", Scope.SUBTREE) == ["drive.google.com"]
    assert _closed("docs.google.com", Scope.SUBTREE) == []


def test_ranks_begin_with_one() -> None:
    key = key_from_text("vnexpress.net")
    assert POPULAR.closed_by(key, Scope.EXACT) == (Ranked(3, "vnexpress.net"),)


@pytest.mark.parametrize(
    "text",
    [
        "B.example\na.example\n",
        "1,b.example\n2,a.example\n\n",
        "b.example\t900\n# top\na.example\tx\nb.example\n",
    ],
)
def test_lists_of_several_makes_are_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "popular.txt"
    path.write_text(text)
    popular = read_popular(path)
    assert popular.names == ("b.example", "a.example")
    assert popular.text() == b"b.example\na.example\n"


def test_beyond_a_rank_nothing_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    assert Popular(["a.example", "b.example", "c.example"]).names == ("a.example", "b.example")


@pytest.mark.parametrize("content", [b"", b"\0\xff\n", b"com\n"])
def test_a_file_without_names_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "popular.txt"
    path.write_bytes(content)
    with pytest.raises(ListError, match="has no names"):
        read_popular(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="cannot be read"):
        read_popular(tmp_path / "none")
