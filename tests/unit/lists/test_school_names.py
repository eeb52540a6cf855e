# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from filterd.errors import ListError
from filterd.lists import school_names
from filterd.lists.hostname import key_from_text, text_from_key
from filterd.lists.school_names import FILE, load_school_names
from filterd.paths import shipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_schools_of_the_world_ship_with_their_licence() -> None:
    names = load_school_names()
    assert len(names) > 14_000
    assert "1060.ru" in names
    assert list(names) == sorted(set(names))
    assert all(text_from_key(key_from_text(one)) == one for one in names)
    licence = (shipped("blocklists") / FILE).with_name("LICENSE").read_text(encoding="utf-8")
    assert "The MIT License" in licence


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(school_names, "shipped", lambda _: tmp_path)
    (tmp_path / FILE).parent.mkdir()
    load_school_names.cache_clear()
    yield tmp_path / FILE
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
