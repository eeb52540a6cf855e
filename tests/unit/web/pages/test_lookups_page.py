# SPDX-License-Identifier: Apache-2.0
"""The pages on lookups."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ControlError
from filterd.overrides.rights.roles import Role
from filterd.texts.i18n import UNSAID, say, to_plain
from filterd.web import page_renderer, page_templates, pages
from filterd.web.pages.lookups_page import (
    CLASS_NAMES_PAGE,
    LIVE_PAGE,
    LOOKUP_PAGE,
    LOOKUPS_PAGE,
    NEW_NAMES_PAGE,
    TABS,
    to_lookup,
    to_name,
)
from tests.support.made_answers import FOUND, IDS, LOOKUP, SCOPE, a_policy_text, explained
from tests.support.policies import NOW
from tests.support.rendered import a_visitor, rendered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.rendered import MadeVisitor


def test_each_tab_is_a_page() -> None:
    assert {path for path, _ in TABS} <= {one.path for one in pages.ORDER}


def test_hostile_names_stay_in_the_query() -> None:
    row = {"name": "a&whom=x#<b>/../", "grade": "6", "class": ""}

    assert to_name(row) == "/why?name=a%26whom%3Dx%23%3Cb%3E%2F..%2F&whom=grade%3A6"
    assert to_name({"name": "a.example"}) == "/why?name=a.example"


def test_the_id_of_a_row_is_one_part_of_the_address() -> None:
    assert to_lookup({"id": "2025-12-01T13:30:00.0"}) == ("/lookups/rows/2025-12-01T13%3A30%3A00.0")


TOP = {**SCOPE, "rows": [{"n": 9, "blocked": 9, "name": "games.example", "category": "games"}]}


def _visitor(**found: Any) -> MadeVisitor:
    answers = {"ids": IDS, "policy": a_policy_text(), "log search": {**FOUND, **found}}
    return a_visitor({**answers, "log top": TOP})


def _asked(visitor: MadeVisitor, command: str) -> dict[str, Any]:
    return next(given for one, given in visitor.asked if one == command)


def test_a_lookup_leads_to_its_reason() -> None:
    shown = rendered(LOOKUPS_PAGE, _visitor())

    assert '<a href="/lookups/rows/2025-12-01T13%3A30%3A00.0">13:30</a>' in shown
    assert "www.tiktok.com" in shown


def test_the_level_of_each_tier_is_worded_in_words() -> None:
    shown = rendered(LOOKUPS_PAGE, _visitor())

    assert "lower secondary: a row for each blocked lookup" in shown
    assert "staff: numbers only, no names (level counts)" in shown


def test_filters_reach_the_manager_as_it_takes_them() -> None:
    visitor = _visitor()

    rendered(
        LOOKUPS_PAGE,
        visitor,
        name="tiktok",
        match="part",
        whom="class:6A",
        action="blocked",
        days="7",
    )

    assert _asked(visitor, "log search") == {
        "part": "tiktok",
        "class": "6A",
        "action": "blocked",
    }


def test_the_most_frequent_names_are_a_choice_of_the_same_page() -> None:
    visitor = _visitor()

    shown = rendered(LOOKUPS_PAGE, visitor, show="top", tier="lower-secondary")

    assert '<a href="/why?name=games.example">games.example</a>' in shown
    assert _asked(visitor, "log top") == {"tier": "lower-secondary", "days": 1}


def test_older_lookups_come_with_the_same_filters() -> None:
    shown = rendered(LOOKUPS_PAGE, _visitor(cursor="2025-12-01T08:00:00.1"), action="blocked")

    assert "action=blocked" in shown
    assert "cursor=2025-12-01T08%3A00%3A00.1" in shown


def test_a_wrong_name_is_reported_and_the_form_stays_as_it_was() -> None:
    shown = rendered(LOOKUPS_PAGE, _visitor(), name="..", match="exact", days="30")

    assert 'role="alert"' in shown
    assert 'value=".."' in shown
    assert '<option value="30" selected>' in shown


def test_a_refusal_of_the_manager_is_reported() -> None:
    def refuse(**_: Any) -> Any:
        raise ControlError(say("'6Z' is not known here"))

    visitor = _visitor()
    visitor.answers["log search"] = refuse

    assert "is not known here" in rendered(LOOKUPS_PAGE, visitor, whom="class:6Z")


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x>', "a" * 253])
def test_hostile_names_are_shown_as_text(name: str) -> None:
    shown = rendered(LOOKUPS_PAGE, _visitor(rows=[LOOKUP | {"name": name}]), name=name)

    assert "<script>alert" not in shown
    assert "<img src=x" not in shown


def test_control_without_escaping_a_hostile_name_is_markup(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = "<script>alert(1)</script>"
    unescaping = page_templates.templates(tmp_path)
    unescaping.autoescape = False
    monkeypatch.setattr(page_renderer, "templates", lambda: unescaping)

    assert name in rendered(LOOKUPS_PAGE, _visitor(rows=[LOOKUP | {"name": name}]))


def test_only_readers_of_lookups_have_the_page() -> None:
    assert frozenset((Role.ADMIN,)) == LOOKUPS_PAGE.roles


def _shown_lookup(then: Any, why: str = UNSAID, **row: Any) -> str:
    answer = {"row": LOOKUP | row, "then": then, "problem": str(why), "sentence": to_plain(why)}
    return rendered(LOOKUP_PAGE, a_visitor({"log why": answer}), id=LOOKUP["id"])


def test_a_lookup_is_shown_with_what_was_in_force_then() -> None:
    shown = _shown_lookup(explained())

    assert "By what was in force then" in shown
    assert "tiktok.com" in shown
    assert '<a class="button" href="/why?name=www.tiktok.com&amp;whom=class%3A6A">' in shown


def test_a_decision_that_would_differ_today_is_reported() -> None:
    assert "That differs" in _shown_lookup(explained(action="pass", reason="not-listed"))


def test_why_the_past_is_not_known_is_reported() -> None:
    assert "is not known" in _shown_lookup(
        None, say("the policy of {time} is not known", time="then")
    )


EVENT = {"id": 1, "at": NOW, "grade": "6", "class": "6A", "category": "games", "action": "blocked"}
EVENT |= {"n": 1, "name": "<b>games.example</b>", "device": 7}
COUNT = {"id": 2, "at": NOW, "grade": "9", "category": "", "action": "pass", "n": 1200}
FRAMES: list[Any] = [
    [{"levels": {"lower-secondary": "blocked"}, "shows_rows": True}],
    None,
    [EVENT, COUNT, {"skipped": 3}],
]


def _live_visitor() -> MadeVisitor:
    levels = [{"tier": "primary", "level": "counts"}]
    answers = {"log levels": {"tiers": levels, "waiting": []}, "log-follow": FRAMES}
    return a_visitor({"ids": IDS, "policy": a_policy_text(), **answers})


def _live(visitor: MadeVisitor, **query: str) -> list[Any]:
    async def all_of(events: AsyncIterator[Any]) -> list[Any]:
        return [event async for event in events]

    assert LIVE_PAGE.live is not None
    return asyncio.run(all_of(LIVE_PAGE.live(visitor, query)))


def test_lookups_and_numbers_come_as_rows_of_text() -> None:
    heartbeat, row, count = _live(_live_visitor())

    assert heartbeat is None
    assert row["row"] == ["13:30:00", "class 6A", "blocked", "<b>games.example</b>", "games"]
    assert count["row"] == ["13:30:00", "grade 9", "passed", "1\u202f200", ""]


def test_the_choice_of_the_form_is_followed() -> None:
    visitor = _live_visitor()

    _live(visitor, whom="class:6A", action="blocked")

    assert visitor.asked[1:] == [("log-follow", {"class": "6A", "action": "blocked"})]


def test_without_scripts_the_page_collects_for_some_seconds() -> None:
    shown = rendered(LIVE_PAGE, _live_visitor(), wait="on").partition("<tbody>")[2]

    assert "&lt;b&gt;games.example" in shown
    assert shown.index("grade 9") < shown.index("class 6A")


def test_the_page_explains_what_each_level_shows() -> None:
    assert "log level counts: numbers by hour" in rendered(LIVE_PAGE, _live_visitor())


ROW = {"tier": "lower-secondary", "name": "new.example", "category": "", "devices": 5}


def _shown_new(**more: Any) -> str:
    answer = {"rows": [ROW], "n": 1, **SCOPE, "day": "2025-12-01", "compared": 7, **more}
    return rendered(NEW_NAMES_PAGE, a_visitor({"log new": answer}))


def test_a_new_name_leads_to_what_is_known_of_it() -> None:
    shown = _shown_new()

    assert "1 name new, compared with 7 days" in shown
    assert '<a href="/why?name=new.example">new.example</a>' in shown


def test_without_a_day_before_that_is_reported() -> None:
    assert "no day before to compare them with" in _shown_new(compared=0)


def test_more_names_than_are_shown_have_a_link() -> None:
    assert "Show more" in _shown_new(n=1000)
    assert "Show more" not in _shown_new()


NAMES: dict[str, Any] = {
    "day": "2025-12-01",
    "class": "6A",
    "level": "blocked",
    "least_devices": 5,
    "rows": [{"name": "games.example", "category": "games", "action": "blocked"}],
}


def _shown_class(*classes: str, chosen: str = "", **more: Any) -> tuple[str, list[str]]:
    visitor = a_visitor({"ids": IDS, "log class": NAMES | more}, Role.TEACHER)
    visitor.classes = frozenset(classes)
    shown = rendered(CLASS_NAMES_PAGE, visitor, **({"class": chosen} if chosen else {}))
    return shown, [one for one, _ in visitor.asked]


def test_the_only_class_of_a_teacher_is_shown_at_once() -> None:
    shown, _ = _shown_class("6A")

    assert '<a href="/why?name=games.example&amp;whom=class%3A6A">games.example</a>' in shown
    assert "fewer than 5 devices" in shown


def test_a_teacher_chooses_among_own_classes_alone() -> None:
    shown, asked = _shown_class("6A", "6B")

    assert '<option value="6B">' in shown
    assert "9A" not in shown
    assert asked == ["ids"]  # nothing is read, so nothing is recorded, before a class is chosen


def test_a_teacher_without_a_class_gets_a_sentence() -> None:
    assert "You have no class at present." in _shown_class()[0]


def test_a_level_that_keeps_no_names_is_reported() -> None:
    assert "keeps no names" in _shown_class("6A", level="counts", rows=[])[0]


def test_an_administrator_has_all_classes() -> None:
    shown = rendered(CLASS_NAMES_PAGE, a_visitor({"ids": IDS}))

    assert all(f'<option value="{one}">' in shown for one in IDS["classes"])
