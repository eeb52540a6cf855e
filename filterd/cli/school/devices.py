# SPDX-License-Identifier: Apache-2.0
"""``filterd devices``: the devices that are there, and the network of each."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from filterd.base.errors import ConfigError, excluding
from filterd.cli import terminal
from filterd.cli.change_request import print_change, print_nothing_moved
from filterd.cli.context import (
    Context,
    JsonOption,
    Options,
    ReasonOption,
    argument,
    option,
)
from filterd.cli.render import show
from filterd.cli.school_clock import school_clock
from filterd.clients.device_rows import SHARED
from filterd.operations.devices import (
    AssignDevices,
    NameDevice,
    ReadShared,
    UnassignDevices,
    WatchShared,
)
from filterd.operations.parameters.time import duration_s
from filterd.overrides.descriptions import Describer
from filterd.overrides.target_text import class_from
from filterd.texts.i18n import say

_GRACE_S = 30
"""A watch goes on for so long behind the command, whose last look may be late."""
_DEVICE_HELP = "MAC of the device, or an address that it has now."


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
    answer = here.send(NameDevice(device=device, name=text, reason=reason))
    thing = {"mac": answer["macs"][0], "name": text}
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
) -> str:
    """Return the class or network that the options name, as ``AssignDevices`` has it.

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
    return f"network:{room or network}" if class_ is None else f"class:{class_from(class_)}"


def assign(
    here: Context,
    device: Annotated[list[str], argument("DEVICE", _DEVICE_HELP)],
    where: Annotated[str, Options(place)],
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Put devices into a class, a room or another network, from wherever they are.

    An access point that gives a class its own addresses (NAT) is one device: assign it, and
    all behind it are of that class. Exit code 0: done; 2: an error.
    """
    answer = here.send(AssignDevices(devices=tuple(device), to=where, reason=reason))
    if answer["number"] is None:
        print_nothing_moved(here, json=json)
        return
    macs, network = ", ".join(answer["macs"]), answer["network"]
    what = here.texts("{devices} in {network}", devices=macs, network=network)
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
    answer = here.send(UnassignDevices(devices=tuple(device), reason=reason))
    if answer["number"] is None:
        print_nothing_moved(
            here, say("No command has put them anywhere; nothing is changed."), json=json
        )
        return
    macs = ", ".join(answer["macs"])
    what = here.texts("no longer assigned by command: {devices}", devices=macs)
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
    here.send(WatchShared(round(length_s) + _GRACE_S))

    if not json:
        here.note(say("Let the devices join the network now. Press Enter when all have."))

    def look() -> None:
        rows[:] = here.send(ReadShared())

    try:
        terminal.watch(look, length_s)
    finally:
        here.send(WatchShared(0))
    show(here, SHARED, rows, json=json)
    if not rows:
        raise typer.Exit(1)
    if not json:
        command = f"filterd devices assign {rows[0]['address']} --class 6A"
        here.print(say("To make one the class behind it: {command}", command=command), whole=True)
