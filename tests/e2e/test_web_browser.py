# SPDX-License-Identifier: Apache-2.0
"""The frame of the dashboard in a real browser: every page, size, theme and language."""

from __future__ import annotations

from base64 import b32decode
from typing import TYPE_CHECKING

import pytest

from filterd.accounts.authenticator import STEP_S, code_at
from filterd.overrides.rights.roles import Role
from filterd.web import pages
from filterd.web.visitor import SESSION_COOKIE as COOKIE
from tests.support.browser import LOOKS, PHONE, browser, tab
from tests.support.web_school import PASSWORD, WebSchool, web_school

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from filterd.base.state_folder import StateFolder

__all__ = ["browser"]
pytestmark = pytest.mark.long

PATHS = ["/login", "/login/code/x", "/device/x", "/nothing"] + [
    one.path for one in pages.ORDER if "{" not in one.path
]


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory, built: StateFolder) -> Iterator[WebSchool]:
    with web_school(tmp_path_factory.mktemp("school"), built) as running:
        running.token()
        yield running


@pytest.mark.parametrize(("language", "scheme", "size"), LOOKS)
def test_every_page_is_in_order(
    school: WebSchool, browser: Browser, language: str, scheme: str, size: tuple[int, int]
) -> None:
    with tab(browser, school, Role.ADMIN, size, color_scheme=scheme) as opened:
        assert opened.faults(PATHS, language, 403, 404) == {}


@pytest.mark.parametrize("scripts", [True, False])
def test_a_person_signs_in_and_out_by_keyboard_with_and_without_scripts(
    school: WebSchool, browser: Browser, *, scripts: bool
) -> None:
    school.code(Role.ADMIN)
    with tab(browser, school, size=PHONE, scripts=scripts, locale="vi") as opened:
        page = opened.page
        opened.open("/")
        assert page.url == f"{school.origin}/login"
        page.focus("#account")
        for text in ("admin", PASSWORD):
            page.keyboard.insert_text(text)
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{school.origin}/")
        page.keyboard.press("Tab")
        assert "skip" in (page.locator(":focus").get_attribute("class") or "")
        page.keyboard.press("Enter")
        page.wait_for_url("**#main")
        page.click(".to-menu")
        page.locator(".menu").wait_for()
        page.click(".from-menu")
        page.locator(".menu").wait_for(state="hidden")
        page.click(".account button")
        page.wait_for_url(f"{school.origin}/login")
        assert opened.page.context.cookies(school.origin) == []


def test_the_language_is_changed_on_the_page_and_stays(school: WebSchool, browser: Browser) -> None:
    with tab(browser, school, Role.ADMIN) as opened:
        opened.open("/")
        for language in ("vi", "en"):
            opened.go_on(opened.page.locator(f'.account a[hreflang="{language}"]'))
            opened.open("/")
            assert opened.page.locator("html").get_attribute("lang") == language


def test_the_first_view_is_small(school: WebSchool, browser: Browser) -> None:
    sizes: list[int] = []
    with tab(browser, school, Role.ADMIN) as opened:
        opened.page.on("response", lambda one: sizes.append(len(one.body())))
        opened.open("/")
    assert len(sizes) <= 5
    assert sum(sizes) <= 60_000


def test_a_person_begins_to_use_an_authenticator_and_signs_out_elsewhere(
    browser: Browser, school: WebSchool
) -> None:
    elsewhere = school.sign_in(Role.READER)
    with tab(browser, school, Role.READER) as reader:
        page = reader.page
        reader.open("/account?lang=en")
        reader.go_on(page.get_by_role("button", name="Sign out everywhere else"))
        reader.go_on(page.get_by_role("button", name="Use an authenticator app"))
        if page.locator("[name=step_up_password]").count():
            page.locator("[name=step_up_password]").fill(PASSWORD)
            reader.go_on(page.get_by_role("button", name="Go on"))
        assert page.locator(".qr svg").count() == 1
        assert reader.violations() == []
        text = page.inner_text("[aria-labelledby=own-app] code")
        secret = b32decode(text + "=" * (-len(text) % 8))
        page.get_by_label("Code that the app shows now").fill("000000")
        reader.go_on(page.get_by_role("button", name="Confirm"))
        step = int(float(school.ask("clock")["policy_time"]) // STEP_S)
        page.get_by_label("Code that the app shows now").fill(code_at(secret, step))
        reader.go_on(page.get_by_role("button", name="Confirm"))
        assert page.locator(".codes li").count() == 10
        reader.open("/account?lang=en")
        assert page.locator(".codes li").count() == 0
        assert page.get_by_role("button", name="Make new recovery codes").count() == 1
    reply = school.send("GET", "/", headers={"Cookie": f"{COOKIE}={elsewhere}"})
    assert "Now" not in reply.text
    assert reply.status in (303, 401)
