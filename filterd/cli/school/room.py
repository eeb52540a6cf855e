# SPDX-License-Identifier: Apache-2.0
"""``filterd room``: the grade and the devices of each room."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from filterd.base.addresses import is_random
from filterd.base.errors import ChangeError, ConfigError, ConfigErrors, ControlError
from filterd.cli import terminal
from filterd.cli.change_request import change, made_of, print_change, print_nothing_moved
from filterd.cli.console import write
from filterd.cli.context import (
    Context,
    JsonOption,
    Options,
    ReasonOption,
    argument,
    option,
)
from filterd.cli.effective_state import in_force, send_else
from filterd.cli.named_files import is_separator, read_text, write_named
from filterd.cli.render import facts, listed, show_details, titled
from filterd.cli.school_clock import school_clock
from filterd.cli.target_options import needed, seat, term
from filterd.operations.devices import ReadUnknownDevices
from filterd.operations.parameters.term import TermWords
from filterd.operations.parameters.time import duration_s
from filterd.operations.rooms import LearnRoom, ReadAppeared, SetRoom, WatchRoom
from filterd.overrides.current_rows import (
    ROOM,
    ROOMS,
    is_changed,
    room_row,
    room_rows,
    week,
)
from filterd.overrides.descriptions import Describer
from filterd.policy import field_checks
from filterd.policy.effective_policy import EffectiveState
from filterd.policy.grade_changes import with_devices
from filterd.policy.model import Network
from filterd.texts import counted
from filterd.texts.i18n import Sentence, did_you_mean, say
from filterd.texts.rows import Wording

RoomArgument = Annotated[str, argument("ROOM", "Id of the room: a network in site.yaml.")]
_FOUND, _NOTHING = 0, 1
_COLUMNS = ("room", "mac")

Devices = dict[str, tuple[str, ...]]
"""The MAC addresses of rooms."""


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
        here.print(
            say("Networks that are not rooms: {n}; --all shows them", n=left_out), whole=True
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
    how_long: Annotated[TermWords, Options(term)],
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Set the grade or the class of a room, whatever its timetable has.

    It is in force at once and ends by itself. Exit code 0: done; 2: an error.
    """
    clock = school_clock(here)
    asked = SetRoom(room=room, grade=needed(sitting), term=how_long.read(clock), reason=reason)
    answer = here.send(asked)
    what = Describer(here.texts, clock).thing("rooms", made_of(asked.change[1], answer))
    print_change(here, answer, what, json=json)


def learn(
    here: Context,
    room: RoomArgument,
    for_: Annotated[str, option("--for", "Length of the watch; Enter ends it.", "TIME")] = "10m",
    add: Annotated[bool, option("--add", "Keep the devices that the room has.")] = False,
    random: Annotated[bool, option("--random", "Include devices with a randomised MAC.")] = False,
    json: JsonOption = False,
) -> None:
    """Learn the devices of a room: those that appear when switched on.

    Switch the room's devices off, start this command, and switch them on. Devices of another
    room are left there. Devices with a randomised MAC, as telephones have, are left out,
    because the MAC may be another one tomorrow. Exit code 0: stored; 1: no device appeared; 2:
    an error.
    """
    now, length_s = in_force(here), duration_s(for_)
    _network(now, room)
    _watch(here, room, length_s, random=random, quietly=json)
    answer = here.send(LearnRoom(room=room, add=add, random=random))
    if not answer["macs"]:
        here.note(
            say(
                "No device appeared; nothing is changed. Are the room's devices on a link of"
                " this gateway?"
            )
        )
        raise typer.Exit(_NOTHING)
    thing = {"room": room, "macs": answer["macs"]}
    what = Describer(here.texts, now.clock).thing("devices", thing)
    print_change(here, answer, what, json=json)


def _watch(here: Context, room: str, length_s: float, *, random: bool, quietly: bool) -> None:
    """Have the room watched, and tell each device as it appears, unless ``quietly``."""
    told = set[str]()

    def look() -> None:
        for one in here.send(ReadAppeared(room))["devices"]:
            if one["mac"] not in told and not quietly:
                here.note(_appeared(one, is_left_out=is_random(one["mac"]) and not random))
            told.add(one["mac"])

    if not quietly:
        here.note(say("Looking for devices that are already on; this takes up to ten seconds."))
    watched = here.send(WatchRoom(room))
    if not quietly:
        here.note(
            say("Switch on the devices of room {room}. Press Enter when all are on.", room=room)
        )
        for mac in watched.already:
            here.warn(
                say(
                    "{mac} is already on: switch it off and on again if it is in this room", mac=mac
                )
            )
    terminal.watch(look, length_s)


