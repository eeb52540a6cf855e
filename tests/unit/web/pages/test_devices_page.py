# SPDX-License-Identifier: Apache-2.0
"""The page of devices has unknown ones first; an administrator names and assigns them."""

from __future__ import annotations

from typing import Any

from filterd.overrides.roles import Role
from filterd.web.pages.devices_page import PAGE
from tests.support.rendered import a_visitor, rendered
from tests.support.school_answers import HOSTILE, school_answers

UNKNOWN: dict[str, Any] = {
    "mac": "02:00:5e:00:00:01",
    "name": "",
    "host": HOSTILE,
    "maker": "",
    "is_random": False,
    "is_here": True,
    "addresses": ["192.0.2.7"],
    "network": None,
    "grade": None,
    "class": None,
}
KNOWN = {**UNKNOWN, "mac": "02:00:5e:00:00:02", "network": "lab", "grade": "6", "class": "6A"}


def _shown(*roles: Role, **query: str) -> str:
    answers = school_answers() | {"devices": [UNKNOWN, KNOWN], "nat-seen": []}
    return rendered(PAGE, a_visitor(answers, *roles), **query)


def test_a_teacher_reads_them_and_hostile_names_are_escaped() -> None:
    shown = _shown(Role.TEACHER)
    assert "Devices that are in no network: 1." in shown
    assert HOSTILE not in shown
    assert 'action="/do/' not in shown
    assert PAGE.roles == {Role.TEACHER, Role.ADMIN}


def test_an_administrator_names_and_assigns() -> None:
    shown = _shown(Role.ADMIN)
    for name in ("nameDevice", "assignDevices", "unassignDevices"):
        assert shown.count(f'action="/do/{name}"') == 2
    assert '<option value="class:6A" selected>' in shown


def test_shared_addresses_are_shown_while_they_are_searched() -> None:
    assert "No address is shared" not in _shown(Role.ADMIN)
    assert "No address is shared" in _shown(Role.ADMIN, shared="on")


def test_they_are_searched() -> None:
    shown = _shown(Role.ADMIN, q="6a")
    assert KNOWN["mac"] in shown
    assert UNKNOWN["mac"] not in shown
