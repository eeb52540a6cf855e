# SPDX-License-Identifier: Apache-2.0
"""Rows of devices: one for each MAC, whatever its addresses; unknown ones first. Pure."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from filterd.clients.leases import is_random
from filterd.i18n import say
from filterd.rows import Column, Listing, Row, Wording

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


def _rank(one: Seen) -> tuple[int, bool, bytes]:
    """Return the rank of an address: IPv4, then IPv6, then link-local ones."""
    address = ip_address(one.address)
    return address.version, address.is_link_local, address.packed


def called(row: Row) -> str:
    """Return what a device is called: by the school, else by itself."""
    return str(row["name"] or row["host"])


def _address(addresses: list[str], _: Wording) -> str:
    more = f" +{len(addresses) - 1}" if len(addresses) > 1 else ""
    return f"{addresses[0]}{more}"


def _maker(row: Row, by: Wording) -> str:
    return by.texts("randomised MAC") if row["is_random"] else str(row["maker"])


def _network(row: Row, by: Wording) -> str:
    return by.texts("unknown") if row["network"] is None else str(row["network"])


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
        Column(say("MAC"), "mac"),
        Column(say("Device"), worded=lambda row, _: called(row)),
        Column(say("Maker"), worded=_maker),
        Column(say("Address"), "addresses", _address),
        Column(say("Network"), worded=_network),
        Column(say("Grade"), worded=lambda row, _: row["class"] or row["grade"] or ""),
        Column(say("Seen"), "is_here", lambda now, by: by.texts("now" if now else "lately")),
    ),
)
