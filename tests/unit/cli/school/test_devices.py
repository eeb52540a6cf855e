# SPDX-License-Identifier: Apache-2.0
"""Devices are listed, and put into classes and rooms by one command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd.policy.temporary_rules import RoomDevices
from tests.support.commands import call
from tests.support.daemon import write_site
from tests.support.fake_daemon import ROOM

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fake_daemon import FakeDaemon

OF_LAB = "02:00:5e:00:00:01"
CARDS = [f"00:00:5e:00:53:{number:02}" for number in range(10)]
CLASSES = """\
  p-101: {cidrs: [10.0.41.0/24], class: 6A}
  on-wifi: {class: 7B, room: true}
  p-102: {cidrs: [10.0.42.0/24], class: 8C}
  p-103: {cidrs: [10.0.43.0/24], class: 8C}
classes:
  6A: {grade: 6, teachers: [lan]}
  7B: {grade: 7}
  8C: {grade: 8}
  9D: {grade: 9}
"""


@pytest.fixture(scope="session")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A school with classes, one of which has no address range."""
    rooms, lessons = ROOM.split("lessons:")
    more = f"{rooms}{CLASSES}lessons:{lessons}"
    return write_site(tmp_path_factory.mktemp("devices"), port=5353, more=more)


def a_row(mac: str, *addresses: str, **more: Any) -> dict[str, Any]:
    return {
        "mac": mac,
        "name": "",
        "host": "",
        "maker": "",
        "is_random": False,
        "is_here": True,
        "addresses": list(addresses),
        "network": None,
        "grade": "preschool",
        "class": None,
    } | more


def test_devices_are_listed_within_80_columns(here: list[str], daemon: FakeDaemon) -> None:
    phone = a_row(OF_LAB, "10.0.0.57", "fe80::1", host="iphone-cua-lan", is_random=True)
    known = a_row(
        CARDS[1], "10.0.20.5", host="may-1", network="lab-a", grade="6", **{"class": "6A"}
    )
    daemon.devices = [phone, known]
    shown = call("devices", "list", *here)
    assert max(map(len, shown.out.splitlines())) <= 80
    for word in (OF_LAB, "10.0.0.57", "randomised", "unknown", CARDS[1], "lab-a", "6A"):
        assert word in shown.out
    assert json.loads(call("devices", "list", "--json", *here).out) == [phone, known]
    daemon.devices = []
    assert "No device is seen" in call("devices", "list", *here).out


@pytest.mark.parametrize(
    ("words", "network"),
    [
        (("--class", "6A"), "p-101"),
        (("--class", "7B"), "on-wifi"),
        (("--room", "lab-a"), "lab-a"),
        (("--network", "library"), "library"),
        (("--network", "6A"), "p-101"),
    ],
)
def test_an_unknown_device_is_put_somewhere_by_its_address_or_mac(
    here: list[str], daemon: FakeDaemon, words: tuple[str, str], network: str
) -> None:
    daemon.devices = [a_row(CARDS[1], "fe80::2", "10.0.0.57")]
    done = call("devices", "assign", "10.0.0.57", CARDS[2].upper(), *words, *here)
    assert done.code == 0, done.err
    assert f"Change 1: {CARDS[1]}, {CARDS[2]} in {network}" in done.out
    (found,) = daemon.store.current().devices
    own = [OF_LAB] if network == "lab-a" else []
    assert found == RoomDevices(network, (*CARDS[1:3], *own))
    again = call("devices", "assign", "10.0.0.57", *words, *here)
    assert (again.code, "nothing is changed" in again.out) == (0, True)
    call("undo", *here)
    assert daemon.store.current().devices == ()


def test_a_device_leaves_the_room_where_it_was(here: list[str], daemon: FakeDaemon) -> None:
    call("devices", "assign", *CARDS[1:4], "--room", "lab-a", *here)
    call("devices", "assign", CARDS[2], "--class", "6A", *here)
    assert daemon.store.current().devices == (
        RoomDevices("lab-a", (CARDS[1], CARDS[3], OF_LAB)),
        RoomDevices("p-101", (CARDS[2],)),
    )
    printed = json.loads(call("devices", "assign", CARDS[2], "--class", "6A", "--json", *here).out)
    assert printed["number"] is None
    call("undo", *here)
    (found,) = daemon.store.current().devices
    assert CARDS[2] in found.macs


