# SPDX-License-Identifier: Apache-2.0
"""Tests for filterd.web.pages.public_lists_page."""

from __future__ import annotations

import re
from typing import Any

from filterd.overrides.roles import Role
from filterd.web.pages.public_lists_page import PAGE
from tests.support.made_answers import a_policy_text
from tests.support.rendered import a_visitor, rendered


def _source(name: str, followed: str) -> dict[str, Any]:
    return {
        "id": name,
        "title": name,
        "category": "gambling",
        "licence": "MIT",
        "attribution": "",
        "republish": True,
        "recommended": False,
        "names": 7,
        "checked": True,
        "address": "https://lists.example/",
        "followed": followed,
        "here": True,
    }


def test_lists_can_be_followed_and_those_of_commands_be_left() -> None:
    rows = [_source("one", ""), _source("two", "command"), _source("three", "site.yaml")]

    shown = rendered(PAGE, a_visitor({"lists-sources": rows, "policy": a_policy_text()}))

    forms = dict(re.findall(r'action="/do/(\w+Lists)".*?<option value="(\w+)"', shown, re.DOTALL))
    assert forms == {"followLists": "one", "unfollowLists": "two"}
    assert "site.yaml" in shown
    assert 'href="/what-if?source=recommended"' in shown


def test_public_lists_are_for_administrators() -> None:
    assert frozenset((Role.ADMIN,)) == PAGE.roles
