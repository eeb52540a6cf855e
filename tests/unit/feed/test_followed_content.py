# SPDX-License-Identifier: Apache-2.0
"""Content made in a child, which may be ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.errors import ListError, StoreError, TooLargeError
from filterd.feed.follow_file import Wanted
from filterd.feed.followed_content import ContentRequest, make_in_child
from filterd.feed.followed_sources import own_source
from filterd.lists.hostname import key_from_text

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = own_source(Wanted("bets", "https://lists.example/bets.txt", "gambling"))


@pytest.fixture
def wanted(tmp_path: Path) -> ContentRequest:
    text = tmp_path / "bets.txt"
    text.write_text("bet1.example\nmistake.example\n")
    return ContentRequest([SOURCE], {"bets": text}, {"bets": {key_from_text("mistake.example")}})


def _files(folder: Path) -> dict[Path, bytes]:
    return {one.relative_to(folder): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_a_child_makes_what_is_made_here(wanted: ContentRequest, tmp_path: Path) -> None:
    make_in_child(wanted, tmp_path / "made", memory_octets=1 << 29)
    wanted.write(tmp_path / "here")
    assert _files(tmp_path / "made") == _files(tmp_path / "here")
    assert (tmp_path / "made" / "lists" / "feed-gambling.txt").read_text() == "bet1.example\n"


def test_what_is_wrong_comes_back_in_words(wanted: ContentRequest, tmp_path: Path) -> None:
    wanted.texts["bets"].unlink()
    with pytest.raises(ListError, match=r"bets\.txt: cannot be read"):
        make_in_child(wanted, tmp_path / "made", memory_octets=1 << 29)


def test_a_child_without_enough_memory_says_so(wanted: ContentRequest, tmp_path: Path) -> None:
    wanted.texts["bets"].write_text("".join(f"a{n}.example\n" for n in range(200_000)))
    with pytest.raises(TooLargeError, match="more memory than this machine has"):
        make_in_child(wanted, tmp_path / "made", memory_octets=90 << 20)


def test_a_disk_that_refuses_is_no_fault_of_the_lists(
    wanted: ContentRequest, tmp_path: Path
) -> None:
    (tmp_path / "made").write_text("in the way")
    with pytest.raises(StoreError, match="of: cannot be written"):
        make_in_child(wanted, tmp_path / "made" / "of", memory_octets=1 << 29)


def test_control_with_enough_memory_the_same_is_made(
    wanted: ContentRequest, tmp_path: Path
) -> None:
    wanted.texts["bets"].write_text("".join(f"a{n}.example\n" for n in range(200_000)))
    make_in_child(wanted, tmp_path / "made", memory_octets=1 << 29)
    assert (tmp_path / "made" / "catalog.yaml").exists()


def test_a_child_that_takes_too_long_is_ended(wanted: ContentRequest, tmp_path: Path) -> None:
    with pytest.raises(ListError, match="it took more than 0 s"):
        make_in_child(wanted, tmp_path / "made", memory_octets=1 << 29, time_limit_s=0.01)


def test_a_child_that_the_system_ends_is_told_of(
    wanted: ContentRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = ["/bin/sh", "-c", "kill -9 $$"]
    monkeypatch.setattr("filterd.bounded_child.command", lambda _: killed)
    with pytest.raises(ListError, match="cannot be merged: the kernel ended it"):
        make_in_child(wanted, tmp_path / "made", memory_octets=1 << 29)
