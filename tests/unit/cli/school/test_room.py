# SPDX-License-Identifier: Apache-2.0
"""``filterd room``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigError
from filterd.cli.school.room import devices_csv, parse_devices
from tests.support.commands import call
from tests.support.fake_daemon import LESSON_ENDS, MONDAY_AT_8

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from tests.support.clock import FakeClock
    from tests.support.fake_daemon import FakeDaemon


MACS = [f"02:00:5e:00:00:{number:02}" for number in range(10)]
CARDS = [f"00:00:5e:00:53:{number:02}" for number in range(10)]
"""Of network cards, whose makers gave them; those before are of the devices' own making."""


def _row(out: str, room: str) -> list[str]:
    return next(line.split() for line in out.splitlines() if line.startswith(f" {room} "))


def test_rooms_show_their_grade_its_reason_and_its_end(
    here: list[str], daemon: FakeDaemon, clock: FakeClock
) -> None:
    shown = call("room", "list", *here)
    assert max(map(len, shown.out.splitlines())) <= 80
    assert _row(shown.out, "lab-a") == ["lab-a", "6", "tiet-2", "08:35", "1"]
    clock.advance(36 * 60)
    between = _row(call("room", "list", *here).out, "lab-a")
    assert between == ["lab-a", "6", "between", "lessons", "08:55", "1"]
    call("room", "set", "lab-a", "--grade", "9", "--for", "10m", *here)
    by_hand = _row(call("room", "list", *here).out, "lab-a")
    assert by_hand == ["lab-a", "9", "set", "by", "lan", "08:46", "1"]
    assert "devices unknown" in daemon.commands()


def test_other_networks_come_after_the_rooms_on_request(
    here: list[str], daemon: FakeDaemon
) -> None:
    short, whole = call("room", "list", *here).out, call("room", "list", "--all", *here).out
    assert " library " not in short
    others = int(short.split("Networks that are not rooms: ")[1].split(";")[0])
    assert _row(whole, "library") == ["library", "8"]
    assert whole.index(" lab-a ") < whole.index(" library ")
    assert "--all" not in whole
    outcome, every = (
        json.loads(call("room", "list", *words, "--json", *here).out) for words in ((), ("--all",))
    )
    assert (len(outcome["rooms"]) + others, every["left_out"]) == (len(every["rooms"]), 0)
    assert outcome["left_out"] == others
    assert daemon.commands()


def test_another_network_is_reported_while_something_is_set_for_it(
    here: list[str], daemon: FakeDaemon
) -> None:
    call("room", "set", "library", "--grade", "9", "--for", "10m", *here)
    by_hand = _row(call("room", "list", *here).out, "library")
    assert by_hand == ["library", "9", "set", "by", "lan", "08:10"]
    assert daemon.commands()


def test_a_holiday_is_why_there_is_no_lesson(
    here: list[str], daemon: FakeDaemon, clock: FakeClock
) -> None:
    clock.advance(31 * 86_400)  # Thursday, 1 January, 08:00
    shown = call("room", "list", *here)
    assert _row(shown.out, "lab-a")[:6] == ["lab-a", "6", "holiday", "New", "Year's", "Day"]
    lab = json.loads(call("room", "show", "lab-a", "--json", *here).out)
    assert lab["holiday"]["vi"] == "Tết Dương lịch"
    assert daemon.commands()


def test_devices_that_are_in_no_room_are_shown(here: list[str], daemon: FakeDaemon) -> None:
    daemon.devices = [{"mac": MACS[5], "address": "10.0.20.7"}, MACS[6]]
    shown = call("room", "list", *here).out
    assert "Devices that are in no network" in shown
    assert f"{MACS[5]}  10.0.20.7 (randomised MAC)" in shown
    assert [one["mac"] for one in json.loads(call("room", "list", "--json", *here).out)["unknown"]]


def test_rooms_are_shown_without_a_daemon_too(here: list[str], quiet: StateFolder) -> None:
    printed = json.loads(call("room", "list", "--json", *here).out)
    (lab,) = (one for one in printed["rooms"] if one["room"] == "lab-a")
    assert (lab["grade"], lab["why"], lab["lesson"], lab["until"]) == (
        "6",
        "lesson",
        "tiet-2",
        LESSON_ENDS,
    )
    assert printed["unknown"] == []
    assert not quiet.overrides.exists()


def test_one_room_is_shown_with_its_week_and_all_that_is_set(
    here: list[str], daemon: FakeDaemon
) -> None:
    call("room", "set", "lab-a", "--grade", "9", "--from", "09:00", "--until", "10:00", *here)
    call("exam", "start", "--room", "lab-a", "--for", "90m", "--service", "azota", *here)
    shown = call("room", "show", "lab-a", *here).out
    assert max(map(len, shown.splitlines())) <= 80
    for words in (
        "grade 6",
        "exam 2",
        "10.0.20.0/24",
        MACS[1],
        "room lab-a has grade 9 from 09:00 until 10:00",
        "exam in room lab-a",
        "Mon",
        "tiet-3",
    ):
        assert words in shown
    printed = json.loads(call("room", "show", "lab-a", "--json", *here).out)
    assert len(printed["timetable"]) == 4
    assert printed["until"] == MONDAY_AT_8 + 90 * 60  # the exam, which goes on beyond the lesson
    assert daemon.commands().count("overrides") == 2


