# SPDX-License-Identifier: Apache-2.0
"""In a real browser: find a blocked lookup, see why, open the name, and ask again by DNS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.overrides.rights.roles import Role
from tests.support.browser import PHONE, tab
from tests.support.filled_school import filled_school, is_blocked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from filterd.base.state_folder import StateFolder
    from tests.support.web_school import WebSchool

pytestmark = pytest.mark.long

NAME, OTHER = "www.tiktok.com", "www.facebook.com"


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory, built: StateFolder) -> Iterator[WebSchool]:
    with filled_school(tmp_path_factory.mktemp("school"), built) as served:
        yield served


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_blocked_lookup_is_opened_for_its_class_until_the_bell(
    browser: Browser, school: WebSchool, scripts: bool
) -> None:
    name = NAME if scripts else OTHER
    assert is_blocked(school, name, "6A")

    with tab(browser, school, Role.ADMIN, PHONE, scripts=scripts) as person:
        person.open(f"/lookups?lang=en&name={name}&match=exact&whom=class:6A&action=blocked")
        person.go_on(person.page.locator("main td a").first)
        assert "Why it was decided so" in person.page.inner_text("main")
        person.go_on(person.page.get_by_role("link", name="How it is now, and open it"))
        assert "closed" in person.page.inner_text("#h-answer")
        person.page.get_by_label("Reason, for the history").fill("bài học")
        person.go_on(person.page.get_by_role("button", name="Open it"))
        assert "Change" in person.page.inner_text(".done")
        assert "open" in person.page.inner_text("#h-answer")

    assert not is_blocked(school, name, "6A")
    assert is_blocked(school, name, "6B")
    row = school.ask("history", limit=1)[0]
    assert row["author"].startswith("web:")
    assert (row["kind"], row["reason"], row["payload"]["whom"]) == ("exception", "bài học", "6A")


def test_a_teacher_finds_names_of_the_own_class_and_opens_one(
    browser: Browser, school: WebSchool
) -> None:
    name = "www.instagram.com"
    for device in range(1, 10):  # k pupils' devices, and as many as the reader may have
        assert is_blocked(school, name, "6A", device)

    with tab(browser, school, Role.TEACHER, PHONE) as person:
        assert person.open("/lookups").status == 404
        person.open("/class-names?lang=en")
        person.go_on(person.page.get_by_role("link", name=name))
        whom = person.page.get_by_label("For whom").locator("option").all_inner_texts()
        assert whom == ["class 6A", "room lab-a"]
        person.page.get_by_label("Reason, for the history").fill("dự án")
        person.go_on(person.page.get_by_role("button", name="Open it"))
        assert "Change" in person.page.inner_text(".done")

    assert not is_blocked(school, name, "6A")
    assert is_blocked(school, name, "6B")


def test_a_missing_reason_is_reported_and_the_form_keeps_its_choices(
    browser: Browser, school: WebSchool
) -> None:
    with tab(browser, school, Role.ADMIN) as person:
        person.open("/why?lang=en&name=roblox.com&whom=class:6B")
        person.page.get_by_label("For how long").select_option("2700")
        reason = person.page.get_by_label("Reason, for the history")
        reason.evaluate("one => one.removeAttribute('required')")
        person.go_on(person.page.get_by_role("button", name="Open it"))
        assert "reason" in person.page.inner_text(".trouble")
        assert person.page.get_by_label("For how long").input_value() == "2700"


def test_lookups_appear_while_the_page_is_open(browser: Browser, school: WebSchool) -> None:
    with tab(browser, school, Role.ADMIN) as person:
        person.open("/lookups/live?lang=en")
        person.page.locator("#live-status", has_text="Live").wait_for()
        assert is_blocked(school, "www.pornhub.com", "6B")
        person.page.get_by_role("cell", name="www.pornhub.com").wait_for()
