# SPDX-License-Identifier: Apache-2.0
"""The pages of the dashboard: ``MENU`` has those of the menu, ``ORDER`` all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.overrides.rights.roles import Role
from filterd.texts.i18n import say
from filterd.web.pages import (
    accounts_page,
    classes_page,
    exceptions_page,
    lists_page,
    lookups_page,
    policy_page,
    reports_page,
    rooms_page,
    site_page,
    today_page,
    week_page,
    why_page,
)

if TYPE_CHECKING:
    from filterd.texts.i18n import Sentence
    from filterd.web.page import Page
    from filterd.web.visitor import Visitor

MENU: tuple[tuple[Sentence, tuple[Page, ...]], ...] = (
    (
        say("Now"),
        (today_page.PAGE, week_page.LESSON_PAGE, why_page.PAGE, exceptions_page.REQUESTS_PAGE),
    ),
    (
        say("Open and close"),
        (exceptions_page.EXCEPTIONS_PAGE, rooms_page.ROOMS_PAGE, week_page.WEEK_PAGE),
    ),
    (
        say("Lookups and names"),
        (lookups_page.LOOKUPS_PAGE, lookups_page.CLASS_NAMES_PAGE, reports_page.REPORTS_PAGE),
    ),
    (
        say("School"),
        (
            classes_page.CLASSES_PAGE,
            rooms_page.DEVICES_PAGE,
            policy_page.POLICY_PAGE,
            lists_page.LISTS_PAGE,
            site_page.PAGE,
        ),
    ),
    (
        say("Administration"),
        (
            exceptions_page.HISTORY_PAGE,
            reports_page.INSPECTION_PAGE,
            accounts_page.ACCOUNTS_PAGE,
            accounts_page.OWN_PAGE,
        ),
    ),
)
"""The groups of the menu, the most used first."""
ORDER: tuple[Page, ...] = (
    *(one for _, group in MENU for one in group),
    lookups_page.LOOKUP_PAGE,
    lookups_page.LIVE_PAGE,
    lookups_page.NEW_NAMES_PAGE,
    policy_page.CELL_PAGE,
    rooms_page.ROOM_PAGE,
    classes_page.CLASS_PAGE,
    lists_page.PUBLIC_PAGE,
    policy_page.WHAT_IF_PAGE,
    *site_page.BESIDE,
)


def menu_of(visitor: Visitor) -> list[tuple[Sentence, list[Page]]]:
    """Return the groups of pages for a person, the first page at the top."""
    start = start_of(visitor)
    found = [
        (
            title,
            sorted(
                (one for one in group if not visitor.roles.isdisjoint(one.roles)),
                key=lambda one: one.path != start,
            ),
        )
        for title, group in MENU
    ]
    return [(title, group) for title, group in found if group]


def start_of(visitor: Visitor) -> str:
    """Return the address of a person's first page: of a teacher, the own lesson."""
    is_teacher = Role.TEACHER in visitor.roles and not visitor.is_admin
    return week_page.LESSON_PAGE.path if is_teacher else today_page.PAGE.path