@pytest.mark.parametrize("words", ["show lab-b", "learn lab-b"])
def test_a_room_that_is_none_gets_a_hint(words: str, here: list[str], daemon: FakeDaemon) -> None:
    done = call("room", *words.split(), *here)
    assert (done.code, done.error_lines) == (
        2,
        ["filterd: 'lab-b' is not a room (did you mean 'lab-a'?)"],
    )
    assert daemon.commands() == ["overrides"]


def test_a_room_is_given_to_a_grade_until_the_lesson_ends(
    here: list[str], daemon: FakeDaemon
) -> None:
    done = call("room", "set", "lab-a", "--grade", "9", "--lesson", *here)
    assert done.out.startswith("Change 1: room lab-a has grade 9 until 08:35\n")
    (setting,) = daemon.store.current().rooms
    assert (setting.grade, setting.ends_at) == ("9", LESSON_ENDS)


def test_a_grade_in_a_room_needs_a_duration(here: list[str], daemon: FakeDaemon) -> None:
    done = call("room", "set", "lab-a", "--grade", "9", *here)
    assert (done.code, daemon.commands()) == (2, [])
    assert "the duration is missing" in done.err


def test_devices_that_appear_stand_in_the_room(here: list[str], daemon: FakeDaemon) -> None:
    first = {"mac": CARDS[3], "address": "10.0.20.9", "name": "may-3"}
    daemon.devices, daemon.already = [first, {"mac": CARDS[2]}], [MACS[4]]
    done = call("room", "learn", "lab-a", "--for", "1m", *here)
    assert done.code == 0
    assert "devices of room lab-a: 2" in done.out
    assert f"{CARDS[3]} 10.0.20.9 may-3 appeared" in done.err
    assert f"{MACS[4]} is already on" in done.err
    (devices,) = daemon.store.current().devices
    assert (devices.room, devices.macs) == ("lab-a", (CARDS[2], CARDS[3]))
    assert ("room-watch", {"room": "lab-a"}) in daemon.asked


def test_devices_are_added_to_those_that_are_there(here: list[str], daemon: FakeDaemon) -> None:
    daemon.devices = [{"mac": CARDS[3]}]
    printed = json.loads(
        call("room", "learn", "lab-a", "--for", "2m", "--add", "--json", *here).out
    )
    assert printed["macs"] == [CARDS[3], MACS[1]]


def test_a_mac_of_the_devices_own_making_is_reported_and_left_out(
    here: list[str], daemon: FakeDaemon
) -> None:
    daemon.devices = [{"mac": CARDS[3]}, {"mac": MACS[5], "name": "iPhone"}]
    done = call("room", "learn", "lab-a", "--for", "1m", *here)
    assert (
        f"{MACS[5]} iPhone appeared with a randomised MAC, as telephones have: left out" in done.err
    )
    (devices,) = daemon.store.current().devices
    assert devices.macs == (CARDS[3],)
    printed = json.loads(call("room", "learn", "lab-a", "--for", "1m", "--json", *here).out)
    assert (printed["macs"], printed["left_out"]) == ([CARDS[3]], [MACS[5]])


def test_a_random_mac_is_taken_on_request(here: list[str], daemon: FakeDaemon) -> None:
    daemon.devices = [{"mac": CARDS[3]}, {"mac": MACS[5]}]
    assert call("room", "learn", "lab-a", "--for", "1m", "--random", *here).code == 0
    (devices,) = daemon.store.current().devices
    assert devices.macs == (CARDS[3], MACS[5])


def test_a_table_takes_nothing_from_the_files_that_they_say_already(
    here: list[str], daemon: FakeDaemon, tmp_path: Path
) -> None:
    table = tmp_path / "rooms.csv"
    call("room", "export", table, *here)
    with table.open("a", encoding="utf-8") as file:
        file.write(f"library,{CARDS[3]}\n")
    assert call("room", "import", table, *here).code == 0
    assert [device.room for device in daemon.store.current().devices] == ["library"]


def test_where_only_such_appear_nothing_is_changed(here: list[str], daemon: FakeDaemon) -> None:
    daemon.devices = [{"mac": MACS[5]}]
    assert call("room", "learn", "lab-a", "--for", "1m", *here).code == 1
    assert daemon.store.current().devices == ()


def test_where_nothing_appears_nothing_is_changed(here: list[str], daemon: FakeDaemon) -> None:
    done = call("room", "learn", "lab-a", "--for", "2m", *here)
    assert (done.code, done.out) == (1, "")
    assert "No device appeared; nothing is changed" in done.err
    assert daemon.store.current().devices == ()


