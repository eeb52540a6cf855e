# SPDX-License-Identifier: Apache-2.0
"""Pages are drawn in both languages, escaped, with the menu of the person's roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.overrides.roles import Role
from filterd.web import pages
from filterd.web.page_renderer import changed_query, own_path
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
