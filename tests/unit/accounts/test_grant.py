# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from filterd.accounts.grant import NO_GRANT, AuthorChannel, Grant
from filterd.overrides.roles import Author, Rank, Role, person_of


def test_the_history_shows_the_way_before_the_name() -> None:
    for channel in AuthorChannel:
        author = Grant("lan", frozenset((Role.TEACHER,)), channel).author
        assert author == f"{channel.value}:lan"
        assert person_of(author) == "lan"


def test_without_a_session_there_is_no_right() -> None:
    author = Author.with_roles(NO_GRANT.author, NO_GRANT.roles)
    assert (author.rank, author.roles) == (Rank.READER, frozenset())
