# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ListError
from filterd.base.paths import shipped
from filterd.lists import top_names as module
from filterd.lists.catalogs.catalog_tables import PopularName
from filterd.lists.hostname import key_from_text, text_from_key
from filterd.lists.rules import Scope
from filterd.lists.top_names import (
    SCHOOLS_FILE,
    Popular,
    Ranked,
    load_school_names,
    read_popular,
)
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterator
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


FROZEN = Popular(
    ["rank.example"],
    [
        PopularName(names.from_text("vk.example"), frozenset({"social-media"})),
        PopularName(names.from_text("bank.example")),
    ],
)


@pytest.mark.parametrize(
    ("name", "scope", "category", "closed"),
    [
        ("vk.example", Scope.EXACT, "scam", ["vk.example"]),
        ("vk.example", Scope.SUBTREE, "social-media", []),
        ("www.vk.example", Scope.EXACT, "scam", ["vk.example"]),
        ("www.vk.example", Scope.EXACT, "social-media", []),
        ("bank.example", Scope.SUBTREE, "scam", ["bank.example"]),
        ("m.bank.example", Scope.SUBTREE, "scam", []),
        ("rank.example", Scope.SUBTREE, "scam", []),
    ],
)
def test_names_that_must_stay_open_are_closed_by_no_category_but_theirs(
    name: str, scope: Scope, category: str, closed: list[str]
) -> None:
    assert list(FROZEN.wrongly_closed_by(key_from_text(name), scope, category)) == closed
    assert FROZEN.text() == b"rank.example\n", "a version carries the ranking alone"


def test_what_ships_is_known_with_a_ranking_and_without(tmp_path: Path) -> None:
    path = tmp_path / "popular.txt"
    path.write_text("a.example\n")
    for popular in (read_popular(None), read_popular(path)):
        assert popular.frozen["vk.com"] == {"social-media"}
    assert read_popular(None).names == ()


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


def test_a_file_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="cannot be read"):
        read_popular(tmp_path / "none")


def test_schools_of_the_world_ship_with_their_licence() -> None:
    names = load_school_names()
    assert len(names) > 14_000
    assert "1060.ru" in names
    assert list(names) == sorted(set(names))
    assert all(text_from_key(key_from_text(name)) == name for name in names)
    licence = (
        (shipped("blocklists") / SCHOOLS_FILE).with_name("LICENSE").read_text(encoding="utf-8")
    )
    assert "The MIT License" in licence


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(module, "shipped", lambda _: tmp_path)
    (tmp_path / SCHOOLS_FILE).parent.mkdir()
    load_school_names.cache_clear()
    yield tmp_path / SCHOOLS_FILE
    load_school_names.cache_clear()


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"a.example", "is damaged"),
        (gzip.compress(b"a.example\n")[:-4], "it is cut short"),
        (gzip.compress(b""), "it is cut short"),
        (gzip.compress(b"a.example\n" * 200_000), "it is cut short"),
        (gzip.compress("trường.example".encode()), "is damaged"),
    ],
)
def test_a_damaged_file_is_refused_in_words(file: Path, octets: bytes, why: str) -> None:
    file.write_bytes(octets)
    with pytest.raises(ListError, match=why):
        load_school_names()


def test_a_file_that_is_gone_is_named(file: Path) -> None:
    with pytest.raises(ListError, match=file.name):
        load_school_names()
