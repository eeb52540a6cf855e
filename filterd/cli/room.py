# SPDX-License-Identifier: Apache-2.0
"""``filterd room``: the grade and the devices of each room."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from filterd import control, counted
from filterd.cli import progress_bar, room_csv
from filterd.cli.change_request import change, made_of, print_change, print_nothing_moved
from filterd.cli.context import (
    Context,
    JsonOption,
    Options,
    ReasonOption,
    argument,
    option,
    write_named,
)
from filterd.cli.effective_state import ask_or_none, in_force
from filterd.cli.render import facts, listed, show_details, titled
from filterd.cli.room_csv import known_room
from filterd.cli.target_options import needed, seat
from filterd.cli.time_options import Term, duration_s, school_clock, term
from filterd.clients.leases import is_random
from filterd.errors import ConfigError, ControlError
from filterd.i18n import say
from filterd.overrides.descriptions import Teller
from filterd.overrides.room_rows import ROOM, ROOMS, is_changed, room_row, room_rows, week
from filterd.policy.effective_policy import EffectiveState
from filterd.policy.grade_changes import with_devices
from filterd.policy.model import Network
from filterd.rows import Wording

RoomArgument = Annotated[str, argument("ROOM", "Id of the room: a network in site.yaml.")]
_FOUND, _NOTHING = 0, 1


def list_(
    here: Context,
    everything: Annotated[bool, option("--all", "Include networks that are not rooms.")] = False,
    json: JsonOption = False,
) -> None:
    """Show the grade in each room now, why, and until when; and devices that are in no room.

    A network that is not a room is shown only while something is set for it. Exit code 0:
    shown; 2: an error.
    """
    now = in_force(here)
    every = room_rows(now)
    rooms = [one for one in every if one["is_room"] or is_changed(one)]
    others = [one for one in every if one not in rooms]
    shown, left_out = (rooms + others, 0) if everything else (rooms, len(others))
    unknown = _unknown(here)
    if json:
        here.print_json({"rooms": shown, "left_out": left_out, "unknown": unknown})
        return
    if shown:
        title = ROOMS.title.filled({"when": now.clock.text(now.clock.now)})
        wording = Wording(here.texts, now.clock)
        here.console.print(listed(wording, ROOMS._replace(title=title), shown))
    if left_out:
        here.console.print(
            here.texts("Networks that are not rooms: {n}; --all shows them", n=left_out),
            soft_wrap=True,
        )
    if unknown:
        rows = [(one["mac"], _seen_at(here, one)) for one in unknown]
        here.console.print(titled(here.texts("Devices that are in no network"), facts(rows)))


def show(
    here: Context,
    room: RoomArgument,
    json: JsonOption = False,
) -> None:
    """Show one room: its grade now, its timetable, its devices, what is set.

    Exit code 0: shown; 2: no such room, or error.
    """
    now = in_force(here)
    network = _network(now, room)
    show_details(here, ROOM, room_row(now, network), json=json, clock=now.clock)
    if network.timetable and not json:
        here.console.print(listed(Wording(here.texts, now.clock), *week(now, network)))


def set_(
    here: Context,
    room: RoomArgument,
    sitting: Annotated[str | None, Options(seat)],
    how_long: Annotated[Term, Options(term)],
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Set the grade or the class of a room, whatever its timetable has.

    It is in force at once and ends by itself. Exit code 0: done; 2: an error.
    """
    clock = school_clock(here)
    asked = {"room": room, "grade": needed(sitting), **how_long.payload(clock)}
    told = change(here, "room", reason, **asked)
    what = Teller(here.texts, clock).thing("rooms", made_of(asked, told))
    print_change(here, told, what, json=json)


