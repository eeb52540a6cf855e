# SPDX-License-Identifier: Apache-2.0
"""One row a device, unknown ones first, and how a row is worded."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from filterd.clients.device_rows import DEVICES, device_rows
from filterd.clients.device_survey import Seen
from filterd.policy.model import Client
from filterd.texts.i18n import Texts
from filterd.texts.rows import Row, SchoolClock, Wording
from tests.support.policies import a_policy

PHONE, CARD, OTHER = "02:00:5e:00:00:01", "00:00:5e:00:53:01", "00:00:5e:00:53:02"
SIX = replace(a_policy().grades["6"], class_id="6A")
WORDING = Wording(Texts("en"), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), 0.0))


def _seen(
    mac: str, *addresses: str, network: str | None = None, host: str = "", here: bool = True
) -> list[Seen]:
    client = Client(SIX if network else a_policy().grades["preschool"], network)
    return [Seen(mac, address, "lan0", here, client, host) for address in addresses]


def _cells(row: Row) -> list[str]:
    return [column.cell(row, WORDING)[0] for column in DEVICES.columns]


def test_a_phone_with_five_addresses_is_one_device() -> None:
    addresses = ("fe80::2", "fd00::3", "fd00::2", "10.0.0.9", "2001:db8::2")
    (row,) = device_rows(_seen(PHONE, *addresses, host="iphone"), {}, {})
    assert row["addresses"] == ["10.0.0.9", "2001:db8::2", "fd00::2", "fd00::3", "fe80::2"]
    assert (row["is_random"], row["network"]) == (True, None)
    assert _cells(row) == [
        f"{PHONE}\n10.0.0.9 +4",
        "iphone, randomised MAC",
        "unknown, preschool",
        "now",
    ]


def test_a_device_is_in_the_network_of_any_of_its_addresses() -> None:
    seen = [*_seen(CARD, "10.0.0.9"), *_seen(CARD, "fd00::2", network="p-101")]
    (row,) = device_rows(seen, {CARD: "Máy 1"}, {CARD: "ICANN"})
    assert (row["network"], row["grade"], row["class"]) == ("p-101", "6", "6A")
    assert _cells(row) == [f"{CARD}\n10.0.0.9 +1", "Máy 1, ICANN", "p-101, 6A", "now"]


def test_unknown_devices_come_first_and_those_that_are_here_before_others() -> None:
    seen = [
        *_seen("00:00:5e:00:53:03", "10.0.0.3", network="lab"),
        *_seen("00:00:5e:00:53:04", "10.0.0.4", here=False),
        *_seen("00:00:5e:00:53:05", "10.0.0.5"),
        *_seen("00:00:5e:00:53:06", "10.0.0.6", network="hall"),
    ]
    rows = device_rows(seen, {}, {})
    assert [row["mac"][-1] for row in rows] == ["5", "4", "6", "3"]
    assert _cells(rows[1])[-1] == "lately"


def test_an_address_that_is_not_allowed_has_no_grade() -> None:
    (row,) = device_rows([Seen(OTHER, "10.0.0.7", "lan0", True, None, "")], {}, {})
    assert (row["network"], row["grade"], row["class"]) == (None, None, None)
    assert _cells(row)[2] == "unknown"
