# SPDX-License-Identifier: Apache-2.0
"""The pages of the dashboard; ``ORDER`` has them all, in the order of the menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.overrides.roles import Role
from filterd.web.pages import (
    accounts_page,
    class_names_page,
    class_page,
    classes_page,
    devices_page,
    exceptions_page,
    history_page,
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
    requests_page,
    room_page,
    rooms_page,
    site_page,
    today_page,
    week_page,
    why_page,
)

if TYPE_CHECKING:
    from filterd.web.page import Page
    from filterd.web.visitor import Visitor

ORDER: tuple[Page, ...] = (
    lesson_page.PAGE,
    today_page.PAGE,
    why_page.PAGE,
    lookups_page.PAGE,
    lookup_page.PAGE,
    live_lookups_page.PAGE,
    new_names_page.PAGE,
    class_names_page.PAGE,
    policy_page.PAGE,
    policy_cell_page.PAGE,
    exceptions_page.PAGE,
    week_page.PAGE,
    rooms_page.PAGE,
    room_page.PAGE,
    devices_page.PAGE,
    classes_page.PAGE,
    class_page.PAGE,
    lists_page.PAGE,
    public_lists_page.PAGE,
    requests_page.PAGE,
    history_page.PAGE,
    accounts_page.PAGE,
    own_account_page.PAGE,
    *site_page.PAGES,
)


def start_of(visitor: Visitor) -> str:
    """Return the address of a person's first page: of a teacher, the own lesson."""
    is_teacher = Role.TEACHER in visitor.roles and not visitor.is_admin
    return lesson_page.PAGE.path if is_teacher else today_page.PAGE.path
