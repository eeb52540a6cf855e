# SPDX-License-Identifier: Apache-2.0
"""``filterd devices``: the devices that are there, and the network of each."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from filterd.base.errors import ConfigError, excluding
from filterd.cli import terminal
from filterd.cli.change_request import change, print_change, print_nothing_moved
from filterd.cli.context import (
    Context,
    JsonOption,
    Options,
    ReasonOption,
    argument,
    option,
)
from filterd.cli.effective_state import in_force
from filterd.cli.render import show
from filterd.cli.school_clock import school_clock
from filterd.clients.device_rows import DEVICES, SHARED
from filterd.operations.parameters.time import duration_s
from filterd.overrides.changes.assignments import macs_of, moved, place_of, taken_out
from filterd.overrides.descriptions import Describer
from filterd.overrides.target_text import class_from
from filterd.texts.i18n import say

Place = tuple[str | None, str | None]
"""A class or a network; the other is None."""

_GRACE_S = 30
"""A watch goes on for so long behind the command, whose last look may be late."""
_DEVICE_HELP = "MAC of the device, or an address that it has now."


def list_(here: Context, json: JsonOption = False) -> None:
    """Show the devices on the links of this gateway, unknown ones first.

    Those that answer now, and those that did lately or have a lease. Nothing is kept of
    them. A device with several addresses is one. Teachers see those of the rooms where they
    teach now. Exit code 0: shown; 2: an error.
    """
    show(here, DEVICES, _rows(here), json=json)


def name(
    here: Context,
    device: Annotated[str, argument("DEVICE", _DEVICE_HELP)],
    text: Annotated[str, argument("NAME", 'Name for people; "" removes it.')],
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Name a device, for `devices list`.

    The history keeps the name for good, so write no pupil's name. Exit code 0: done; 2: an
    error.
    """
    (mac,) = _macs(here, [device])
    answer = change(here, "device-name", reason, mac=mac, name=text)
    thing = {"mac": mac, "name": text}
    what = Describer(here.texts, school_clock(here)).thing("device_names", thing)
    print_change(here, answer, what, json=json)


def place(
    class_: Annotated[
        str | None, option("--class", "The network of this class: 6A, ...", "CLASS")
    ] = None,
    room: Annotated[str | None, option("--room", "This room.", "ID")] = None,
    network: Annotated[
        str | None, option("--network", "This network, or the one of a grade: staff, ...", "ID")
    ] = None,
) -> Place:
    """Return the class, or else the network, that the options name.

    Raises:
        ConfigError: none is given, or several are.
    """
    given = [
        (name, value)
        for name, value in (("--class", class_), ("--room", room), ("--network", network))
        if value is not None
    ]
    if not given:
        raise ConfigError(
            say("--class, --room or --network is missing"), hint=say("such as --class 6A")
        )
    if len(given) > 1:
        raise excluding(given[0][0], given[1][0])
    return (None if class_ is None else class_from(class_)), room or network


def assign(
    here: Context,
    device: Annotated[list[str], argument("DEVICE", _DEVICE_HELP)],
    where: Annotated[Place, Options(place)],
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Put devices into a class, a room or another network, from wherever they are.

    An access point that gives a class its own addresses (NAT) is one device: assign it, and
    all behind it are of that class. Exit code 0: done; 2: an error.
    """
    now = in_force(here)
    network = place_of(now.policy, *where)
    macs = _macs(here, device)
    rooms = moved(now.policy, now.overrides, network, macs)
    if not rooms:
        print_nothing_moved(here, json=json)
        return
    answer = _change(here, reason, rooms)
    what = here.texts("{devices} in {network}", devices=", ".join(macs), network=network)
    print_change(here, answer, what, json=json)


def unassign(
    here: Context,
    device: Annotated[list[str], argument("DEVICE", _DEVICE_HELP)],
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Take devices out of where commands have put them: their addresses count again.

    A device that `site.yaml` names is where that file has it. Exit code 0: done; 2: an error.
    """
    now, macs = in_force(here), _macs(here, device)
    rooms = taken_out(now.policy, now.overrides, macs)
    if not rooms:
        print_nothing_moved(
            here, say("No command has put them anywhere; nothing is changed."), json=json
        )
        return
    answer = _change(here, reason, rooms)
    what = here.texts("no longer assigned by command: {devices}", devices=", ".join(macs))
    print_change(here, answer, what, json=json)


def nat(
    here: Context,
    for_: Annotated[str, option("--for", "Length of the watch; Enter ends it.", "TIME")] = "10m",
    json: JsonOption = False,
) -> None:
    """Find addresses that several devices share: access points with NAT.

    It watches which makers' connectivity checks come from each address while devices join
    the network, such as at the beginning of a lesson; from three makers on, an address is
    shown. Meanwhile lookups are answered a little slower. Nothing is kept. Exit code 0: some
    were found; 1: none; 2: an error.
    """
    length_s = duration_s(for_)
    rows = list[dict[str, Any]]()
    here.ask("nat-watch", for_s=round(length_s) + _GRACE_S)

    if not json:
        here.note(say("Let the devices join the network now. Press Enter when all have."))

    def look() -> None:
        rows[:] = here.ask("nat-seen")

    try:
        terminal.watch(look, length_s)
    finally:
        here.ask("nat-watch", for_s=0)
    show(here, SHARED, rows, json=json)
    if not rows:
        raise typer.Exit(1)
    if not json:
        command = f"filterd devices assign {rows[0]['address']} --class 6A"
        here.print(say("To make one the class behind it: {command}", command=command), whole=True)


def _rows(here: Context) -> list[dict[str, Any]]:
    """Return the rows of the devices that the daemon sees.

    Raises:
        ControlError: no daemon runs, or it does not list them.
    """
    found: list[dict[str, Any]] = here.ask("devices")
    return found


def _macs(here: Context, words: list[str]) -> list[str]:
    """Return the MACs of devices that are named by MAC or address, each once.

    Raises:
        ConfigError: one is neither, or no device has the address now.
    """
    try:
        return macs_of(words, ())
    except ConfigError:  # one is no MAC: the daemon knows the device of an address
        return macs_of(words, _rows(here))


def _change(here: Context, reason: str, rooms: list[dict[str, Any]]) -> dict[str, Any]:
    if len(rooms) == 1:
        return change(here, "room-devices", reason, **rooms[0])
    return change(here, "device-table", reason, rooms=rooms)
