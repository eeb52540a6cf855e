# SPDX-License-Identifier: Apache-2.0
"""The pages of the dashboard: ``MENU`` has those of the menu, ``ORDER`` all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.i18n import say
from filterd.overrides.roles import Role
from filterd.web.pages import (
    accounts_page,
    class_names_page,
    class_page,
    classes_page,
    devices_page,
    exceptions_page,
    history_page,
    inspection_page,
    lesson_page,
    lists_page,
    live_lookups_page,
    lookup_page,
    lookups_page,
    new_names_page,
    own_account_page,
    policy_cell_page,
    policy_page,
    public_lists_page,
    reports_page,
    requests_page,
    room_page,
    rooms_page,
    site_page,
    today_page,
    week_page,
    what_if_page,
    why_page,
)

if TYPE_CHECKING:
    from filterd.i18n import Sentence
    from filterd.web.page import Page
    from filterd.web.visitor import Visitor

MENU: tuple[tuple[Sentence, tuple[Page, ...]], ...] = (
    (say("Now"), (today_page.PAGE, lesson_page.PAGE, why_page.PAGE, requests_page.PAGE)),
    (say("Open and close"), (exceptions_page.PAGE, rooms_page.PAGE, week_page.PAGE)),
    (
        say("Lookups and names"),
        (lookups_page.PAGE, class_names_page.PAGE, reports_page.PAGE),
    ),
    (
        say("School"),
        (
            classes_page.PAGE,
            devices_page.PAGE,
            policy_page.PAGE,
            lists_page.PAGE,
            site_page.PAGE,
        ),
    ),
    (
        say("Administration"),
        (history_page.PAGE, inspection_page.PAGE, accounts_page.PAGE, own_account_page.PAGE),
    ),
)
"""The groups of the menu, the most used first."""
ORDER: tuple[Page, ...] = (
    *(one for _, group in MENU for one in group),
    lookup_page.PAGE,
    live_lookups_page.PAGE,
    new_names_page.PAGE,
    policy_cell_page.PAGE,
    room_page.PAGE,
    class_page.PAGE,
    public_lists_page.PAGE,
    what_if_page.PAGE,
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
    return lesson_page.PAGE.path if is_teacher else today_page.PAGE.path