def _appeared(device: Mapping[str, Any], *, is_left_out: bool) -> Sentence:
    line = say("{device} appeared")
    if is_left_out:
        line = say(
            "{device} appeared with a randomised MAC, as telephones have: left out;"
            " --random includes it"
        )
    return line.filled({"device": _called(device)})


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
    rooms_known = [network.id for network in now.policy.networks]
    wanted = parse_devices(read_text(file), str(file), rooms_known)
    has = {room: sorted(macs) for room, macs in _macs(now).items()}
    # A room that is in the site's files as in the table is left to them: later edits must count.
    rooms = [
        {"room": room, "macs": macs} for room, macs in wanted.items() if has[room] != sorted(macs)
    ]
    if not rooms:
        print_nothing_moved(here, json=json)
        return
    answer = change(here, "device-table", reason, rooms=rooms)
    devices = sum(map(len, wanted.values()))
    what = here.texts(
        "by a table: {devices}, {rooms}",
        devices=counted.devices(devices),
        rooms=counted.rooms(len(wanted)),
    )
    print_change(here, answer, what, json=json)


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
    text = devices_csv(devices)
    if file is None:
        write(text)
    else:
        write_named(file, text, "FILE")


def _network(now: EffectiveState, room: str) -> Network:
    known_room(room, [network.id for network in now.policy.networks])
    return next(network for network in now.policy.networks if network.id == room)


def _macs(now: EffectiveState) -> dict[str, tuple[str, ...]]:
    return {device.id: device.macs for device in with_devices(now.policy, now.overrides)}


def _called(device: Mapping[str, Any]) -> str:
    """Return MAC, address and host name of a device."""
    return " ".join(device[key] for key in ("mac", "address", "name") if device.get(key))


def _seen_at(here: Context, device: Mapping[str, Any]) -> str:
    shown = " ".join(device[key] for key in ("address", "name") if device.get(key))
    if is_random(device["mac"]):
        shown = here.texts("{device} (randomised MAC)", device=shown).strip()
    return shown


def _unknown(here: Context) -> list[dict[str, Any]]:
    """Return the devices that the daemon has seen and that are in no network."""
    try:
        answer = send_else(here, lambda: {"devices": []}, ReadUnknownDevices())
    except (ControlError, ConfigError):
        return []
    return list(answer["devices"])


def devices_csv(devices: Mapping[str, Collection[str]]) -> str:
    """Return rooms and their devices as CSV."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    table.writerows((room, mac) for room, macs in devices.items() for mac in macs)
    return text.getvalue()


def parse_devices(text: str, path: str, rooms: Collection[str]) -> Devices:
    """Parse such a table; columns other than ``room`` and ``mac`` are ignored.

    Args:
        text: CSV, as spreadsheets write it.
        path: its name in errors.
        rooms: the ids of all rooms.

    Raises:
        ConfigErrors: all that is wrong, each with its line.
    """
    first, _, rest = text.partition("\n")
    begins_at = 0
    if is_separator(first):
        (first, _, _), text, begins_at = rest.partition("\n"), rest, 1
    between = next((one for one in ";\t" if one in first), ",")
    lines = csv.DictReader(io.StringIO(text), delimiter=between)
    columns = [(name or "").strip().lower() for name in lines.fieldnames or ()]
    if not set(_COLUMNS) <= set(columns):
        hint = say("such as: room,mac")
        raise ConfigError(
            say("the first line does not name the columns room and mac"), path=path, hint=hint
        )
    lines.fieldnames = columns
    found: dict[str, dict[str, None]] = {}
    seen: dict[str, str] = {}
    problems = []
    for line in lines:
        try:
            room, mac = _row(line, rooms)
            if seen.setdefault(mac, room) != room:
                raise ChangeError(
                    say("{mac} is in {room} as well", mac=mac, room=seen[mac]),
                    hint=say("keep one of the two"),
                )
            found.setdefault(room, {})[mac] = None
        except ConfigError as error:
            problems.append(
                ConfigError(
                    error.reason, path=path, line=begins_at + lines.line_num, hint=error.hint
                )
            )
    if problems:
        raise ConfigErrors(problems)
    return {room: tuple(macs) for room, macs in found.items()}


def _row(line: Mapping[str, str | None], rooms: Collection[str]) -> tuple[str, str]:
    room, mac = ((line.get(column) or "").strip() for column in _COLUMNS)
    same = (one for one in rooms if one.casefold() == room.casefold())  # "Lab-a", says Excel
    return known_room(room if room in rooms else next(same, room), rooms), field_checks.mac(mac)


def known_room(room: str, rooms: Collection[str]) -> str:
    """Return the id of a room.

    Raises:
        ConfigError: there is no such room.
    """
    if room not in rooms:
        hint = did_you_mean(room, sorted(rooms)) or say("name networks in site.yaml")
        raise ConfigError(say("'{room}' is not a room", room=room), hint=hint)
    return room
