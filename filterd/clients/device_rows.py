# SPDX-License-Identifier: Apache-2.0
"""Rows of devices: one for each MAC, whatever its addresses.

Unknown devices come first. Pure.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from filterd.base.addresses import is_random
from filterd.texts import words
from filterd.texts.i18n import say
from filterd.texts.rows import Column, Listing, Row, Wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from filterd.clients.device_survey import Seen


def device_rows(
    seen: Iterable[Seen], names: Mapping[str, str], makers: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return a row for each device: those in no network first, then those that answer.

    A device is in the network of its first address that is in any; IPv4 comes first.

    Args:
        seen: every address of every device.
        names: by MAC, as the school has named devices.
        makers: by MAC.
    """
    addresses: dict[str, list[Seen]] = {}
    for one in seen:
        addresses.setdefault(one.mac, []).append(one)
    rows = [_row(mac, found, names, makers) for mac, found in addresses.items()]
    return sorted(
        rows,
        key=lambda row: (
            row["network"] is not None,
            not row["is_here"],
            row["network"] or "",
            row["name"] or row["host"],
            row["mac"],
        ),
    )


def _row(
    mac: str, seen: list[Seen], names: Mapping[str, str], makers: Mapping[str, str]
) -> dict[str, Any]:
    seen = sorted(seen, key=_rank)
    one = next((one for one in seen if one.in_network is not None), seen[0])
    grade = None if one.client is None else one.client.grade
    return {
        "mac": mac,
        "name": names.get(mac, ""),
        "host": one.host,
        "maker": makers.get(mac, ""),
        "is_random": is_random(mac),
        "is_here": one.answers,
        "addresses": [one.address for one in seen],
        "network": one.in_network,
        "grade": None if grade is None else grade.grade,
        "class": (grade.class_id or None) if grade else None,
    }


def _rank(seen: Seen) -> tuple[int, bool, bytes]:
    """Return the rank of an address: IPv4, then IPv6, then link-local ones."""
    address = ip_address(seen.address)
    return address.version, address.is_link_local, address.packed


def _mac(row: Row, _: Wording) -> str:
    """Return the MAC, and below it its first address.

    Beside the MAC, an IPv6 address has no room.
    """
    first, *others = row["addresses"]
    return f"{row['mac']}\n{first}" + (f" +{len(others)}" if others else "")


def _device(row: Row, by: Wording) -> str:
    """Return what a device is called by the school, else by itself, and its maker."""
    maker = by.texts("randomised MAC") if row["is_random"] else row["maker"]
    return ", ".join(filter(None, (row["name"] or row["host"], maker)))


def _network(row: Row, by: Wording) -> str:
    network = by.texts("unknown") if row["network"] is None else row["network"]
    grade = row["grade"] or ""
    seat = row["class"] or (by.texts.word(words.TIER, grade) if grade in words.TIER else grade)
    return ", ".join(filter(None, (network, seat)))


SHARED = Listing(
    say("Addresses that several devices share, as behind an access point with NAT"),
    say("No address is shared, as far as devices checked their connection meanwhile."),
    (
        Column(say("Address"), "address"),
        Column(say("Makers"), "makers", lambda makers, _: ", ".join(makers)),
    ),
)
DEVICES = Listing(
    say("Devices on the links of this gateway, now and lately"),
    say("No device is seen on the links of this gateway."),
    (
        Column(say("MAC"), worded=_mac),
        Column(say("Device"), worded=_device),
        Column(say("Network"), worded=_network),
        Column(say("Seen"), "is_here", lambda now, by: by.texts("now" if now else "lately")),
    ),
)
