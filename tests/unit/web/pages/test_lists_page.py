# SPDX-License-Identifier: Apache-2.0
"""The pages of lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from filterd.overrides.rights.roles import Role
from filterd.texts.i18n import UNSAID, say, to_plain
from filterd.web.pages.lists_page import LISTS_PAGE, PUBLIC_PAGE
from tests.support.fake_daemon import STATUS
from tests.support.made_answers import a_policy_text
from tests.support.policies import NOW
from tests.support.rendered import a_visitor, rendered

if TYPE_CHECKING:
    from tests.support.rendered import MadeVisitor

LIST: dict[str, Any] = {
    "id": "ut1-gambling",
    "category": "gambling",
    "format": "domains",
    "path": "x",
    "lines": 9,
    "kept": 7,
    "duplicate": 0,
    "redundant": 0,
    "cancelled": 0,
    "set_aside": 0,
    "refused": {},
    "problems": {"bad-syntax": 2},
    "samples": [],
}
LISTS: dict[str, Any] = {
    "build": {"when": NOW - 60},
    "octets": 90_000,
    "single_hosts": [],
    "lists": [LIST],
    "names": 70_000,
    "seconds": 1.0,
}
NO_FEED: dict[str, Any] = {
    "address": "",
    "sources": 0,
    "trusted": False,
    "served": 0,
    "in_force": None,
    "previous": [],
    "refused": [],
    "held": None,
    "published": 0,
    "tried_at": None,
    "verified_at": None,
    "expires_at": None,
    "takes_at": None,
    "freshness": "never",
    "problem": "",
    "sentence": to_plain(UNSAID),
    "judgement": None,
    "watched_until": None,
    "beside": None,
}
WAITS: dict[str, Any] = {
    "version": 7,
    "findings": [
        {
            "severity": "held",
            "sentence": to_plain(say("a popular name would be closed")),
            "names": ["<b>.example"],
        }
    ],
}
FEED = NO_FEED | {"address": "https://feed.example/", "served": 6, "freshness": "fresh"}
ENTRY = {
    "name": "bet.example",
    "entry": "*.bet.example",
    "effect": "BLOCK",
    "list": "ut1-gambling",
    "category": "gambling",
    "line": 3,
}
NIGHT = {"at": NOW, "event": "activated", "version": 6, "why": "", "sentence": to_plain(UNSAID)}


def _visitor(feed: dict[str, Any], *roles: Role, entries: Any = ()) -> MadeVisitor:
    answers: dict[str, Any] = {
        "lists": LISTS,
        "policy": a_policy_text(),
        "feed-history": [NIGHT],
        "lists-search": list(entries),
    }
    status = STATUS | {"clock": {"shows": NOW}, "feed": feed}
    return a_visitor({**answers, "policy": a_policy_text(), "status": status}, *roles)


def test_lists_are_shown_with_size_age_and_what_was_rejected() -> None:
    shown = rendered(LISTS_PAGE, _visitor(FEED))

    assert "70\u202f000 names, 90 kB, compiled at 13:29" in shown
    assert "ut1-gambling" in shown
    assert "does not follow the format of the list" in shown


def test_each_category_shows_its_cover_and_each_source_what_it_adds() -> None:
    share = {"id": "ut1-games", "category": "games", "names": 33_545, "only": 33_001}
    share |= {"left_out": 164, "popular": ["roblox.com"], "date": "2026-12-01"}
    covered = [
        {"category": one, "names": n, "sources": sources, "starter_only": not sources}
        | {"oldest": "2026-12-01", "newest": "2026-12-01"}
        for one, n, sources in (("games", 33_805, ["ut1-games"]), ("loans", 17, []))
    ]
    visitor = _visitor(FEED)
    visitor.answers["lists"] = LISTS | {
        "build": {"when": NOW - 60, "sources": [share]},
        "coverage": covered,
    }
    shown = rendered(LISTS_PAGE, visitor)

    assert "33\u202f805" in shown
    assert "starter list only" in shown
    assert "33\u202f001" in shown
    assert "roblox.com" in shown
    assert "2026-12-01" in shown


def test_a_version_that_waits_has_what_it_changes_and_both_decisions() -> None:
    shown = rendered(LISTS_PAGE, _visitor(FEED | {"judgement": WAITS}))

    assert "a popular name would be closed (&lt;b&gt;.example)" in shown
    assert 'action="/do/approveVersion"' in shown
    assert 'action="/do/refuseVersion"' in shown
    assert shown.count('<input type="hidden" name="version" value="7">') == 2


def test_a_version_that_is_kept_has_the_way_back_alone() -> None:
    shown = rendered(LISTS_PAGE, _visitor(FEED | {"held": "exam week"}))

    assert "Take new versions again" in shown
    assert "Keep the version in force" not in shown


def test_public_lists_beside_the_feed_are_decided_on_their_own() -> None:
    beside = NO_FEED | {"sources": 2, "judgement": WAITS | {"version": "f-lists-1a"}}
    shown = rendered(LISTS_PAGE, _visitor(FEED | {"beside": beside}))

    assert '<input type="hidden" name="version" value="f-lists-1a">' in shown
    assert shown.count('<input type="hidden" name="lists" value="on">') == 2
    assert 'action="/do/updateLists"' in shown


def test_a_school_that_follows_nothing_is_reported_as_such() -> None:
    assert "follows no feed and no public lists" in rendered(LISTS_PAGE, _visitor(NO_FEED))


def test_readers_see_lists_and_decide_nothing() -> None:
    shown = rendered(LISTS_PAGE, _visitor(FEED | {"judgement": WAITS}, Role.READER))

    assert "a popular name would be closed" in shown
    assert 'action="/do/' not in shown
    assert "/lists/public" not in shown


def test_the_entries_of_a_name_can_be_left_out() -> None:
    shown = rendered(LISTS_PAGE, _visitor(FEED, entries=[ENTRY]), name="www.bet.example")

    assert "ut1-gambling, line 3" in shown
    assert 'action="/do/excludeEntry"' in shown
    assert 'value="bet.example"' in shown


def test_a_name_on_no_list_is_reported_as_such() -> None:
    shown = rendered(LISTS_PAGE, _visitor(FEED), name="www.bet.example")

    assert "www.bet.example is on no list" in shown
    assert "excludeEntry" not in shown


def test_a_text_that_is_no_name_is_reported() -> None:
    assert 'role="alert"' in rendered(LISTS_PAGE, _visitor(FEED), name="http://x/y")


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

    shown = rendered(PUBLIC_PAGE, a_visitor({"lists-sources": rows, "policy": a_policy_text()}))

    forms = dict(re.findall(r'action="/do/(\w+Lists)".*?<option value="(\w+)"', shown, re.DOTALL))
    assert forms == {"followLists": "one", "unfollowLists": "two"}
    assert "site.yaml" in shown
    assert 'href="/what-if?source=recommended"' in shown


def test_public_lists_are_for_administrators() -> None:
    assert frozenset((Role.ADMIN,)) == PUBLIC_PAGE.roles