def test_a_table_of_devices_goes_out_and_comes_back(
    here: list[str], daemon: FakeDaemon, tmp_path: Path
) -> None:
    table = tmp_path / "rooms.csv"
    assert call("room", "export", *here).out == f"room,mac\nlab-a,{MACS[1]}\n"
    table.write_text(f"room,mac\nlab-a,{MACS[2]}\nlibrary,{MACS[3]}\n", encoding="utf-8")
    done = call("room", "import", table, *here)
    assert done.out.startswith("Change 1: by a table: 2 devices, 2 rooms\n")
    assert call("room", "export", table, *here).code == 0
    done = call("room", "export", table.parent / "nowhere" / "rooms.csv", *here)
    assert (done.code, "there is no folder" in done.err) == (2, True)
    assert not (table.parent / "nowhere").exists()
    assert table.read_text(encoding="utf-8") == (f"room,mac\nlab-a,{MACS[2]}\nlibrary,{MACS[3]}\n")
    assert json.loads(call("room", "export", "--json", *here).out)["library"] == [MACS[3]]
    assert json.loads(call("room", "import", table, "--json", *here).out)["number"] is None
    assert call("room", "import", table, *here).out.endswith("nothing is changed.\n")
    assert daemon.commands().count("change") == 1
    call("undo", *here)
    assert daemon.store.current().devices == ()


def test_rooms_may_change_places(here: list[str], daemon: FakeDaemon, tmp_path: Path) -> None:
    table = tmp_path / "rooms.csv"
    for one, other in ((MACS[2], MACS[3]), (MACS[3], MACS[2])):
        table.write_text(f"room,mac\nlab-a,{one}\nlibrary,{other}\n", encoding="utf-8")
        assert call("room", "import", table, *here).error_lines == []
    found = {device.room: device.macs for device in daemon.store.current().devices}
    assert found == {"lab-a": (MACS[3],), "library": (MACS[2],)}


def test_a_wrong_table_changes_nothing(here: list[str], daemon: FakeDaemon, tmp_path: Path) -> None:
    table = tmp_path / "rooms.csv"
    table.write_text(f"room,mac\nlab-a,{MACS[2]}\nlab-c,{MACS[3]}\n", encoding="utf-8")
    done = call("room", "import", table, *here)
    assert (done.code, daemon.commands()) == (2, ["overrides"])
    assert f"{table}:3: 'lab-c' is not a room" in done.err


ROOMS = ("lab-a", "lab-b")
MAC = "02:00:5e:00:00:0{}"


def test_what_is_written_is_read_again() -> None:
    devices = {"lab-a": (MAC.format(1), MAC.format(2)), "lab-b": (MAC.format(3),)}
    assert parse_devices(devices_csv(devices), "a.csv", ROOMS) == devices


@pytest.mark.parametrize(
    "text",
    [
        "room,mac\nlab-a,02:00:5E:00:00:01\n",
        "Room;MAC;note\r\nlab-a;02-00-5e-00-00-01;by the door\r\n",
        "sep=;\r\nroom;mac\r\nLAB-A;02005E000001\r\n",
        "room\tmac\tGhi chú\nlab-a\t0200.5e00.0001\tcạnh cửa sổ\n",
        "no,mac,room\n1, 02:00:5e:00:00:01 , lab-a \n\n",
        "room,mac\nlab-a,02:00:5e:00:00:01\nlab-a,02:00:5e:00:00:01\n",
    ],
)
def test_spreadsheets_write_it_in_many_ways(text: str) -> None:
    assert parse_devices(text, "a.csv", ROOMS) == {"lab-a": (MAC.format(1),)}


def test_every_wrong_line_is_reported() -> None:
    text = "room,mac\nlab-c,02:00:5e:00:00:01\nlab-a,nonsense\nlab-a\nlab-b,02:00:5e:00:00:01\n"
    with pytest.raises(ConfigError) as caught:
        parse_devices(text, "a.csv", ROOMS)
    first, second, third = str(caught.value).splitlines()
    assert first.startswith("a.csv:2: 'lab-c' is not a room (did you mean 'lab-")
    assert second.startswith("a.csv:3: 'nonsense' is not a MAC address")
    assert third.startswith("a.csv:4: '' is not a MAC address")


def test_a_device_stands_in_one_room() -> None:
    text = "room,mac\nlab-a,02:00:5e:00:00:01\nlab-b,02:00:5e:00:00:01\n"
    with pytest.raises(ConfigError, match=r"a\.csv:3: 02:00:5e:00:00:01 is in lab-a as well"):
        parse_devices(text, "a.csv", ROOMS)


@pytest.mark.parametrize("text", ["", "lab-a,02:00:5e:00:00:01\n", "room\nlab-a\n"])
def test_a_table_without_headings_is_refused(text: str) -> None:
    with pytest.raises(
        ConfigError, match=r"does not name the columns room and mac .such as: room,mac"
    ):
        parse_devices(text, "a.csv", ROOMS)


def test_a_line_that_is_only_there_for_excel_is_counted() -> None:
    with pytest.raises(ConfigError, match=r"a\.csv:3: 'lab-x' is not a room"):
        parse_devices("sep=;\nroom;mac\nlab-x;02:00:5e:00:00:01\n", "a.csv", ROOMS)
