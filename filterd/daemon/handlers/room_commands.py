# SPDX-License-Identifier: Apache-2.0
"""Watch which devices appear in a room, and keep them as its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.base.addresses import is_random
from filterd.base.errors import ControlError
from filterd.daemon.handlers.control_caller import author_of
from filterd.daemon.handlers.handled import handled
from filterd.operations.changes import NOTHING_CHANGED
from filterd.operations.rooms import LearnRoom, ReadAppeared, WatchRoom
from filterd.overrides.rights.roles import Author, Rank
from filterd.policy.grade_changes import with_devices
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.daemon.manager.manager import Manager


def commands(manager: Manager) -> dict[str, Command]:
    """Return the commands by name."""

    async def watch(asked: WatchRoom, caller: Caller) -> dict[str, Any]:
        placing_author(caller)
        return await manager.rooms.begin(known_room(manager, asked.room), manager.site.policy)

    async def seen(asked: ReadAppeared, caller: Caller) -> dict[str, Any]:
        placing_author(caller)
        return await manager.rooms.seen(known_room(manager, asked.room), manager.site.policy)

    async def learn(asked: LearnRoom, caller: Caller) -> dict[str, Any]:
        author, room = placing_author(caller), known_room(manager, asked.room)
        policy, overrides = manager.site.policy, manager.site.timed.overrides
        appeared = {one["mac"] for one in (await manager.rooms.seen(room, policy))["devices"]}
        left_out = set() if asked.random else set(filter(is_random, appeared))
        macs = appeared - left_out
        about = {"macs": sorted(macs), "left_out": sorted(left_out)}
        if not macs:
            return NOTHING_CHANGED | about
        if asked.add:
            macs.update(
                *(device.macs for device in with_devices(policy, overrides) if device.id == room)
            )
        about["macs"] = sorted(macs)
        change = {"kind": "room-devices", "room": room, "macs": about["macs"]}
        return await manager.changes.change(change | {"reason": asked.reason}, author) | about

    return {
        **handled(WatchRoom, watch),
        **handled(ReadAppeared, seen),
        **handled(LearnRoom, learn),
    }


def placing_author(caller: Caller) -> Author:
    """Return who sets which devices are where.

    Raises:
        ControlError: the caller may not.
    """
    author = author_of(caller)
    author.must_be(Rank.ADMIN, say("set which devices are in a room"))
    return author


def known_room(manager: Manager, room: str) -> str:
    """Return the room that is asked about.

    Raises:
        ControlError: there is no such room.
    """
    known = [network.id for network in manager.site.policy.networks]
    if room not in known:
        raise ControlError(
            say(
                "{room} is not a room; known: {known}",
                room=repr(room),
                known=", ".join(known[:20]),
            )
        )
    return room
