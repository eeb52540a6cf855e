# SPDX-License-Identifier: Apache-2.0
"""Decisions on lists are read within bounds, by program and manager alike."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.lists import (
    APPROVE,
    DECISIONS,
    ENTRIES,
    ApproveVersion,
    ExcludeEntry,
    FindEntries,
    FollowLists,
    Hold,
    UnfollowLists,
)
from filterd.overrides.rights.roles import Role


def test_a_decision_is_for_administrators_and_is_the_command_of_its_name() -> None:
    assert APPROVE.roles == {Role.ADMIN}
    assert APPROVE.commands == ("feed approve",)
    assert DECISIONS["feed approve"] is ApproveVersion


def test_a_version_is_a_number_or_of_public_lists() -> None:
    for version in ("12", "web-0a1b"):
        assert ApproveVersion.read({"version": version}).version == version
    assert ApproveVersion.read({}).arguments == {}


def test_lists_are_followed_as_lines_of_domains_unless_something_else_is_said() -> None:
    asked = FollowLists.read({"sources": "urlhaus\nhttps://a.example/x", "category": "games"})
    assert asked.format_ == "domains"
    sources = ["urlhaus", "https://a.example/x"]
    assert asked.arguments == {"sources": sources, "category": "games"}


def test_the_entries_of_a_name_are_asked_for_in_wire_form() -> None:
    asked = FindEntries.read({"name": "a.vn"})
    assert asked.arguments == {"qname": b"\x01a\x02vn\0".hex()}
    assert FindEntries.read_sent(asked.arguments) == asked
    assert ENTRIES.fields.required == ("name",)


@pytest.mark.parametrize(
    ("request_", "given", "why"),
    [
        (ApproveVersion, {"version": "--off"}, "does not have the form"),
        (Hold, {"version": "1"}, "no field 'version'"),
        (Hold, {"off": "yes"}, "true or false"),
        (FollowLists, {"sources": 7}, "values"),
        (FollowLists, {"sources": ["a"] * 51}, "1 to 50"),
        (UnfollowLists, {}, "sources is missing"),
        (ExcludeEntry, {"name": "a\nb", "list": "b", "reason": "c"}, "control characters"),
        (ExcludeEntry, {"name": "a", "list": "b", "reason": "a\0b"}, "control characters"),
        (ExcludeEntry, {"name": "a", "list": "b"}, "reason is missing"),
        (FindEntries, {}, "name is missing"),
        (FindEntries, {"name": "x y"}, "not a name"),
    ],
)
def test_what_makes_no_sense_is_refused(request_: Any, given: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        request_.read(given)
