# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from filterd.overrides.roles import Role
from filterd.web.pages import menu_of
from filterd.web.pages.inspection_page import PAGE
from tests.support.rendered import a_visitor, rendered


def test_the_inspector_can_look_at_the_record_and_download_it() -> None:
    shown = rendered(PAGE, a_visitor({}, Role.INSPECTOR, language="en"))
    assert 'formtarget="_blank">Look at it' in shown
    for one in ("signed", "docx", "html"):
        assert f'<option value="{one}"' in shown
    assert "no address and no person" in shown


def test_the_page_is_in_the_menu_of_those_who_may_only() -> None:
    def paths(role: Role) -> set[str]:
        return {page.path for _, pages in menu_of(a_visitor({}, role)) for page in pages}

    assert "/inspection" in paths(Role.INSPECTOR)
    assert "/inspection" not in paths(Role.TEACHER)
