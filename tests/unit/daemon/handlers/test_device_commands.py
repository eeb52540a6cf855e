# SPDX-License-Identifier: Apache-2.0
"""Devices are listed for teachers, and moved by administrators."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError, ControlError
from filterd.daemon.handlers.device_commands import commands
from filterd.policy.temporary_rules import Overrides, RoomDevices
from tests.support.recorded_manager import ADMIN, READER, TEACHER, run_handler

CARD, OTHER = "00:00:5e:00:53:01", "00:00:5e:00:53:02"
SEEN = [{"mac": CARD, "addresses": ["10.0.6.21"], "network": None}]
LEARNED = Overrides(devices=(RoomDevices("office", (CARD, OTHER)),))
PLACING = [
    ("devices name", {"device": CARD}),
    ("devices assign", {"devices": [CARD], "to": "network:lab"}),
    ("devices unassign", {"devices": [CARD]}),
    ("nat-watch", {"for_s": 0}),
    ("nat-seen", {}),
]


def _ask(
    name: str, overrides: Overrides | None = None, /, **request: Any
) -> tuple[Any, list[tuple[Any, ...]]]:
    answers = {"devices": SEEN, "change": {"number": 7}}
    return run_handler(commands, name, ADMIN, answers, overrides, **request)


def _shown(caller: Any) -> list[Any]:
    """Return the networks whose devices a caller sees."""
    rows = [{"network": one} for one in (None, "lab", "office")]
    found, _ = run_handler(commands, "devices", caller, {"devices": rows})
    return [one["network"] for one in found]


def test_a_teacher_sees_the_devices_of_own_rooms_only() -> None:
    assert _shown(TEACHER) == ["lab"]
    assert run_handler(commands, "devices unknown", TEACHER)[1][0][0] == "in_no_network"


def test_control_an_administrator_sees_all_devices() -> None:
    assert _shown(ADMIN) == [None, "lab", "office"]


@pytest.mark.parametrize(("name", "request_"), PLACING)
@pytest.mark.parametrize("caller", [READER, TEACHER])
def test_devices_are_moved_by_administrators_only(
    caller: Any, name: str, request_: dict[str, Any]
) -> None:
    with pytest.raises(ControlError, match=f"{caller.user} may not .*filterd-admin"):
        run_handler(commands, name, caller, **request_)


@pytest.mark.parametrize("name", ["devices", "devices unknown"])
def test_a_reader_sees_no_devices(name: str) -> None:
    with pytest.raises(ControlError, match="an may not list the devices"):
        run_handler(commands, name, READER)


def test_a_device_is_named_by_the_address_that_it_has_now() -> None:
    answer, (looked, (_, change, author)) = _ask("devices name", device="10.0.6.21", name="máy in")
    assert looked[0] == "devices"
    assert change == {"kind": "device-name", "mac": CARD, "name": "máy in", "reason": ""}
    assert (answer, author.name) == ({"number": 7, "macs": [CARD]}, "minh")


def test_for_a_mac_the_links_are_not_looked_at() -> None:
    _, called = _ask("devices name", device=CARD.upper())
    assert [one[0] for one in called] == ["change"]


def test_a_device_leaves_the_network_where_it_was() -> None:
    answer, ((_, change, _),) = _ask(
        "devices assign", LEARNED, devices=[CARD], to="network:lab", reason="mượn"
    )
    assert change == {
        "kind": "device-table",
        "rooms": [{"room": "lab", "macs": [CARD]}, {"room": "office", "macs": [OTHER]}],
        "reason": "mượn",
    }
    assert answer == {"number": 7, "macs": [CARD], "network": "lab"}


def test_a_network_is_found_by_its_grade() -> None:
    answer, ((_, change, _),) = _ask("devices assign", devices=[CARD], to="class:6")
    assert change["kind"] == "room-devices"
    assert (answer["network"], change["room"]) == ("lab", "lab")


def test_where_nothing_moves_nothing_is_changed() -> None:
    for name, request in (
        ("devices assign", {"to": "network:office"}),
        ("devices unassign", {}),
    ):
        overrides = LEARNED if "to" in request else None
        answer, called = _ask(name, overrides, devices=[CARD], **request)
        assert (answer["number"], called) == (None, [])


def test_a_device_is_taken_out_of_where_commands_have_put_it() -> None:
    _, ((_, change, _),) = _ask("devices unassign", LEARNED, devices=[CARD])
    assert (change["kind"], change["macs"]) == ("room-devices", [OTHER])


@pytest.mark.parametrize("device", ["phone", "10.0.9.9"])
def test_a_device_that_is_not_there_is_refused(device: str) -> None:
    with pytest.raises(ConfigError):
        _ask("devices assign", devices=[device], to="network:lab")


def test_a_watch_for_shared_addresses_begins_and_ends() -> None:
    assert _ask("nat-watch", for_s=600) == ({"for_s": 600}, [("begin", 600.0)])
    assert _ask("nat-watch", for_s=0)[1] == [("end",)]
    assert _ask("nat-seen")[1] == [("seen",)]
