# SPDX-License-Identifier: Apache-2.0
"""A token for a program does what its scope allows, from its addresses and until its end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from filterd.base.errors import FilterdError
from filterd.daemon.handlers import account_grants
from tests.support.account_school import PUPIL, ROOT, STAFF, STAFF_TOO, AccountSchool

DAY = 86_400


def made(people: AccountSchool, **given: Any) -> str:
    whole = {"account": "minh", "name": "bảng tin", "role": "admin", "scope": "all", "days": 30}
    return str(people.ask("account token-add", **{**whole, **given})["token"])


async def _noted(people: AccountSchool) -> None:
    await asyncio.gather(*people.accounts._tokens._noting.values())


def test_it_acts_in_the_accounts_name_and_the_history_shows_the_way(
    people: AccountSchool,
) -> None:
    token = made(people)
    assert people.web("change", token, kind="exception") == ["api:minh", 2]
    assert people.noted == [
        ("root", {"what": "token-added", "account": "minh", "label": "bảng tin"})
    ]
    people.runner.run(_noted(people))
    (row,) = people.ask("account token-list")
    assert (row["used_on"], row["ended"]) == ("2025-12-01", False)
    assert token not in repr(row)


@pytest.mark.parametrize(
    ("scope", "may", "may_not"),
    [
        ("totals", {"status"}, {"overrides", "lists", "change"}),
        ("lists", {"lists"}, {"status", "change"}),
        ("exceptions", {"overrides", "change"}, {"status", "lists"}),
        ("log", set(), {"status", "change", "overrides"}),
        ("all-read", {"status", "lists", "overrides"}, {"change"}),
        ("all", {"status", "lists", "overrides", "change"}, set()),
    ],
)
def test_a_leaked_token_does_no_more_than_its_scope(
    people: AccountSchool, scope: str, may: set[str], may_not: set[str]
) -> None:
    token = made(people, scope=scope)
    for command in may:
        assert people.web(command, token, kind="exception")
    for command in may_not:
        assert people.code_of(command, token, kind="exception") == "control"
    assert people.code_of("change", token, kind="log-level", level="full") == "control"
    if scope != "all":
        assert people.code_of("change", token, kind="undo") == "control"
    for command in ("account list", "account add", "account token-add", "confirm-password"):
        assert people.code_of(command, token) == "control"


def test_control_without_scopes_it_does_all_of_its_role(
    people: AccountSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account_grants, "is_in_scope", lambda *_: True)
    assert people.web("change", made(people, scope="totals"), kind="grade") == ["api:minh", 2]


def test_it_has_one_role_and_no_more_than_the_account(people: AccountSchool) -> None:
    assert people.web("status", made(people, role="reader")) == ["api:minh", 0]
    with pytest.raises(FilterdError, match="lan does not have the role admin"):
        made(people, account="lan")
    token = made(people, account="lan", role="teacher")
    people.ask("account roles", account="lan", roles=["reader"])
    assert people.web("status", token) == ["api:lan", 0]
    people.ask("account disable", account="lan")
    assert people.code_of("status", token) == "sign-in"


def test_it_is_used_from_its_addresses_only(people: AccountSchool) -> None:
    token = made(people, addresses=["10.0.6.0/30", PUPIL, STAFF])
    for address in (PUPIL, STAFF, f"::ffff:{PUPIL}"):
        assert people.web("status", token, address)
        assert people.web("admit", token, address)["admitted"]
    for address in (STAFF_TOO, "10.0.6.8", "x", ""):
        assert people.code_of("status", token, address) == "not-admitted"
    assert not people.web("admit", token, "10.0.6.8")["admitted"]
    assert people.code_of("status", made(people), PUPIL) == "not-admitted"


def test_it_ends_and_is_revoked(people: AccountSchool) -> None:
    token = made(people, days=1)
    people.clock.advance(DAY)
    assert people.code_of("status", token) == "sign-in"
    token = made(people)
    number = people.ask("account token-list")[-1]["id"]
    lan = people.sign_in("lan")
    assert people.code_of("account token-revoke", lan, id=number) in {"control", "change"}
    assert people.ask("account token-revoke", id=number)["account"] == "minh"
    assert people.code_of("status", token) == "sign-in"


@pytest.mark.parametrize(
    "given",
    [
        {"name": "x" * 61},
        {"name": "a\nb"},
        {"addresses": ["10.0.0.1/8"]},
        {"account": "ai"},
    ],
    ids=repr,
)
def test_what_a_token_must_be_is_checked(people: AccountSchool, given: dict[str, Any]) -> None:
    with pytest.raises(FilterdError):
        made(people, **given)


def test_without_the_time_no_token_is_made(people: AccountSchool) -> None:
    token = made(people)
    people.is_time_known = False
    with pytest.raises(FilterdError, match="time is not known"):
        made(people)
    assert people.web("status", token)


def test_an_account_has_a_bounded_number_of_them(people: AccountSchool) -> None:
    for _ in range(20):
        made(people)
    with pytest.raises(FilterdError, match="revoke one first"):
        made(people)
    assert people.ask("account token-list", ROOT, account="lan") == []