def learn(
    here: Context,
    room: RoomArgument,
    for_: Annotated[str, option("--for", "Length of the watch; Enter ends it.", "TIME")] = "10m",
    add: Annotated[bool, option("--add", "Keep the devices that the room has.")] = False,
    random: Annotated[bool, option("--random", "Include devices with a randomised MAC.")] = False,
    json: JsonOption = False,
) -> None:
    """Learn the devices of a room: those that appear while it is switched on.

    Switch the room's devices off, start this command, and switch them on. Devices of another
    room are left there. Devices with a randomised MAC, as telephones have, are left out,
    because the MAC may be another one tomorrow. Exit code 0: stored; 1: no device appeared; 2:
    an error.
    """
    now, length_s = in_force(here), duration_s(for_)
    had = _macs(now)[_network(now, room).id]
    if not json:
        here.errors.print(
            here.texts("Looking for devices that are already on; this takes up to ten seconds.")
        )
    watched = control.ask(here.state.control_socket, "room-watch", room=room)
    seen: dict[str, None] = {}
    left_out: dict[str, None] = {}

    def look() -> None:
        for one in _devices(control.ask(here.state.control_socket, "room-seen", room=room)):
            is_out = is_random(one["mac"]) and not random
            found = left_out if is_out else seen
            if one["mac"] not in found and not json:
                key = (
                    say(
                        "{device} appeared with a randomised MAC, as telephones have: left out;"
                        " --random includes it"
                    )
                    if is_out
                    else say("{device} appeared")
                )
                here.errors.print(here.texts(key, device=_called(one)), soft_wrap=True)
            found[one["mac"]] = None

    if not json:
        here.errors.print(
            here.texts(
                "Switch on the devices of room {room}. Press Enter when all are on.", room=room
            )
        )
        for mac in watched["already"]:
            here.errors.print(
                here.texts(
                    "{mac} is already on: switch it off and on again if it is in this room",
                    mac=mac,
                ),
                style="yellow",
            )
    progress_bar.watch(look, length_s)
    if not seen:
        here.errors.print(
            here.texts(
                "No device appeared; nothing is changed. Are the room's devices on a link of"
                " this gateway?"
            )
        )
        raise typer.Exit(_NOTHING)
    macs = sorted({*seen, *(had if add else ())})
    told = change(here, "room-devices", "", room=room, macs=macs)
    thing = {"room": room, "macs": macs}
    what = Teller(here.texts, now.clock).thing("devices", thing)
    print_change(here, {**told, "macs": macs, "left_out": sorted(left_out)}, what, json=json)


def import_(
    here: Context,
    file: Annotated[Path, argument("FILE", "CSV with columns room and mac.")],
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Set the devices of rooms from a table.

    All of it is one change, which `filterd undo` undoes as a whole. Rooms that the table does
    not name stay as they are. Exit code 0: done; 2: an error.
    """
    now = in_force(here)
    wanted = room_csv.load(file, [one.id for one in now.policy.networks])
    has = {room: sorted(macs) for room, macs in _macs(now).items()}
    # A room that is in the site's files as in the table is left to them: later edits must count.
    rooms = [
        {"room": room, "macs": macs} for room, macs in wanted.items() if has[room] != sorted(macs)
    ]
    if not rooms:
        print_nothing_moved(here, json=json)
        return
    told = change(here, "device-table", reason, rooms=rooms)
    devices = sum(map(len, wanted.values()))
    what = here.texts(
        "by a table: {devices}, {rooms}",
        devices=counted.devices(devices),
        rooms=counted.rooms(len(wanted)),
    )
    print_change(here, told, what, json=json)


def export(
    here: Context,
    file: Annotated[Path | None, argument("FILE", "File to write (default: print it).")] = None,
    json: JsonOption = False,
) -> None:
    """Write a table of rooms and their devices, as `room import` reads it.

    Exit code 0: written; 2: an error.
    """
    devices = {room: macs for room, macs in _macs(in_force(here)).items() if macs}
    if json:
        here.print_json(devices)
        return
    text = room_csv.dump(devices)
    if file is None:
        sys.stdout.write(text)
    else:
        write_named(file, text, "FILE")


def _network(now: EffectiveState, room: str) -> Network:
    known_room(room, [one.id for one in now.policy.networks])
    return next(one for one in now.policy.networks if one.id == room)


def _macs(now: EffectiveState) -> dict[str, tuple[str, ...]]:
    return {one.id: one.macs for one in with_devices(now.policy, now.overrides)}


def _devices(told: Any) -> list[dict[str, Any]]:
    """Return the devices of a daemon's answer, each a dictionary with ``mac``."""
    found = told.get("devices", ()) if isinstance(told, Mapping) else told
    return [one if isinstance(one, dict) else {"mac": str(one)} for one in found]


def _called(device: Mapping[str, Any]) -> str:
    """Return MAC, address and host name of a device."""
    return " ".join(device[key] for key in ("mac", "address", "name") if device.get(key))


def _seen_at(here: Context, device: Mapping[str, Any]) -> str:
    told = " ".join(device[key] for key in ("address", "name") if device.get(key))
    return (
        here.texts("{device} (randomised MAC)", device=told).strip()
        if is_random(device["mac"])
        else told
    )


def _unknown(here: Context) -> list[dict[str, Any]]:
    """Return the devices that the daemon has seen and that are in no network."""
    try:
        told = ask_or_none(here, "room-seen")
    except (ControlError, ConfigError):
        return []
    return [] if told is None else _devices(told)
