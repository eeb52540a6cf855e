# SPDX-License-Identifier: Apache-2.0
"""A grant has the rights of its token."""

from __future__ import annotations

from filterd.accounts.grant import EVERY_SCOPE, NO_GRANT, AuthorChannel, Grant, TokenScope
from filterd.overrides.rights.roles import Author, Rank, Role, person_of


def test_the_history_shows_the_way_before_the_name() -> None:
    for channel in AuthorChannel:
        author = Grant("lan", frozenset((Role.TEACHER,)), channel).author
        assert author == f"{channel.value}:lan"
        assert person_of(author) == "lan"


def test_without_a_session_there_is_no_right() -> None:
    author = Author.with_roles(NO_GRANT.author, NO_GRANT.roles)
    assert (author.rank, author.roles) == (Rank.READER, frozenset())


def test_a_grant_is_of_the_web_and_not_fresh_and_holds() -> None:
    grant = Grant("lan", frozenset())
    assert (grant.channel, grant.is_fresh, grant.holds()) == (AuthorChannel.WEB, False, True)


def test_nobody_has_no_name_and_no_role() -> None:
    assert (NO_GRANT.account, NO_GRANT.roles, NO_GRANT.author) == ("", frozenset(), "web:")


def test_every_scope_is_a_scope() -> None:
    assert set(EVERY_SCOPE) == set(TokenScope)
