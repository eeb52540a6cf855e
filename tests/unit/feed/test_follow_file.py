# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from filterd.feed.follow_file import (
    LEFT_OUT_S,
    FollowFile,
    FollowState,
    LeftOut,
    Wanted,
    followed_count,
    with_command,
    with_left_out,
)
from filterd.lists.catalog import shipped_sources
from filterd.lists.hostname import key_from_text

if TYPE_CHECKING:
    from pathlib import Path

ONE = LeftOut("mistake.example", "ut1-games", "a school", 0.0, LEFT_OUT_S)
GAMES = next(one for one in shipped_sources() if one.id == "ut1-games")


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = FollowFile(tmp_path)
    assert file.read() == FollowState()
    own = Wanted("lists-example-1", "https://lists.example/a", "games", "hosts", subtrees=True)
    state = FollowState((Wanted("abpvn"), own), (ONE,), (own,))
    file.write(state)
    assert file.read() == state
    assert followed_count(tmp_path) == 1


def test_a_list_is_followed_once() -> None:
    state = with_command(FollowState(), Wanted("abpvn"), Wanted("urlhaus"))
    assert with_command(state, Wanted("abpvn")).by_command == (Wanted("urlhaus"), Wanted("abpvn"))


def test_an_entry_is_left_out_of_its_list_or_of_the_merged_one_until_it_ends() -> None:
    for name in ("ut1-games", "feed-ut1-games", "feed-games"):
        state = with_left_out(FollowState(), replace(ONE, list=name))
        keys = {key_from_text("mistake.example")}
        assert state.exclusions([GAMES], LEFT_OUT_S - 1) == {"ut1-games": keys}
        assert state.exclusions([GAMES], LEFT_OUT_S) == {}
    assert with_left_out(FollowState(), replace(ONE, list="abpvn")).exclusions([GAMES], 0) == {}


def test_the_same_command_renews_it_and_what_is_over_goes() -> None:
    state = with_left_out(FollowState(), ONE)
    other = replace(ONE, name="other.example", at=LEFT_OUT_S / 2, until=2 * LEFT_OUT_S)
    again = replace(ONE, at=LEFT_OUT_S / 2, until=LEFT_OUT_S * 1.5)
    assert with_left_out(with_left_out(state, other), again).left_out == (other, again)
    late = replace(other, at=LEFT_OUT_S, until=3 * LEFT_OUT_S)
    assert with_left_out(state, late).left_out == (late,)
