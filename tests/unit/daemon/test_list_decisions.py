# SPDX-License-Identifier: Apache-2.0
"""Each decision that the manager lets pass is one that its child does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import create_autospec

import pytest

from filterd.base.errors import FetchError
from filterd.daemon.handlers.list_commands import _CHILDREN, DECISIONS
from filterd.daemon.list_decisions import _WORK
from filterd.feed.appliance_files import Wanted
from filterd.feed.school_lists import SchoolLists
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Mapping


def _lists() -> Any:
    return create_autospec(SchoolLists, instance=True)


@pytest.mark.parametrize("command", sorted(_WORK.keys() & DECISIONS.keys()))
def test_it_takes_the_arguments_of_the_manager(command: str) -> None:
    lists = _lists()
    lists.chosen.return_value = ()
    values: Mapping[str, Any] = {"sources": ["urlhaus"], "accept": [], "now": True, "off": True}
    _WORK[command](lists, **{one: values.get(one, "x") for one in DECISIONS[command]})
    assert lists.method_calls


def test_every_decision_has_a_child_that_does_it() -> None:
    assert {*_WORK, *_CHILDREN} == {*DECISIONS, "lists sources"}


def test_an_address_is_looked_at_and_followed_though_it_does_not_come_now() -> None:
    lists = _lists()
    own = Wanted("own", "https://lists.example/x", "games")
    lists.chosen.return_value = (Wanted("urlhaus"), own)
    lists.look_at.side_effect = FetchError(say("no Internet"))
    _WORK["lists follow"](lists, sources=[own.url], category="games")
    lists.chosen.assert_called_once_with([own.url], Wanted("", category="games"), recommended=False)
    lists.look_at.assert_called_once_with(own)
    lists.follow.assert_called_once_with((Wanted("urlhaus"), own))
