# SPDX-License-Identifier: Apache-2.0
"""A form that is sent as it was shown edits nothing, whatever the site has."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.appliance.setup.site_edit import EDITABLE, change_of, edits_of
from filterd.base.errors import ConfigError
from filterd.base.paths import shipped
from filterd.documents import parse
from filterd.web.sections import BY_ID, ORDER
from filterd.web.sections.site_section import ITEM, Lines, SiteSection

ODD = """\
classes: {6A: {grade: 6, teachers: [lan]}, 7B: {grade: 7}}
networks:
  lab: {room: true, grade: 6, macs: [], timetable: {mon: {1: 6A, 2: {class: 7B, teacher: lan}}}}
  home: {class: 6A, cidrs: [10.0.6.0/24]}
lessons: {1: 07:00-07:45, 2: 07:50-08:35}
schedules:
  s: [{from: 22:00, to: 05:00, first: 2026-09-05, holidays: on}, {days: [t2], from: 7:00, to: 8:00}]
scheduled:
  - {schedule: s, open: {service: youtube}}
  - {schedule: s, close: {tier: primary}, for: everybody}
  - {schedule: s, close: {category: games}, for: {class: 6A}}
local_zones: [{name: a.home.arpa, records: ["@ A 10.0.0.1", 'x TXT "a, b"']}]
upstreams:
  - system
  - {server: 1.1.1.1, tls: strict}
  - {server: 9.9.9.9, tls: strict, name: dns.quad9.net, trusted: true}
log: {level: names, tiers: {primary: off}, keep_days: 14}
alerts: {mail: {server: m.vn, from: a@b.vn, to: [c@d.vn], port: 465}, webhook: {url: https://h.vn/a}}
"""
SHIPPED = (shipped("policies") / "site.yaml").read_text()
SITES = [parse(text.encode(), "site.yaml").data for text in ("school: {name: A}\n", SHIPPED, ODD)]


def form_of(section: SiteSection, data: Any, item: str) -> dict[str, Any]:
    """Return what a browser sends for the form as it is shown."""
    sent: dict[str, str] = {ITEM: item} if section.items else {}
    for name, value in section.values(data, item).items():
        if isinstance(value, dict):
            sent[name] = "\n".join(f"{place} {seat}" for place, seat in value.items())
        elif isinstance(value, list):
            sent[name] = "\r\n".join(value)
        elif value is not False:
            sent[name] = "on" if value is True else str(value)
    return section.parameters.read(sent)


@pytest.mark.parametrize("data", SITES, ids=["bare", "sample", "odd"])
@pytest.mark.parametrize("section", ORDER, ids=lambda one: one.id)
def test_a_form_as_it_was_shown_changes_nothing(section: SiteSection, data: Any) -> None:
    for item in section.items(data) if section.items else [""]:
        edits = section.edits(data, form_of(section, data, item))
        change = change_of(data, edits_of(edits))
        defaults = {"log": {"level": "counts"}, "language": "vi"}
        assert {key: one for key, one in change.items() if defaults.get(key) != one} == {}


def test_each_section_edits_what_may_be_edited() -> None:
    roots = {
        one["path"][0]
        for section in ORDER
        for one in section.edits({}, {ITEM: "x", "cells": [], "grade": "6"})
    }
    assert roots <= EDITABLE
    assert len(BY_ID) == len(ORDER)


def test_lines_are_of_a_form_or_of_a_program() -> None:
    assert Lines().read(" a \r\n\r\nb") == Lines().read(["a", "b"]) == ["a", "b"]
    for wrong in (3, ["a\nb"], ["x" * 301], "a\n" * 201):
        with pytest.raises(ConfigError):
            Lines().read(wrong)
