# SPDX-License-Identifier: Apache-2.0
"""Each decision that the manager lets pass is one that its child does."""

from __future__ import annotations

from typing import Any
from unittest.mock import create_autospec

import pytest

from filterd.base.errors import FetchError
from filterd.daemon import list_decisions
from filterd.daemon.handlers.list_commands import _CHILDREN
from filterd.daemon.list_decisions import answer_of
from filterd.feed.appliance_files import Wanted
from filterd.feed.public_lists import PublicLists
from filterd.feed.school_lists import SchoolLists
from filterd.operations.lists import DECISIONS, FollowLists, ReadSources
from filterd.texts.i18n import say

VALUES = {"sources": ("urlhaus",), "name": "a.vn", "list": "urlhaus", "reason": "why"}
DONE_HERE = [one for one in DECISIONS.values() if one.command not in _CHILDREN]


def _lists() -> Any:
    return create_autospec(SchoolLists, instance=True)


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the public lists on which all is decided."""
    public = create_autospec(PublicLists, instance=True)
    monkeypatch.setattr(list_decisions, "PublicLists", lambda _: public)
    return public


@pytest.mark.parametrize("request_", [*DONE_HERE, ReadSources], ids=lambda one: one.__name__)
def test_the_child_does_what_the_manager_lets_pass(request_: Any, public: Any) -> None:
    lists = _lists()
    public.chosen.return_value = ()
    given = {one: VALUES[one] for one in request_.fields().required}
    answer_of(request_.of(given), lists)
    assert lists.method_calls or public.method_calls


def test_what_is_no_decision_is_not_done() -> None:
    with pytest.raises(TypeError):
        answer_of(object(), _lists())


def test_an_address_is_looked_at_and_followed_though_it_does_not_come_now(public: Any) -> None:
    own = Wanted("own", "https://lists.example/x", "games")
    public.chosen.return_value = (Wanted("urlhaus"), own)
    public.look_at.side_effect = FetchError(say("no Internet"))
    answer_of(FollowLists(sources=(own.url,), category="games"), _lists())
    public.chosen.assert_called_once_with(
        (own.url,), Wanted("", category="games"), recommended=False
    )
    public.look_at.assert_called_once_with(own)
    public.follow.assert_called_once_with((Wanted("urlhaus"), own))
