# SPDX-License-Identifier: Apache-2.0
"""TODO"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.appliance.setup.interview import Interview, Machine, SchoolLink
from filterd.appliance.setup.questions import fill
from filterd.appliance.setup.site_answers import (
    answers_in,
    change,
    choices_for,
    moved_change,
    moved_defaults,
    strange_names,
)
from filterd.appliance.setup.site_writer import rewritten
from filterd.base.errors import ConfigError
from filterd.base.paths import shipped
from filterd.config.compile_run import compile_in_memory
from filterd.documents import load

if TYPE_CHECKING:
    from pathlib import Path

LINKS = tuple(
    SchoolLink(f"192.168.{number}.0/24", f"lan{number}", f"192.168.{number}.1")
    for number in (6, 7, 20, 30)
)
LAB = {
    "school": "Trường THCS Nguyễn Du",
    "classes": "6A 7A",
    "seat 192.168.6.0/24": "6A",
    "seat 192.168.7.0/24": "7A",
    "seat 192.168.20.0/24": "pm",
    "seat 192.168.30.0/24": "gv",
}
FLAT = Machine(LINKS[:1])


def changed(
    given: dict[str, str], site: dict[str, Any] | None = None, machine: Machine | None = None
) -> dict[str, Any]:
    """Return the change of a site by these answers and the defaults."""
    interview = Interview(machine or Machine(LINKS), answers_in(site or {}))
    fill(interview, given)
    return change(site or {}, interview)


def test_a_new_school_has_its_classes_its_room_and_its_staff() -> None:
    made = changed(LAB)
    assert made["classes"] == {"6A": {"grade": 6}, "7A": {"grade": 7}}
    assert made["networks"] == {
        "lop-6a": {"cidrs": ["192.168.6.0/24"], "class": "6A"},
        "lop-7a": {"cidrs": ["192.168.7.0/24"], "class": "7A"},
        "phong-may": {"cidrs": ["192.168.20.0/24"], "room": True, "grade": 6},
        "giao-vien": {"cidrs": ["192.168.30.0/24"], "grade": "staff"},
    }
    assert made["follow"] == ["recommended"]
    assert "feed" not in made


def test_the_answers_of_a_site_change_nothing() -> None:
    made = changed(LAB | {"upstreams": "system, tls:9.9.9.9", "code": "79-1"})
    assert changed({}, made) == {}


def test_the_answers_of_the_sample_school_change_its_lists_only() -> None:
    sample = load(shipped("policies") / "site.yaml").data
    assert changed({"lists": "later"}, sample) == {}
    assert changed({}, sample) == {"follow": ["recommended"]}


def test_staff_on_a_flat_lan_are_never_silently_among_the_pupils() -> None:
    given = {"school": "A1", "classes": "6A 9A", "staff": "02-00-5e-10-00-01"}
    made = changed(given, machine=FLAT)
    assert made["networks"] == {
        "lan": {"cidrs": ["192.168.6.0/24"], "grade": 6},
        "thiet-bi-giao-vien": {"macs": ["02:00:5e:10:00:01"], "grade": "staff"},
    }
    more = changed({"staff": "02:00:5e:10:00:01 02:00:5e:10:00:02"}, made, FLAT)
    assert more == {
        "networks": {"thiet-bi-giao-vien": {"macs": ["02:00:5e:10:00:01", "02:00:5e:10:00:02"]}}
    }


def test_staff_on_a_flat_lan_without_a_named_device_have_a_network_to_be_assigned_to(
    tmp_path: Path,
) -> None:
    made = changed({"school": "A1", "classes": "6A", "lists": "later"}, machine=FLAT)
    assert made["networks"]["thiet-bi-giao-vien"] == {"macs": [], "grade": "staff"}
    assert changed({"lists": "later"}, made, FLAT) == {}
    named = changed({"staff": "02:00:5e:10:00:01", "lists": "later"}, made, FLAT)
    assert named == {"networks": {"thiet-bi-giao-vien": {"macs": ["02:00:5e:10:00:01"]}}}
    (tmp_path / "site.yaml").write_text(rewritten("", made, "vi"), "utf-8")
    policy = compile_in_memory(tmp_path, shipped("blocklists"))
    (staff,) = (network for network in policy.networks if network.grade == "staff")
    assert (staff.macs, staff.room) == ((), False)  # teachers change rooms


def test_an_ipv6_prefix_on_the_link_of_a_network_is_of_the_same_network() -> None:
    links = (LINKS[0], SchoolLink("fd00:6::/64", "lan6", "fd00:6::1"))
    made = changed({"school": "A1", "classes": "6A", "flat": "2"}, machine=Machine(links))
    assert made["networks"] == {"lan": {"cidrs": ["192.168.6.0/24", "fd00:6::/64"], "grade": 6}}
    assert changed({"flat": "2"}, made, Machine(links)) == {}


def test_a_seat_takes_the_place_of_the_one_before() -> None:
    made = changed(LAB)
    assert changed({"seat 192.168.6.0/24": "6"}, made) == {
        "networks": {"lop-6a": {"class": None, "grade": 6}}
    }
    assert changed({"seat 192.168.20.0/24": "7A"}, made) == {
        "networks": {"phong-may": {"class": "7A", "room": None, "grade": None}}
    }


def test_what_is_named_no_more_stays_in_the_file() -> None:
    made = changed(LAB)
    assert changed({"classes": "6A 7A 8A", "networks": "192.168.6.0/24, 192.168.7.0/24"}, made) == {
        "classes": {"8A": {"grade": 8}}
    }


def test_a_feed_takes_the_place_of_public_lists() -> None:
    feed = {"lists": "feed", "feed": "https://f.example/", "root": "0" * 64}
    assert changed(feed, changed(LAB)) == {"feed": "https://f.example/", "follow": None}


def test_upstreams_that_no_answer_can_express_stay_as_they_are() -> None:
    site = changed(LAB) | {"upstreams": [{"server": "9.9.9.9", "tls": "strict", "name": "dns.x"}]}
    assert answers_in(site)["upstreams"] == "as-it-is"
    assert changed({}, site) == {}
    assert changed({"upstreams": "system"}, site) == {"upstreams": ["system"]}


def test_two_ranges_of_one_network_cannot_have_two_seats() -> None:
    site = changed(LAB)
    site["networks"]["lop-6a"]["cidrs"].append("192.168.8.0/24")
    assert changed({}, site) == {}
    with pytest.raises(ConfigError, match=r"192\.168\.8\.0/24 is a part of the network 'lop-6a'"):
        changed({"seat 192.168.8.0/24": "7A"}, site)


def test_the_name_of_an_installation_is_no_answer() -> None:
    assert "school" not in answers_in({"school": {"name": "Trường chưa đặt tên"}})


def test_ids_follow_the_language_and_are_unique() -> None:
    given = LAB | {"language": "en", "seat 192.168.7.0/24": "6A", "seat 192.168.20.0/24": "6"}
    made = changed(given)
    assert list(made["networks"]) == ["class-6a", "class-6a-2", "grade-6", "staff"]


HERE = Machine(
    (
        SchoolLink("10.0.0.0/24", "enp1s0", "10.0.0.5"),
        SchoolLink("10.0.6.0/24", "lan6", "10.0.6.1"),
    ),
    outward=("wan",),
)
OLD: dict[str, Any] = {
    "listen": ["10.0.6.9:53", "0.0.0.0", "127.0.0.1:5353", "192.168.1.2"],
    "lan_interfaces": ["eth0", "wan"],
    "networks": {
        "lab": {"interfaces": ["eth1", "lan6"], "grade": 6},
        "staff": {"macs": ["02:00:00:00:00:01"], "grade": "staff"},
    },
}


def test_interfaces_and_addresses_that_are_not_here_are_asked_for() -> None:
    assert strange_names(OLD, HERE) == ("eth0", "eth1", "10.0.6.9", "192.168.1.2")
    assert strange_names({"listen": ["[::]:53", 5], "networks": {"a": None}}, HERE) == ()


def test_the_likeliest_is_the_default() -> None:
    found = moved_defaults(OLD, HERE)
    assert found["here eth0"] == "enp1s0"
    assert (found["here 10.0.6.9"], found["here 192.168.1.2"]) == ("10.0.6.1", "10.0.0.5")
    assert Interview(HERE, found).moved_names == strange_names(OLD, HERE)
    assert Interview(HERE).moved_names == ()
    assert moved_defaults(OLD, Machine())["here eth0"] == "eth0", "a machine without a link"


@pytest.mark.parametrize("name", ["eth0", "10.0.6.9"])
def test_choices_are_of_the_same_kind(name: str) -> None:
    kinds = {"." in one for one in choices_for(name, HERE)}
    assert kinds == {"." in name}


def test_only_these_names_change() -> None:
    here = {"eth0": "enp1s0", "eth1": "lan6", "10.0.6.9": "10.0.6.1", "192.168.1.2": "10.0.0.5"}
    assert moved_change(OLD, here) == {
        "listen": ["10.0.6.1:53", "0.0.0.0", "127.0.0.1:5353", "10.0.0.5"],
        "lan_interfaces": ["enp1s0", "wan"],
        "networks": {"lab": {"interfaces": ["lan6", "lan6"]}},
    }
    assert moved_change(OLD, {}) == {}
