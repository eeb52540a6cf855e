# SPDX-License-Identifier: Apache-2.0
"""The pages of policy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ControlError
from filterd.overrides.rights.roles import Role
from filterd.policy.model import Audience, Scheduled
from filterd.policy.temporary_rules import GradeSetting, TargetKind
from filterd.resolve.what_if import CLOSES, AskedPlace, DifferenceSums, NameDifference
from filterd.resolve.what_if_rows import ROWS, to_plain
from filterd.texts.i18n import say
from filterd.web.pages import site_page
from filterd.web.pages.policy_page import CELL_PAGE, POLICY_PAGE, WHAT_IF_PAGE
from filterd.web.problem import WebError
from tests.support.made_answers import SCOPE
from tests.support.policies import wire
from tests.support.rendered import a_visitor, rendered
from tests.support.school_answers import HOSTILE, school_answers
from tests.support.week import SEVEN, a_school, an_exception, scheduled

if TYPE_CHECKING:
    from filterd.policy.model import Policy
    from filterd.texts.i18n import Language


def _shown(policy: Policy | None = None, *roles: Role, language: Language = "en") -> str:
    return rendered(POLICY_PAGE, a_visitor(school_answers(policy), *roles, language=language))


@pytest.mark.parametrize("role", Role)
def test_every_role_reads_it_and_nothing_is_changed_on_it(role: Role) -> None:
    shown = _shown(None, role)
    assert '<a href="/policy/games/primary"><span class="state closed">closed</span></a>' in shown
    assert 'action="/do/' not in shown


def test_grades_of_a_tier_that_differ_are_named() -> None:
    assert '<span class="state open">open</span> <span class="muted">7-9</span>' in _shown()


def test_what_is_scheduled_has_a_mark() -> None:
    policy = scheduled(Scheduled("a", False, "category", "games"))
    assert _shown(policy).count('<span class="tag">by hours</span>') == 7


def test_a_tier_that_is_closed_whole_is_reported_above_all() -> None:
    policy = scheduled(Scheduled("a", False, "tier", "preschool"))
    assert "schedule a: closes it, everybody, in force until" in _shown(policy)


def test_names_are_escaped_and_of_the_language() -> None:
    policy = a_school()
    games = replace(policy.categories["games"], name_vi=HOSTILE, name_en="Games")
    policy = replace(policy, categories={**policy.categories, "games": games})
    assert HOSTILE not in _shown(policy, language="vi")
    assert "&lt;script&gt;" in _shown(policy, language="vi")
    assert ">Games<" in _shown(policy)


CELL = {"category": "games", "tier": "lower-secondary"}
SETTING = GradeSetting(3, "7", TargetKind.CATEGORY, "games", False, HOSTILE, "web:lan", SEVEN)


def _shown_cell(*roles: Role, cell: dict[str, str] | None = None, **overrides: Any) -> str:
    return rendered(CELL_PAGE, a_visitor(school_answers(**overrides), *roles), **(cell or CELL))


def test_it_shows_the_age_and_that_the_file_decides() -> None:
    shown = _shown_cell(Role.READER)
    assert "It is suitable from age 12; the youngest of this tier are 11." in shown
    assert "The file of the tier decides" in shown
    assert 'action="/do/' not in shown


def test_an_administrator_is_shown_first_what_a_setting_would_change() -> None:
    shown = _shown_cell(Role.ADMIN)
    assert shown.count('<input type="hidden" name="opens"') >= 4
    assert "Close it ..." in shown
    assert "Open it ..." in shown
    assert 'action="/do/setGrade"' not in shown


ASKED = {"grade": "7", "target": "category:games", "opens": "false", "reason": HOSTILE}
DIFFERENCE = {"grade": "7", "kind": "category", "target": "games", "before": "open"}


def test_the_setting_is_made_from_its_preview() -> None:
    answer = {"differences": [{**DIFFERENCE, "after": "closed"}], "warnings": []}
    visitor = a_visitor({**school_answers(), "grade-preview": answer}, Role.ADMIN)
    shown = rendered(CELL_PAGE, visitor, **CELL, **ASKED)
    assert "grade 7: games: open → closed" in shown
    assert shown.count('action="/do/setGrade"') == 1
    assert HOSTILE not in shown


def test_a_setting_that_is_refused_has_no_form() -> None:
    def refuse(**_: Any) -> Any:
        raise ControlError(say("it is locked"))

    visitor = a_visitor({**school_answers(), "grade-preview": refuse}, Role.ADMIN)
    shown = rendered(CELL_PAGE, visitor, **CELL, **ASKED)
    assert "it is locked" in shown
    assert 'action="/do/setGrade"' not in shown


def test_a_teacher_sets_no_grade() -> None:
    shown = rendered(CELL_PAGE, a_visitor(school_answers(), Role.TEACHER), **CELL, **ASKED)
    assert "setGrade" not in shown
    assert 'name="opens"' not in shown


def test_what_is_locked_has_no_form() -> None:
    shown = _shown_cell(Role.ADMIN, cell={"category": "porn", "tier": "staff"})
    assert "It is locked for everybody." in shown
    assert 'name="opens"' not in shown


def test_what_is_set_is_reported_with_its_reason_which_is_escaped() -> None:
    shown = _shown_cell(Role.READER, grades=(SETTING,))
    assert "setting 3" in shown
    assert HOSTILE not in shown
    assert "The file of the tier decides" not in shown


def test_a_teacher_takes_back_the_own_exception_only() -> None:
    whom: dict[str, Any] = {"audience": Audience.CLASS, "whom": "6A", "kind": TargetKind.CATEGORY}
    own = an_exception("games", id=4, author="web:lan", **whom)
    other = an_exception("games", id=5, author="minh", **whom)
    shown = _shown_cell(Role.TEACHER, exceptions=(own, other))
    assert 'aria-label="Take back 4"' in shown
    assert 'aria-label="Take back 5"' not in shown


@pytest.mark.parametrize("cell", [{"category": "x", "tier": "staff"}, {**CELL, "tier": "x"}])
def test_there_is_no_other_cell(cell: dict[str, str]) -> None:
    with pytest.raises(WebError, match="no such page"):
        _shown_cell(Role.ADMIN, cell=cell)


def _shown_what_if(answer: dict[str, Any]) -> str:
    return rendered(WHAT_IF_PAGE, a_visitor({"what-if": answer}), source="ut1-games")


def test_names_and_classes_are_shown() -> None:
    place, sums = AskedPlace("6", "6A"), DifferenceSums()
    sums.note(NameDifference(wire("<b>.new.example"), CLOSES, "games"), 7, (place,))
    sums.changed[place, CLOSES] += 7
    sums.lookups[place] += 70
    shown = _shown_what_if({**to_plain(sums, ROWS), **SCOPE})
    assert "70 recorded lookups" in shown
    assert "&lt;b&gt;.new.example" in shown
    assert "6A" in shown


def test_while_it_is_at_work_the_page_has_a_link_to_itself() -> None:
    assert 'href="/what-if?source=ut1-games"' in _shown_what_if({"at_work": True})


def test_an_edit_of_the_site_shows_it_before_the_button() -> None:
    draft = {
        "digest": "0" * 64,
        "keys": ["networks"],
        "difference": ["+networks: {}"],
        "more_lines": 0,
        "problem": None,
        "doubts": [],
        "changes": [],
        "left_out": [],
    }
    answer = {**to_plain(DifferenceSums(), ROWS), **SCOPE}
    visitor = a_visitor({"site-draft": draft, "what-if": answer})
    shown = rendered(site_page.BESIDE[0], visitor)
    assert shown.index("In the last days it would have changed") < shown.index("Put it in force")
    asked = dict(visitor.asked)
    assert asked["what-if"] == {"draft": True, "within_s": 5}
