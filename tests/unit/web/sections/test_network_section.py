# SPDX-License-Identifier: Apache-2.0
"""None"""

from __future__ import annotations

from typing import Any

import pytest

from filterd.appliance.setup.site_edit import change_of, edits_of
from filterd.base.errors import ConfigError
from filterd.web.sections.network_section import CLASSES, NETWORKS, SCHOOL, UPSTREAMS, ZONES

DATA: dict[str, Any] = {"classes": {"6A": {"grade": 6}}, "networks": {"lab": {"macs": []}}}


def changed(section: Any, **given: Any) -> dict[str, Any]:
    return change_of(DATA, edits_of(section.edits(DATA, given)))


def test_a_seat_is_a_class_or_a_grade() -> None:
    assert changed(NETWORKS, item="lab", seat="6A") == {"networks": {"lab": {"class": "6A"}}}
    assert changed(NETWORKS, item="lab", seat="7") == {"networks": {"lab": {"grade": 7}}}
    new = {"cidrs": ["10.0.0.0/24"], "room": True, "grade": "staff"}
    edits = changed(NETWORKS, item="x", seat="staff", cidrs=["10.0.0.0/24"], room=True)
    assert edits == {"networks": {"x": new}}


def test_an_empty_list_that_stands_there_stays() -> None:
    assert changed(NETWORKS, item="lab") == {}


def test_an_entry_can_be_taken_out() -> None:
    assert changed(NETWORKS, item="lab", remove=True) == {"networks": {"lab": None}}
    assert changed(CLASSES, item="6A", remove=True) == {"classes": {"6A": None}}


def test_a_class_has_teachers() -> None:
    edits = changed(CLASSES, item="6A", grade="6", teachers=["lan"])
    assert edits == {"classes": {"6A": {"teachers": ["lan"]}}}


A, B = {"name": "a.home.arpa", "records": ["@ A 10.0.0.1"]}, {"name": "b.home.arpa"}


def test_the_records_of_one_zone_change_and_the_others_stay() -> None:
    (edit,) = ZONES.edits(
        {"local_zones": [A, B]}, {"item": "b.home.arpa", "records": ["x A 1.2.3.4"]}
    )
    assert edit["value"] == [A, B | {"records": ["x A 1.2.3.4"]}]
    (edit,) = ZONES.edits({"local_zones": [A]}, {"item": "c.home.arpa"})
    assert edit["value"] == [A, {"name": "c.home.arpa", "records": []}]
    (edit,) = ZONES.edits({"local_zones": [A]}, {"item": "a.home.arpa", "remove": True})
    assert edit["value"] is None


def test_an_upstream_by_tls_is_a_line() -> None:
    (edit,) = UPSTREAMS.edits(
        {}, {"servers": ["system", "1.1.1.1 tls=strict name=one.one trusted"]}
    )
    tls = {"server": "1.1.1.1", "tls": "strict", "name": "one.one", "trusted": True}
    assert edit["value"] == ["system", tls]
    with pytest.raises(ConfigError):
        UPSTREAMS.edits({}, {"servers": ["1.1.1.1 tsl=strict"]})


def test_a_quotation_mark_in_an_upstream_is_left_to_the_check_of_the_site() -> None:
    (edit,) = UPSTREAMS.edits({}, {"servers": ["1.1.1.1'"]})
    assert edit["value"] == ["1.1.1.1'"]


def test_the_code_of_the_school_can_go() -> None:
    edits = SCHOOL.edits({}, {"name": "A", "language": "vi"})
    assert {"path": ["school", "code"], "value": None} in edits
