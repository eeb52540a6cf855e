# SPDX-License-Identifier: Apache-2.0
"""List devices, put them into networks, and find shared addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.base.errors import ConfigError
from filterd.daemon.handlers.control_caller import author_of
from filterd.daemon.handlers.handled import handled
from filterd.daemon.handlers.room_commands import placing_author
from filterd.operations.changes import NOTHING_CHANGED
from filterd.operations.devices import (
    AssignDevices,
    NameDevice,
    ReadDevices,
    ReadShared,
    ReadUnknownDevices,
    SearchLength,
    UnassignDevices,
    WatchShared,
)
from filterd.overrides.changes.assignments import change_of, macs_of, moved, place_of, taken_out
from filterd.overrides.rights.permissions import teaches_in
from filterd.overrides.rights.roles import Rank
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.daemon.manager.manager import Manager
    from filterd.overrides.rights.roles import Author


def commands(manager: Manager) -> dict[str, Command]:
    """Return the commands by name."""
    return {**_listing(manager), **_placing(manager), **_sharing(manager)}


def _listing(manager: Manager) -> dict[str, Command]:
    async def devices(_: ReadDevices, caller: Caller) -> list[dict[str, Any]]:
        author, site = _reader(caller, Rank.TEACHER), manager.site
        rows = await _rows(manager)
        if author.rank >= Rank.ADMIN:
            return rows
        classroom = manager.changes.classroom(site)
        return [
            row for row in rows if row["network"] and teaches_in(author, row["network"], classroom)
        ]

    async def unknown(_: ReadUnknownDevices, caller: Caller) -> dict[str, Any]:
        _reader(caller, Rank.TEACHER)
        return await manager.rooms.in_no_network(manager.site.policy)

    return {**handled(ReadDevices, devices), **handled(ReadUnknownDevices, unknown)}


def _placing(manager: Manager) -> dict[str, Command]:
    async def name(asked: NameDevice, caller: Caller) -> dict[str, Any]:
        author = placing_author(caller)
        (mac,) = macs = await _macs(manager, [asked.device])
        change = {"kind": "device-name", "mac": mac, "name": asked.name, "reason": asked.reason}
        return await manager.changes.change(change, author) | {"macs": macs}

    async def assign(asked: AssignDevices, caller: Caller) -> dict[str, Any]:
        author, macs = placing_author(caller), await _macs(manager, asked.devices)
        network = place_of(manager.site.policy, asked.class_id, asked.network)
        rooms = moved(manager.site.policy, manager.site.timed.overrides, network, macs)
        about = {"macs": macs, "network": network}
        return await _move(manager, author, rooms, asked.reason) | about

    async def unassign(asked: UnassignDevices, caller: Caller) -> dict[str, Any]:
        author, macs = placing_author(caller), await _macs(manager, asked.devices)
        rooms = taken_out(manager.site.policy, manager.site.timed.overrides, macs)
        return await _move(manager, author, rooms, asked.reason) | {"macs": macs}

    return {
        **handled(NameDevice, name),
        **handled(AssignDevices, assign),
        **handled(UnassignDevices, unassign),
    }


def _sharing(manager: Manager) -> dict[str, Command]:
    async def watch(asked: WatchShared, caller: Caller) -> SearchLength:
        _reader(caller, Rank.ADMIN)
        await (manager.nat.begin(float(asked.for_s)) if asked.for_s else manager.nat.end())
        return SearchLength(asked.for_s)

    async def seen(_: ReadShared, caller: Caller) -> list[dict[str, Any]]:
        _reader(caller, Rank.ADMIN)
        return await manager.nat.seen()

    return {**handled(WatchShared, watch), **handled(ReadShared, seen)}


def _reader(caller: Caller, least: Rank) -> Author:
    author = author_of(caller)
    author.must_be(least, say("list the devices"))
    return author


async def _rows(manager: Manager) -> list[dict[str, Any]]:
    names = {name.mac: name.name for name in manager.site.timed.overrides.device_names}
    return await manager.rooms.devices(manager.site.policy, names)


async def _macs(manager: Manager, devices: Iterable[str]) -> list[str]:
    """Return the MACs of devices; the links are looked at for addresses only.

    Raises:
        ConfigError: one is neither, or no device has the address now.
    """
    try:
        return macs_of(devices, ())
    except ConfigError:
        return macs_of(devices, await _rows(manager))


async def _move(
    manager: Manager, author: Author, rooms: list[dict[str, Any]], reason: str
) -> dict[str, Any]:
    if not rooms:
        return NOTHING_CHANGED
    return await manager.changes.change(change_of(rooms) | {"reason": reason}, author)
