# SPDX-License-Identifier: Apache-2.0
"""Pages are drawn in both languages, escaped, with the menu of the person's roles."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from filterd.overrides.rights.roles import Role
from filterd.web import page_renderer, pages
from filterd.web.page_renderer import StaticFiles, changed_query, own_path
from tests.support.rendered import a_visitor

if TYPE_CHECKING:
    from tests.support.web_requests import FakeManager


def test_the_menu_has_the_pages_of_the_roles(manager: FakeManager) -> None:
    shown = manager.get("/").text
    assert '<a href="/" aria-current="page">' in shown
    assert "/of/" not in shown


def test_the_menu_of_a_teacher_begins_with_the_own_lesson() -> None:
    start = {}
    for role in (Role.TEACHER, Role.ADMIN, Role.INSPECTOR):
        menu = pages.menu_of(a_visitor({}, role))
        start[role] = menu[0][1][0].path
        assert all(role in one.roles for _, group in menu for one in group)
    assert start == {Role.TEACHER: "/lesson", Role.ADMIN: "/", Role.INSPECTOR: "/"}


def test_a_person_chooses_the_language_and_keeps_it(manager: FakeManager) -> None:
    reply = manager.get("/of/6A?lang=vi")
    assert '<html lang="vi">' in reply.text
    assert 'href="/of/6A?lang=en"' in reply.text
    assert reply.cookies == {"__Host-lang": "vi"}
    assert '<html lang="vi">' in manager.get("/", cookie="__Host-sid=a; __Host-lang=vi").text
    assert '<html lang="en">' in manager.get("/?lang=xx").text


def test_every_text_is_escaped(manager: FakeManager) -> None:
    hostile = '"><script>alert(1)</script>'
    manager.answers["school"]["school"] = hostile
    assert "<script>alert" not in manager.get("/of/%22%3E%3Cscript%3Ealert").text


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/", "/"),
        ("/log?name=a.example", "/log?name=a.example"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("/ế", "/"),
        ("", "/"),
    ],
)
def test_a_way_back_leads_to_this_dashboard(path: str, found: str) -> None:
    assert own_path(path) == found


def test_a_query_is_changed_by_name() -> None:
    assert changed_query("/log?a=1&b=2", b=3, c="ế") == "/log?a=1&b=3&c=%E1%BA%BF"
    assert changed_query("/log?a=1", a=None) == "/log"


FILES = Path(page_renderer.__file__).parent / "static"


def test_an_address_has_the_digest_of_its_file(manager: FakeManager) -> None:
    address = StaticFiles().address("style.css")
    assert re.fullmatch(r"/static/style\.css\?[0-9a-f]{16}", address)
    reply = manager.get(address)
    assert reply.text == (FILES / "style.css").read_text(encoding="utf-8")
    assert reply.headers["content-type"].startswith("text/css")
    assert "immutable" in reply.headers["cache-control"]
    assert address in manager.get("/").text


@pytest.mark.parametrize("name", ["base.html", "STYLE.CSS", "none"])
def test_there_is_nothing_else(manager: FakeManager, name: str) -> None:
    assert manager.get(f"/static/{name}").status == 404


def test_own_scripts_are_short_and_write_no_html() -> None:
    scripts = [one.read_text(encoding="utf-8") for one in FILES.glob("*.js")]
    assert sum(len(script.splitlines()) for script in scripts) <= 150
    for word in ("innerHTML", "outerHTML", "insertAdjacent", "eval(", ".style", "document.write"):
        assert not any(word in script for script in scripts)


def test_no_template_has_a_script_or_a_style_of_its_own() -> None:
    for one in (FILES.parent / "templates").glob("*.html"):
        text = one.read_text(encoding="utf-8")
        inline = re.search(r"<style|style=|<script(?! src=)|\son\w+=|javascript:|\|\s*safe", text)
        assert inline is None, (one.name, inline)
