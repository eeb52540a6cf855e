# SPDX-License-Identifier: Apache-2.0
"""Every page and role in a real browser: phone, desktop, languages, themes."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from filterd.overrides.rights.roles import Role
from filterd.web import pages
from filterd.web.pages.site_page import CHANGE_PATH
from tests.support.browser import DESKTOP, PHONE, Tab, tab
from tests.support.filled_school import LONGEST, add_exceptions, filled_school
from tests.support.web_school import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from filterd.base.state_folder import StateFolder
    from tests.support.web_school import WebSchool

pytestmark = pytest.mark.long

KEYS = {
    "/policy/": ["/policy/games/lower-secondary", "/policy/porn/staff"],
    "/rooms/": ["/rooms/lab-a"],
    "/classes/": ["/classes/6A"],
    "/site/": [
        "/site/school",
        "/site/networks?item=lab-a",
        "/site/classes?item=6A",
        "/site/timetables?item=lab-a",
        "/site/schedules",
        "/site/report",
        "/site/programmes",
    ],
}
"""Addresses of pages with a key; those of one lookup are found on the page of lookups."""
QUERIES = {
    "/why": [f"/why?name={name}&whom=class:6A" for name in ("www.tiktok.com", LONGEST)],
    "/lists": ["/lists?name=www.tiktok.com"],
    "/class-names": ["/class-names?class=6A"],
    "/lookups": ["/lookups?show=top&days=7"],
    "/exceptions": ["/exceptions?all=on&from=1001"],
    "/history": ["/history?views=on"],
}
"""More to look at, where a page shows something else to a query."""
Shape = tuple[tuple[int, int], str]
SHAPES: list[Shape] = [
    (PHONE, "light"),
    (DESKTOP, "dark"),
    (PHONE, "dark"),
    (DESKTOP, "light"),
]


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory, built: StateFolder) -> Iterator[WebSchool]:
    with filled_school(tmp_path_factory.mktemp("school"), built, days=365) as served:
        add_exceptions(served)
        yield served


def _addresses(role: Role, opened: Tab) -> Iterator[str]:
    """Yield the addresses of all pages that a role may open."""
    for one in pages.ORDER:
        begin, key, _ = one.path.partition("{")
        if role not in one.roles or one.path == CHANGE_PATH:
            continue  # there is no change; the tests of site edits have one
        if begin == "/lookups/rows/":
            opened.open("/lookups")
            yield opened.page.locator("td a").first.get_attribute("href") or ""
        else:
            yield from KEYS[begin] if key else [one.path, *QUERIES.get(one.path, [])]


def _faults(opened: Tab, status: int, shapes: list[Shape]) -> Iterator[str]:
    """Yield what is wrong with the page that is open in every shape; axe looks at those given."""
    if status != 200:
        yield f"status {status}: {opened.page.inner_text('main')}"
    heading = opened.page.locator("h1").all_inner_texts()
    if len(heading) != 1 or not opened.page.title().startswith(heading[0]):
        yield f"title {opened.page.title()!r}, headings {heading}"
    for (width, height), scheme in SHAPES:
        opened.page.set_viewport_size({"width": width, "height": height})
        opened.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        if opened.is_too_wide():
            yield f"wider than {width}"
        if ((width, height), scheme) in shapes:
            yield from (f"{width} {scheme} {violation}" for violation in opened.violations())


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("role", Role)
def test_every_page_of_a_role_is_in_order(
    browser: Browser, school: WebSchool, role: Role, language: str
) -> None:
    # Other roles see parts of what administrators see: there axe looks at the shapes in turn.
    turn = itertools.count(["vi", "en"].index(language))
    faults: dict[str, list[str]] = {}
    with tab(browser, school, role, locale=language) as opened:
        for address in list(_addresses(role, opened)):
            shapes = SHAPES[:2] if language == "vi" else SHAPES[2:]
            if role is not Role.ADMIN:
                shapes = [SHAPES[next(turn) % 4]]
            mark = "&" if "?" in address else "?"
            status = opened.open(f"{address}{mark}lang={language}").status
            found = [*_faults(opened, status, shapes), *opened.complaints]
            opened.complaints.clear()
            faults |= {address: found} if found else {}
    assert faults == {}


def test_without_scripts_every_page_has_the_same_text(browser: Browser, school: WebSchool) -> None:
    faults = []
    with tab(browser, school, Role.ADMIN, PHONE, scripts=False) as opened:
        for address in list(_addresses(Role.ADMIN, opened)):
            status = opened.open(address).status
            has_content = opened.page.locator("main > :not(h1)").count() > 0
            faults += [address] if status != 200 or not has_content else []
    assert faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_before_sign_in_and_the_password_page_are_in_order(
    browser: Browser, school: WebSchool, scheme: str
) -> None:
    with tab(browser, school, size=PHONE, color_scheme=scheme) as opened:
        for address in ("/login", f"/login/code/{school.code()}"):
            status = opened.open(address).status
            assert [*_faults(opened, status, SHAPES)] == [], address
    with tab(browser, school, Role.ADMIN, PHONE, color_scheme=scheme) as opened:
        opened.open("/accounts?lang=vi")
        opened.page.locator("main details").first.locator("summary").click()
        opened.page.locator("#addAccount-account").fill(f"thay-an-{scheme}")
        opened.go_on(opened.page.locator("form[action='/do/addAccount'] button"))
        if opened.page.locator("[name=step_up_password]").count():
            assert opened.violations() == []
            opened.page.locator("[name=step_up_password]").fill(PASSWORD)
            opened.go_on(opened.page.locator("main button").first)
        assert opened.page.locator(".done").count() == 1
        assert opened.violations() == []
