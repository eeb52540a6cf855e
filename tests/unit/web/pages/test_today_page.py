# SPDX-License-Identifier: Apache-2.0
"""Tests for filterd.web.pages.today_page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigError, to_plain
from filterd.overrides.rights.roles import Role
from filterd.texts.i18n import say
from filterd.web.pages.today_page import PAGE
from tests.support.fake_daemon import STATUS
from tests.support.made_answers import a_policy_text
from tests.support.policies import NOW
from tests.support.rendered import a_visitor, rendered

if TYPE_CHECKING:
    from tests.support.rendered import MadeVisitor

HOSTILE = "<script>alert(1)</script>"
DAY: dict[str, Any] = {
    "blocked_today": {},
    "blocked_categories": {},
    "category_names": {},
    "exceptions": [],
    "loans": [],
    "exams": [],
    "rooms": [],
    "log_levels": [],
    "log_waiting": [],
}
LOG: dict[str, Any] = STATUS["log"] | {"levels": {"lower-secondary": "counts"}, "pace": None}
WELL: dict[str, Any] = STATUS | {
    "clock": {"standing": "known", "shows": NOW},
    "pauses": [],
    "changes": {"problems": []},
    "upstreams": STATUS["upstreams"][:1],
    "day": DAY,
    "log": LOG,
}


def _totals(n: int = 5, **more: Any) -> list[dict[str, Any]]:
    row = {"date": "2025-12-01", "grade": "6", "category": "games", "action": "blocked", "n": n}
    return [row | {"tier": "lower-secondary", "hour": int(NOW) // 3600 * 3600} | more]


def _visitor(*roles: Role, totals: Any = None, **status: Any) -> MadeVisitor:
    answers = {
        "status": WELL | status,
        "log totals": totals or _totals(),
        "requests list": [{"id": 1}, {"id": 2}],
        "policy": a_policy_text(),
    }
    return a_visitor(answers, *roles)


def test_the_hours_are_a_chart_with_a_table_of_the_same_numbers() -> None:
    shown = rendered(PAGE, _visitor(totals=_totals(n=1234)))

    assert 'role="img"' in shown
    assert "1\u202f234</td>" in shown
    assert " style=" not in shown


COVERED = [
    {
        "category": one,
        "names": 9,
        "sources": [],
        "starter_only": starter,
        "oldest": "",
        "newest": "",
    }
    for one, starter in (("games", False), ("porn", False), ("loans", True))
]


def test_the_cover_of_the_categories_is_a_figure() -> None:
    shown = rendered(PAGE, _visitor(coverage=COVERED))

    assert "Categories with lists" in shown
    assert "2 of 3 closed categories have public or own lists" in shown
    assert "starter list only: loans" in shown


def test_a_daemon_of_before_has_no_cover_to_show() -> None:
    assert "Categories with lists" not in rendered(PAGE, _visitor())


def test_a_problem_stands_with_its_remedy() -> None:
    shown = rendered(PAGE, _visitor(time_is_known=False))

    assert "the time is not known" in shown
    assert "/do/acceptClock" in shown
    shown = rendered(PAGE, _visitor(Role.READER, time_is_known=False))
    assert "/do/acceptClock" not in shown
    assert "filterd clock accept" in shown


def test_each_person_sees_that_every_lookup_is_recorded() -> None:
    log = LOG | {"levels": {"lower-secondary": "full"}}

    for role in Role:
        assert "level full" in rendered(PAGE, _visitor(role, log=log))


def test_a_level_that_was_raised_is_reported_with_its_term_and_its_people() -> None:
    setting = {"id": 3, "author": "lan", "confirmed_by": "minh", "ends_at": NOW + 3600}
    setting |= {"starts_at": NOW, "tier": "lower-secondary", "level": "blocked"}
    row = {"tier": "lower-secondary", "level": "blocked", "files": "counts", "setting": setting}

    shown = rendered(PAGE, _visitor(day=DAY | {"log_levels": [row]}))

    assert "lower secondary: blocked until 14:30 (set by lan, confirmed by minh)" in shown


def test_categories_lead_to_lookups_only_for_their_readers() -> None:
    names = {"games": {"vi": "Trò chơi", "en": "Games"}}
    day = DAY | {"blocked_categories": {"games": 3}, "category_names": names}

    link = '<a href="/lookups?action=blocked&amp;category=games">Games</a>'
    assert link in rendered(PAGE, _visitor(Role.ADMIN, day=day))
    assert "/lookups?" not in rendered(PAGE, _visitor(Role.TEACHER, day=day))


def test_hostile_words_are_shown_as_text() -> None:
    exception = {
        "id": 7,
        "kind": "name",
        "target": HOSTILE,
        "allow": True,
        "audience": "network",
        "whom": HOSTILE,
        "reason": HOSTILE,
        "author": HOSTILE,
        "starts_at": NOW - 60,
        "ends_at": NOW + 600,
    }
    blocked = {"blocked_today": {HOSTILE: 3}, "blocked_categories": {HOSTILE: 3}}
    day = DAY | blocked | {"exceptions": [exception]}

    shown = rendered(PAGE, _visitor(day=day))

    assert HOSTILE not in shown
    assert shown.count("&lt;script&gt;") >= 5


def test_of_many_things_the_first_are_shown_and_the_number_of_the_others() -> None:
    exception = {"id": 1, "kind": "name", "target": "a.example", "allow": True, "ends_at": None}
    exception |= {"audience": "everybody", "whom": "", "reason": "x", "author": "lan"}
    classes = {f"6A{n}": 900 - n for n in range(40)}
    day = DAY | {"exceptions": [exception] * 2000, "blocked_today": classes}

    shown = rendered(PAGE, _visitor(day=day))

    assert "1980 more" in shown
    assert shown.count("a.example") == 20
    assert "28 more" in shown
    assert "class 6A39" in shown


def test_an_empty_school_has_a_page() -> None:
    visitor = a_visitor({"status": WELL, "log totals": []}, Role.READER)

    shown = rendered(PAGE, visitor)

    assert "No alert is active." in shown
    assert [one for one, _ in visitor.asked] == ["status", "log totals", "log totals"]


def test_a_role_that_decides_on_requests_of_pupils_sees_how_many_wait() -> None:
    link = '<a href="/requests">Requests of pupils that wait for an answer: 2</a>'
    assert link in rendered(PAGE, _visitor(Role.TEACHER))
    assert link in rendered(PAGE, _visitor(Role.ADMIN))
    assert "/requests" not in rendered(PAGE, _visitor(Role.PRINCIPAL))


@pytest.mark.parametrize(
    ("starter", "level", "button"), [([], "partly", False), (["games"], "partly", True)]
)
def test_the_band_comes_first_and_has_a_button_for_what_can_be_done_here(
    starter: list[str], level: str, *, button: bool
) -> None:
    protection = STATUS["protection"] | {"starter": starter}
    doubts = [] if starter else [to_plain(ConfigError(say("tiktok.com is open")))]
    shown = rendered(PAGE, _visitor(protection=protection, doubts=doubts))

    assert f'class="band is-{level}"' in shown
    assert shown.index('class="band') < shown.index('role="search"')
    assert ('action="/do/followLists"' in shown) is button


def test_who_may_not_follow_lists_has_no_button_for_it() -> None:
    protection = STATUS["protection"] | {"starter": ["games"]}
    shown = rendered(PAGE, _visitor(Role.READER, protection=protection))

    assert 'class="band is-partly"' in shown
    assert "/do/followLists" not in shown
