# SPDX-License-Identifier: Apache-2.0
"""In a real browser: look at a report, fill it in, download it, edit its letterhead."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from filterd.overrides.history.history_chain import VIEW
from filterd.overrides.rights.roles import Role
from tests.support.browser import DESKTOP, PHONE, tab
from tests.support.filled_school import filled_school

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from filterd.base.state_folder import StateFolder
    from tests.support.web_school import WebSchool

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory, built: StateFolder) -> Iterator[WebSchool]:
    with filled_school(tmp_path_factory.mktemp("school"), built, days=120) as served:
        yield served


@pytest.mark.parametrize(
    ("language", "size", "role"),
    [("vi", PHONE, Role.ADMIN), ("en", DESKTOP, Role.PRINCIPAL), ("vi", DESKTOP, Role.READER)],
)
def test_the_page_is_well_made_on_a_phone_and_a_desktop(
    browser: Browser, school: WebSchool, language: str, size: tuple[int, int], role: Role
) -> None:
    with tab(browser, school, role, size) as person:
        edited = ["/site/report", "/site/programmes"] if role is Role.ADMIN else []
        assert person.faults([*edited, "/reports"], language) == {}
        person.page.locator("main summary").click()
        assert person.violations() == []


def test_a_report_is_looked_at_in_a_tab_of_its_own_without_scripts_or_loads(
    browser: Browser, school: WebSchool
) -> None:
    with tab(browser, school, Role.PRINCIPAL) as person:
        person.open("/reports?lang=en")
        with person.page.context.expect_page() as opened:
            person.page.get_by_role("button", name="Preview").click()
        shown = opened.value
        shown.wait_for_load_state()
        assert "REPORT" in shown.inner_text("body").upper()
        assert shown.evaluate("document.styleSheets.length") > 0, "it brings its own styles"
        assert shown.evaluate("window.origin") == "null", "it is in a sandbox"


@pytest.mark.parametrize("format_", ["docx", "xlsx", "html", "csv", "json"])
def test_a_report_is_downloaded_with_its_name_and_the_answers(
    browser: Browser, school: WebSchool, tmp_path: Path, format_: str
) -> None:
    with tab(browser, school, Role.ADMIN) as person:
        person.open("/reports?lang=vi")
        person.page.get_by_label("Định dạng", exact=True).select_option(format_)
        person.page.get_by_text("Phần do người điền").click()
        person.page.locator("[name=answer_pupils]").fill("4711")
        with person.page.expect_download() as download:
            person.page.get_by_role("button", name="Tải xuống").click()
        name = download.value.suggested_filename
        assert name.startswith("bao-cao-20")
        assert name.endswith(f".{format_}")
        download.value.save_as(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    if format_ in ("docx", "xlsx"):
        with zipfile.ZipFile(tmp_path / name) as file:
            content = b"".join(file.read(one) for one in file.namelist() if one.endswith(".xml"))
    assert b"4711" in content.replace(b".", b"")
    if format_ == "json":
        assert json.loads(content)["facts"]["audience"] == "outside"


def test_a_wrong_answer_is_explained_and_the_answers_stay_in_the_form(
    browser: Browser, school: WebSchool
) -> None:
    with tab(browser, school, Role.ADMIN) as person:
        person.open("/reports?lang=en")
        person.page.get_by_label("or from this day").fill("2026-09-05")
        person.page.get_by_text("What a person fills in").click()
        person.page.locator("[name=answer_training]").fill("Hai buổi")
        person.go_on(person.page.get_by_role("button", name="Download"))
        assert "or neither" in person.page.inner_text(".trouble")
        assert person.page.locator("[name=answer_training]").input_value() == "Hai buổi"


def test_a_class_is_reported_inside_the_school_by_an_administrator(
    browser: Browser, school: WebSchool
) -> None:
    with tab(browser, school, Role.ADMIN) as person:
        person.open("/reports?lang=en")
        person.page.get_by_label("Class or grade").select_option("class:6A")
        person.page.get_by_label("Format", exact=True).select_option("json")
        with person.page.expect_download() as download:
            person.page.get_by_role("button", name="Download").click()
        facts = json.loads(download.value.path().read_bytes())["facts"]
        assert (facts["audience"], facts["scope"]) == ("inside", "6A")
    with tab(browser, school, Role.TEACHER) as teacher:
        teacher.open("/reports?lang=en")
        assert teacher.page.locator("option[value='class:6A']").count() == 0
        assert teacher.page.locator("option[value='outside']").count() == 0


def test_a_report_that_was_made_is_in_the_history(browser: Browser, school: WebSchool) -> None:
    with tab(browser, school, Role.PRINCIPAL) as person:
        person.open("/reports?lang=en")
        with person.page.expect_download():
            person.page.get_by_role("button", name="Download").click()
    views = [one for one in school.ask("history", limit=50, views=True) if one["kind"] == VIEW]
    assert ("web:principal", "export") in [
        (view["author"], view["payload"]["view"]) for view in views
    ]


def test_the_programme_is_edited_among_the_parts_of_the_site(
    browser: Browser, school: WebSchool
) -> None:
    with tab(browser, school, Role.ADMIN) as person:
        person.open("/reports?lang=en")
        person.go_on(person.page.get_by_role("link", name="Edit programmes"))
        person.page.get_by_label("Name of the programme").fill("Chương trình 2026-2030")
        person.page.get_by_label("Receiver of the report").fill("Sở GD&ĐT")
        person.go_on(person.page.get_by_role("button", name="Show what will change"))
        assert "Chương trình 2026-2030" in person.page.inner_text("main")
        assert "site/change" in person.page.url
