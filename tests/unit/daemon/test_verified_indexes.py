# SPDX-License-Identifier: Apache-2.0
"""An index is read once for as long as it is used, and what was read was verified."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import IndexFormatError
from filterd.daemon.verified_indexes import VerifiedIndexes
from filterd.lists.index_format import HEADER_OCTETS
from tests.support.bad_card import bad_pages
from tests.support.indexes import a_list, compiled

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return compiled(tmp_path, a_list(tmp_path, "bad.com\n")).path


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "checked"


def _replace(path: Path, content: bytes) -> None:
    """Put another file in its place, as a build does."""
    fresh = path.with_name("fresh")
    fresh.write_bytes(content)
    fresh.replace(path)


def test_the_same_file_is_not_read_again(path: Path, record: Path) -> None:
    indexes = VerifiedIndexes()
    first = indexes.open(path, record)
    assert indexes.open(path, record) is first
    second_name = path.with_name("second")
    os.link(path, second_name)
    assert indexes.open(second_name, record) is first
    assert indexes.has(path.stat())


def test_a_file_in_its_place_is_another(path: Path, record: Path) -> None:
    indexes = VerifiedIndexes()
    first = indexes.open(path, record)
    _replace(path, path.read_bytes())
    assert not indexes.has(path.stat())
    assert indexes.open(path, record) is not first


def test_what_is_not_used_any_more_is_let_go(path: Path, record: Path) -> None:
    indexes = VerifiedIndexes()
    assert indexes.open(path, record).lists
    assert not indexes.has(path.stat())


def test_during_a_start_what_was_read_is_kept(path: Path, record: Path) -> None:
    indexes = VerifiedIndexes()
    with indexes.kept():
        mark = indexes.mark_of(indexes.open(path, record))
        assert indexes.has(path.stat())
        assert mark == indexes.mark_of(indexes.open(path, record))
    assert not indexes.has(path.stat())


def test_what_another_process_has_read_is_known_by_its_mark(path: Path, record: Path) -> None:
    first, second = VerifiedIndexes(), VerifiedIndexes()
    index = first.open(path, record)
    mark = first.mark_of(index)
    assert mark is not None
    assert second.mark_of(index) is None
    second.note(index, mark)
    assert second.open(path, record) is index


def test_one_that_is_damaged_is_refused_by_name(path: Path, record: Path) -> None:
    content = bytearray(path.read_bytes())
    content[HEADER_OCTETS + 40] ^= 1
    _replace(path, bytes(content))
    with pytest.raises(IndexFormatError, match=f"{path.name}: the index is damaged"):
        VerifiedIndexes().open(path, record)


@pytest.mark.usefixtures("needs_fuse")
def test_a_page_that_cannot_be_read_is_an_error(path: Path, record: Path) -> None:
    with bad_pages(path, [0]), pytest.raises(OSError, match="Input/output error"):
        VerifiedIndexes().open(path, record)


@pytest.mark.usefixtures("needs_fuse")
def test_one_that_was_read_is_found_though_the_card_has_failed_since(
    path: Path, record: Path
) -> None:
    indexes = VerifiedIndexes()
    with bad_pages(path, [0], later=True) as card:
        first = indexes.open(path, record)
        card.spoil()
        assert indexes.open(path, record) is first
        first.verify()
