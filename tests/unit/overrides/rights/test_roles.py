# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.base.errors import ControlError
from filterd.overrides.rights.roles import (
    ADMINS,
    SHARED,
    TEACHERS,
    Author,
    PasswordNeededError,
    Rank,
    Role,
    person_of,
)
from filterd.texts.i18n import say

DAEMON = 991


@pytest.mark.parametrize(
    ("uid", "groups", "rank"),
    [
        (0, set(), Rank.ADMIN),
        (DAEMON, set(), Rank.ADMIN),
        (1001, {ADMINS}, Rank.ADMIN),
        (1001, {ADMINS, TEACHERS}, Rank.ADMIN),
        (1001, {"users", TEACHERS}, Rank.TEACHER),
        (1001, {"users", "root", "filterd"}, Rank.READER),
        (1001, set(), Rank.READER),
    ],
)
def test_a_rank_comes_from_the_user_and_the_groups(uid: int, groups: set[str], rank: Rank) -> None:
    assert Author.of(uid, "lan", groups, DAEMON).rank is rank


@pytest.mark.parametrize(
    ("roles", "rank"),
    [
        ((), Rank.READER),
        ((Role.PRINCIPAL, Role.INSPECTOR), Rank.READER),
        ((Role.TEACHER,), Rank.TEACHER),
        ((Role.TEACHER, Role.ADMIN), Rank.ADMIN),
    ],
)
def test_an_account_has_the_rank_of_its_roles(roles: tuple[Role, ...], rank: Rank) -> None:
    author = Author.with_roles("web:lan", frozenset(roles))
    assert (author.rank, author.person) == (rank, "lan")
    assert Author.of(1001, "lan", set(), DAEMON).person == author.person


def test_a_refusal_names_the_role_that_may() -> None:
    with pytest.raises(ControlError, match="lan may not reload; administrators may: root and the"):
        Author("lan", Rank.TEACHER).must_be(Rank.ADMIN, say("reload"))
    with pytest.raises(ControlError, match="may: the groups filterd-teacher and filterd-admin"):
        Author("lan", Rank.READER).must_be(Rank.TEACHER, say("change anything"))
    Author("lan", Rank.ADMIN).must_be(Rank.TEACHER, say("change anything"))


def test_a_higher_rank_includes_the_lower_and_each_has_its_number() -> None:
    assert [(one.name, one.value) for one in sorted(Rank)] == [
        ("READER", 0),
        ("TEACHER", 1),
        ("ADMIN", 2),
    ]
    for least in Rank:
        for rank in Rank:
            author = Author("lan", rank)
            if rank >= least:
                author.must_be(least, say("reload"))
            else:
                with pytest.raises(ControlError):
                    author.must_be(least, say("reload"))


@pytest.mark.parametrize(
    ("author", "person"), [("lan", "lan"), ("web:lan", "lan"), ("api:web:lan", "lan"), ("", "")]
)
def test_a_person_is_what_stands_after_the_channel(author: str, person: str) -> None:
    assert person_of(author) == person


def test_a_user_of_the_gateway_has_the_roles_of_the_groups_and_may_read() -> None:
    author = Author.of(1001, "lan", {"filterd-principal", "filterd-inspector"}, DAEMON)
    assert author.roles == {Role.READER, Role.PRINCIPAL, Role.INSPECTOR}
    assert Author.of(0, "root", set(), DAEMON).roles == {Role.READER, Role.ADMIN}
    assert {"root", "filterd"} == SHARED


def test_roles_are_an_interface_and_nobody_is_root_or_fresh_by_default() -> None:
    assert [one.value for one in Role] == ["reader", "teacher", "principal", "inspector", "admin"]
    assert not Author("lan", Rank.READER).is_fresh
    assert not Author.with_roles("lan", frozenset()).is_fresh
    assert Author.of(1, "lan", set(), DAEMON).rank is Rank.READER
    assert PasswordNeededError.code == "password-needed"
