# SPDX-License-Identifier: Apache-2.0
"""In a real browser: the pages on today, lookups, reasons and lists are fit for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.overrides.rights.roles import Role
from tests.support.browser import LOOKS, tab
from tests.support.filled_school import LONGEST, filled_school

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from filterd.base.state_folder import StateFolder
    from tests.support.web_school import WebSchool

pytestmark = pytest.mark.long

PAGES = {
    "today": "/",
    "lookups": "/lookups?days=7",
    "names": f"/lookups?name={LONGEST}&match=exact",
    "top": "/lookups?show=top",
    "new": "/lookups/new",
    "live": "/lookups/live",
    "class": "/class-names?class=6A",
    "why": "/why?name=www.tiktok.com&whom=class:6A",
    "lists": "/lists?name=www.tiktok.com",
    "public-lists": "/lists/public",
}
LARGEST_FIRST_VIEW, MOST_REQUESTS = 60_000, 5


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory, built: StateFolder) -> Iterator[WebSchool]:
    with filled_school(tmp_path_factory.mktemp("school"), built) as served:
        yield served


@pytest.mark.parametrize(("language", "scheme", "size"), LOOKS)
def test_pages_have_no_fault_that_axe_finds_and_fit_a_phone(
    browser: Browser, school: WebSchool, language: str, scheme: str, size: tuple[int, int]
) -> None:
    with tab(browser, school, Role.ADMIN, size, color_scheme=scheme) as person:
        assert person.faults(PAGES.values(), language) == {}


def test_the_first_view_is_small(browser: Browser, school: WebSchool) -> None:
    with tab(browser, school, Role.ADMIN) as person:
        sizes: list[int] = []
        person.page.on("response", lambda one: sizes.append(len(one.body())))
        person.open("/")
        person.page.wait_for_load_state("networkidle")
    assert len(sizes) <= MOST_REQUESTS
    assert sum(sizes) <= LARGEST_FIRST_VIEW


def test_without_scripts_every_page_is_there(browser: Browser, school: WebSchool) -> None:
    with tab(browser, school, Role.ADMIN, scripts=False) as person:
        for path in PAGES.values():
            assert person.open(path).status == 200


@pytest.mark.parametrize("role", [one for one in Role if one is not Role.ADMIN])
def test_other_roles_see_today_without_what_they_may_not_read(
    browser: Browser, school: WebSchool, role: Role
) -> None:
    with tab(browser, school, role) as person:
        assert person.open("/?lang=en").status == 200
        text = person.page.inner_text("main")
        assert ("class 6A" in text) is (role is Role.TEACHER)
        assert "class 6B" not in text
        for path in ("/lookups", "/lookups/new", "/lookups/live", "/lists/public"):
            assert person.open(path).status == 404
