# SPDX-License-Identifier: Apache-2.0
"""The page of policy has a cell for each category and tier, which leads to the reason."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.overrides.roles import Role
from filterd.policy.model import Scheduled
from filterd.web.pages.policy_page import PAGE
from tests.support.rendered import a_visitor, rendered
from tests.support.school_answers import HOSTILE, school_answers
from tests.support.week import a_school, scheduled

if TYPE_CHECKING:
    from filterd.i18n import Language
    from filterd.policy.model import Policy


def _shown(policy: Policy | None = None, *roles: Role, language: Language = "en") -> str:
    return rendered(PAGE, a_visitor(school_answers(policy), *roles, language=language))


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


def test_a_tier_that_is_closed_whole_is_told_above_all() -> None:
    policy = scheduled(Scheduled("a", False, "tier", "preschool"))
    assert "schedule a: closes it, everybody, in force until" in _shown(policy)


def test_names_are_escaped_and_of_the_language() -> None:
    policy = a_school()
    games = replace(policy.categories["games"], name_vi=HOSTILE, name_en="Games")
    policy = replace(policy, categories={**policy.categories, "games": games})
    assert HOSTILE not in _shown(policy, language="vi")
    assert "&lt;script&gt;" in _shown(policy, language="vi")
    assert ">Games<" in _shown(policy)