def test_a_device_is_given_back_to_its_network(here: list[str], daemon: FakeDaemon) -> None:
    call("devices", "assign", *CARDS[1:4], "--room", "lab-a", *here)
    daemon.devices = [a_row(CARDS[1], "10.0.0.57")]
    done = call("devices", "unassign", "10.0.0.57", "--reason", "Máy mượn", *here)
    assert done.code == 0, done.err
    assert f"Change 2: no longer assigned by command: {CARDS[1]}" in done.out
    assert daemon.store.current().devices == (RoomDevices("lab-a", (*CARDS[2:4], OF_LAB)),)
    again = call("devices", "unassign", CARDS[1], *here)
    assert (again.code, "No command has put them anywhere" in again.out) == (0, True)
    call("devices", "assign", CARDS[3], "--class", "6A", *here)
    call("devices", "unassign", CARDS[2], CARDS[3], *here)
    assert daemon.store.current().devices == ()  # lab-a has what site.yaml gives it
    call("undo", *here)
    assert len(daemon.store.current().devices) == 2


def test_what_site_yaml_assigns_is_not_taken_out_but_goes_back_there(
    here: list[str], daemon: FakeDaemon
) -> None:
    done = call("devices", "unassign", OF_LAB, *here)
    assert (done.code, f"{OF_LAB} is in lab-a by site.yaml" in done.err) == (2, True)
    call("devices", "assign", OF_LAB, "--class", "6A", *here)
    assert call("devices", "unassign", OF_LAB, *here).code == 0
    assert daemon.store.current().devices == ()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (f"{CARDS[1]}", "--class, --room or --network is missing"),
        (f"{CARDS[1]} --class 6A --room lab-a", "--class and --room exclude each other"),
        (f"{CARDS[1]} --class 9D", "class 9D has no network of its own (under networks"),
        (f"{CARDS[1]} --class 8C", "class 8C has several networks (--network, one of p-102"),
        (f"{CARDS[1]} --class 6Z", "'6Z' is not a class of this site"),
        (f"{CARDS[1]} --room lab-b", "'lab-b' is not a network"),
        ("phone --class 6A", "'phone' is neither a MAC nor an address"),
        ("10.0.9.9 --class 6A", "no device on a link of this gateway has 10.0.9.9 now"),
    ],
)
def test_what_cannot_be_assigned_is_refused_in_one_line(
    here: list[str], daemon: FakeDaemon, words: str, problem: str
) -> None:
    done = call("devices", "assign", *words.split(), *here)
    assert done.code == 2
    (line,) = done.error_lines
    assert problem in line
    assert daemon.store.current().devices == ()


def test_a_device_is_named_and_the_name_taken_back(here: list[str], daemon: FakeDaemon) -> None:
    daemon.devices = [a_row(CARDS[1], "10.0.0.57")]
    done = call("devices", "name", "10.0.0.57", "Máy chiếu", *here)
    assert f"Change 1: device {CARDS[1]} is named Máy chiếu" in done.out
    done = call("devices", "name", CARDS[1], "", *here)
    assert f"Change 2: device {CARDS[1]} has no name" in done.out
    history = call("history", "list", "--json", *here).out
    assert [load["kind"] for load in json.loads(history)] == ["device-name"] * 2
    call("undo", *here)
    (one,) = daemon.store.current().device_names
    assert one.name == "Máy chiếu"
    assert daemon.store.verify().is_sound


def test_access_points_with_nat_are_found_and_the_watch_is_ended(
    here: list[str], daemon: FakeDaemon
) -> None:
    daemon.shared = [{"address": "10.0.0.80", "makers": ["Apple", "Google", "Microsoft"]}]
    done = call("devices", "nat", "--for", "1m", *here)
    assert done.code == 0, done.err
    assert "Apple, Google, Microsoft" in done.out
    assert "filterd devices assign 10.0.0.80 --class 6A" in done.out
    assert daemon.asked[0] == ("nat-watch", {"for_s": 90})
    assert daemon.asked[-1] == ("nat-watch", {"for_s": 0})
    assert json.loads(call("devices", "nat", "--for", "1m", "--json", *here).out) == daemon.shared
    daemon.shared = []
    none = call("devices", "nat", "--for", "1m", *here)
    assert (none.code, "No address is shared" in none.out) == (1, True)
