# SPDX-License-Identifier: Apache-2.0
"""Work out which networks change when devices move. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.base.errors import ChangeError, ConfigError
from filterd.policy import field_checks
from filterd.policy.grade_changes import with_devices
from filterd.texts.i18n import did_you_mean, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from filterd.policy.model import Policy
    from filterd.policy.temporary_rules import Overrides


def place_of(policy: Policy, class_id: str | None, network: str | None) -> str:
    """Return the id of a network that is named by id, or by its grade or class.

    Raises:
        ConfigError: there is none, or a class has several.
    """
    wanted = class_id or network or ""
    ids = [one.id for one in policy.networks]
    homes = [one.id for one in policy.networks if one.grade == wanted]
    if network is not None:
        if wanted not in ids and len(homes) == 1:
            return homes[0]
        return field_checks.one_of(wanted, ids, say("network"))
    if len(homes) == 1:
        return homes[0]
    if homes:
        raise ConfigError(
            say("class {class_id} has several networks", class_id=wanted),
            hint=say("--network, one of {known}", known=", ".join(homes)),
        )
    classes = [one.id for one in policy.classes]
    if wanted not in classes:
        reason = say("'{wanted}' is not a class of this site", wanted=wanted)
        raise ConfigError(reason, hint=did_you_mean(wanted, classes))
    raise ConfigError(
        say("class {class_id} has no network of its own", class_id=wanted),
        hint=say(
            "under networks in site.yaml, such as home-6a: {entry}",
            entry=f"{{class: {wanted}, room: true}}",
        ),
    )


def macs_of(words: Iterable[str], rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the MACs of devices that are named by MAC or address, each once.

    Args:
        words: as a person wrote them.
        rows: the devices that are seen now (``clients.device_rows``).

    Raises:
        ConfigError: one is neither, or no device has the address now.
    """
    found: dict[str, None] = {}
    for word in words:
        try:
            found[field_checks.mac(word)] = None
        except ChangeError:
            found[_with_address(rows, word)] = None
    return list(found)


def moved(
    policy: Policy, overrides: Overrides, network: str, macs: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the networks whose devices change, each with all of its devices then."""
    has = {device.id: device.macs for device in with_devices(policy, overrides)}
    if set(macs) <= set(has[network]):
        return []
    learned = [device.room for device in overrides.devices if set(device.macs) & set(macs)]
    left = [
        {"room": room, "macs": sorted(set(has.get(room, ())) - set(macs))}
        for room in learned
        if room != network
    ]
    return [{"room": network, "macs": sorted({*has[network], *macs})}, *left]


def taken_out(policy: Policy, overrides: Overrides, macs: Sequence[str]) -> list[dict[str, Any]]:
    """Return the networks that lose devices; one without any has those of the file.

    Raises:
        ConfigError: ``site.yaml`` has a device where it is.
    """
    written = {one.id: set(one.macs) for one in policy.networks}
    learned = {device.room: set(device.macs) for device in overrides.devices}
    moved = set[str]().union(*learned.values())
    for mac in macs:
        network = next((one for one, its in written.items() if mac in its), None)
        if network is not None and (mac not in moved or mac in learned.get(network, ())):
            raise ConfigError(
                say("{mac} is in {network} by site.yaml", mac=mac, network=network),
                hint=say("remove it there, or assign it elsewhere"),
            )
    left = {room: its.difference(macs) for room, its in learned.items() if its & set(macs)}
    return [
        {"room": room, "macs": [] if its == written.get(room) else sorted(its)}
        for room, its in left.items()
    ]


def change_of(rooms: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the change that sets the devices of these networks, without a reason."""
    if len(rooms) == 1:
        return {"kind": "room-devices", **rooms[0]}
    return {"kind": "device-table", "rooms": list(rooms)}


def _with_address(rows: Sequence[dict[str, Any]], word: str) -> str:
    try:
        address = field_checks.address(word)
    except ChangeError as error:
        raise ConfigError(
            say("'{word}' is neither a MAC nor an address", word=word),
            hint=say("such as 02:00:5e:10:00:01 or 10.0.6.21"),
        ) from error
    for row in rows:
        if address in row["addresses"]:
            return str(row["mac"])
    raise ConfigError(
        say("no device on a link of this gateway has {address} now", address=address),
        hint=say("behind a router, write {address} under cidrs in site.yaml", address=address),
    )
