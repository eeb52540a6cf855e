# SPDX-License-Identifier: Apache-2.0
"""A teacher on a phone opens a site for the class until the bell, and closes it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.message
import dns.rcode
import pytest

from filterd.overrides.rights.roles import Role
from tests.support.browser import PHONE, tab
from tests.support.daemon import asked, copy_lists, free_port, noon, serving, write_site
from tests.support.upstream import FakeUpstream
from tests.support.web_school import web_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from filterd.base.state_folder import StateFolder
    from tests.support.browser import Tab
    from tests.support.web_school import WebSchool

pytestmark = pytest.mark.long

SCHOOL = """\
  home-6a: {cidrs: [127.0.110.0/24], class: 6A, room: true}
classes:
  6A: {grade: 6, teachers: [teacher]}
  6B: {grade: 6, teachers: [hoa]}
lessons:
  ca-ngay: 00:01-23:59
"""
SITE = "www.tiktok.com"
OF_6A, OF_6 = "127.0.110.7", "127.0.6.7"


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory, built: StateFolder) -> Iterator[WebSchool]:
    folder = tmp_path_factory.mktemp("school")
    with FakeUpstream() as upstream:
        upstream.add(f"{SITE}. 60 IN A 198.18.0.1")
        more = f"{SCHOOL}time_zone: {noon()}\n"
        config = write_site(folder / "site", port=free_port(), upstream=upstream.port, more=more)
        copy_lists(built, folder / "state")
        with serving(config, folder / "state") as served, web_of(served, free_port()) as web:
            yield web


def _passes(school: WebSchool, source: str) -> bool:
    """Return whether the site is answered to a device, by a real question."""
    port = int(school.ask("status")["listen"][0]["port"])
    query = dns.message.make_query(SITE, "A")
    answer = dns.message.from_wire(asked(port, query.to_wire(), source))
    return answer.rcode() == dns.rcode.NOERROR and bool(answer.answer)


def _open_site(teacher: Tab) -> None:
    teacher.page.get_by_label("One site").fill(SITE)
    teacher.go_on(teacher.page.get_by_role("button", name="Open this site"))


@pytest.mark.parametrize("scripts", [True, False])
def test_a_site_is_opened_until_the_bell_and_closed_again(
    browser: Browser, school: WebSchool, *, scripts: bool
) -> None:
    assert not _passes(school, OF_6A)
    with tab(browser, school, Role.TEACHER, PHONE, scripts=scripts) as teacher:
        teacher.open("/lesson?lang=en")
        _open_site(teacher)
        assert "Change " in teacher.page.inner_text(".done")
        assert _passes(school, OF_6A)
        assert not _passes(school, OF_6)
        teacher.go_on(teacher.page.get_by_role("button", name=f"Close again: {SITE}"))
        assert not _passes(school, OF_6A)
    newest = school.ask("history", limit=2)
    assert [one["author"] for one in newest] == ["web:teacher"] * 2


def test_a_teacher_begins_with_the_own_lesson(browser: Browser, school: WebSchool) -> None:
    with tab(browser, school, None, PHONE) as teacher:
        teacher.open(f"/login/code/{school.code(Role.TEACHER)}?lang=en")
        teacher.go_on(teacher.page.get_by_role("button").first)
        teacher.page.wait_for_url("**/lesson")
        assert "class 6A" in teacher.page.inner_text("main")


def test_an_invalid_name_is_explained_beside_the_field(browser: Browser, school: WebSchool) -> None:
    with tab(browser, school, Role.TEACHER, PHONE) as teacher:
        teacher.open("/lesson?lang=en")
        teacher.page.get_by_label("One site").fill("not a site")
        teacher.go_on(teacher.page.get_by_role("button", name="Open this site"))
        assert "not a site" in teacher.page.inner_text(".trouble")
        assert teacher.page.get_by_label("One site").input_value() == "not a site"


def test_every_target_is_large_enough_for_a_finger(browser: Browser, school: WebSchool) -> None:
    with tab(browser, school, Role.TEACHER, PHONE) as teacher:
        teacher.open("/lesson?lang=vi")
        heights = teacher.page.evaluate(
            "() => [...document.querySelectorAll('main button, main .choice')]"
            ".filter(one => one.checkVisibility()).map(one => one.getBoundingClientRect().height)"
        )
        assert heights
        assert min(heights) >= 44
        assert teacher.violations() == []
        assert not teacher.is_too_wide()


def test_a_teacher_of_another_class_opens_nothing_for_this_one(school: WebSchool) -> None:
    fields = {"targets": SITE, "for_whom": "class:6B", "term": "lesson", "reason": "x"}
    reply = school.post("/do/allow", Role.TEACHER, back="/lesson", **fields)
    assert reply.status == 403
    assert "6B" in reply.text
