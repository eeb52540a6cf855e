# SPDX-License-Identifier: Apache-2.0
"""An administrator edits the site in a browser; the file keeps what a person wrote."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import pytest

from filterd.overrides.rights.roles import Role
from filterd.web.sections import ORDER
from tests.support.browser import LOOKS, browser, tab
from tests.support.web_school import WebSchool, web_school

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

__all__ = ["browser"]

MORE = """\
  # Phòng máy tầng 2, máy cũ
  lab-a:
    cidrs: [127.0.110.0/24]
    timetable:
      t2: {tiet-1: 6,  tiet-2: 6}   # thầy Minh
lessons:
    tiet-1: 07:00-07:45   # chuông
    tiet-2: 07:50-08:35
classes: {6A: {grade: 6}}
local_zones:
  - name: truong.home.arpa
    records:
      - may-in A 192.168.10.20   # máy in
"""


ITEMS = {"networks": "lab-a", "timetables": "lab-a", "classes": "6A"}


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebSchool]:
    with web_school(tmp_path_factory.mktemp("school"), more=MORE) as served:
        yield served


def text_of(school: WebSchool) -> str:
    return (school.served.config / "site.yaml").read_text()


def changed(before: str, school: WebSchool) -> list[str]:
    lines = difflib.ndiff(before.splitlines(), text_of(school).splitlines())
    return [line for line in lines if line[0] in "+-"]


@pytest.mark.long
def test_a_timetable_is_edited_and_the_rest_stays_byte_for_byte(
    school: WebSchool, browser: Browser
) -> None:
    before = text_of(school)
    with tab(browser, school, Role.ADMIN, scripts=False) as opened:
        page = opened.page
        opened.open("/site")
        page.click("text=Timetables of rooms")
        page.click("text=lab-a")
        page.select_option("select >> nth=7", "t2 tiet-2 6A")
        page.click("text=Show what will change")
        assert "6A" in page.inner_text("ins", timeout=2000)
        assert text_of(school) == before, "nothing is changed before it was looked at"
        page.click("text=Put it in force")
        assert page.url == f"{school.origin}/site"
    assert changed(before, school) == [
        "-       t2: {tiet-1: 6,  tiet-2: 6}   # thầy Minh",
        "+       t2: {tiet-1: 6, tiet-2: 6A}   # thầy Minh",
    ]
    rows = school.ask("history")
    assert (rows[0]["kind"], rows[0]["payload"]["keys"]) == ("site-edit", ["networks.lab-a"])


@pytest.mark.long
def test_what_is_wrong_is_shown_and_cannot_be_put_in_force(
    school: WebSchool, browser: Browser
) -> None:
    before = text_of(school)
    with tab(browser, school, Role.ADMIN) as opened:
        opened.open("/site/local-names?item=truong.home.arpa")
        opened.page.fill("textarea", "may-in A 192.168.10.999")
        opened.page.click("text=Show what will change")
        assert "site.yaml:" in opened.page.inner_text(".trouble")
        assert opened.page.query_selector("text=Put it in force") is None
        opened.page.click("text=Drop it")
    assert text_of(school) == before


@pytest.mark.long
@pytest.mark.parametrize(("language", "scheme", "size"), LOOKS)
def test_every_form_is_there_for_everybody(
    school: WebSchool, browser: Browser, language: str, scheme: str, size: tuple[int, int]
) -> None:
    paths = [f"/site/{section.id}" for section in ORDER]
    paths += [f"/site/{section}?item={item}" for section, item in ITEMS.items()]
    with tab(browser, school, Role.ADMIN, size, color_scheme=scheme) as opened:
        assert opened.faults(paths, language) == {}


@pytest.mark.long
def test_a_part_that_is_not_there_is_no_page(school: WebSchool) -> None:
    assert school.get("/site/listen").status == 404
    assert school.get("/site/networks?item=%3Cscript%3E").text.count("<script>") == 0
