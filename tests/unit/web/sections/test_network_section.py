# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from filterd.appliance.site_edit import change_of, edits_of
from filterd.web.sections.network_section import CLASSES, NETWORKS

DATA: dict[str, Any] = {"classes": {"6A": {"grade": 6}}, "networks": {"lab": {"macs": []}}}


def changed(section: Any, **given: Any) -> dict[str, Any]:
    return change_of(DATA, edits_of(section.edits(DATA, given)))


def test_a_seat_is_a_class_or_a_grade() -> None:
    assert changed(NETWORKS, item="lab", seat="6A") == {"networks": {"lab": {"class": "6A"}}}
    assert changed(NETWORKS, item="lab", seat="7") == {"networks": {"lab": {"grade": 7}}}
    new = {"cidrs": ["10.0.0.0/24"], "room": True, "grade": "staff"}
    told = changed(NETWORKS, item="x", seat="staff", cidrs=["10.0.0.0/24"], room=True)
    assert told == {"networks": {"x": new}}


def test_an_empty_list_that_stands_there_stays() -> None:
    assert changed(NETWORKS, item="lab") == {}


def test_an_entry_can_be_taken_out() -> None:
    assert changed(NETWORKS, item="lab", remove=True) == {"networks": {"lab": None}}
    assert changed(CLASSES, item="6A", remove=True) == {"classes": {"6A": None}}


def test_a_class_has_teachers() -> None:
    told = changed(CLASSES, item="6A", grade="6", teachers=["lan"])
    assert told == {"classes": {"6A": {"teachers": ["lan"]}}}
