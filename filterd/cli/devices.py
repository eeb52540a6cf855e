# SPDX-License-Identifier: Apache-2.0
"""``filterd devices``: the devices that are there, and the network of each."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from filterd import control, field_checks
from filterd.cli import progress_bar
from filterd.cli.change_request import change, print_change, print_nothing_moved
from filterd.cli.context import Context, JsonOption, Options, argument, option
from filterd.cli.effective_state import in_force
from filterd.cli.render import show
from filterd.cli.target_options import ReasonOption
from filterd.cli.time_options import duration_s, school_clock
from filterd.clients.device_rows import DEVICES, SHARED
from filterd.errors import ChangeError, ConfigError
from filterd.i18n import did_you_mean, say
from filterd.overrides.descriptions import Teller
from filterd.overrides.target_text import class_from
from filterd.policy.effective_policy import EffectiveState
from filterd.policy.grade_changes import with_devices
from filterd.policy.model import Policy

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
    told = change(here, "device-name", reason, mac=mac, name=text)
    thing = {"mac": mac, "name": text}
    what = Teller(here.texts, school_clock(here)).thing("device_names", thing)
    print_change(here, told, what, json=json)


class AssignmentPlace:
    """The network that the options name: by its id, or by the one grade or class it is of."""

    def __init__(self, class_id: str | None, network: str | None) -> None:
        self._class_id, self._network = class_id, network

    def found_in(self, policy: Policy) -> str:
        """Return the id of the network.

        Raises:
            ConfigError: there is none, or a class has several.
        """
        wanted = self._class_id or self._network or ""
        ids = [one.id for one in policy.networks]
        homes = [one.id for one in policy.networks if one.grade == wanted]
        if self._network is not None:
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


def place(
    class_: Annotated[
        str | None, option("--class", "The network of this class: 6A, ...", "CLASS")
    ] = None,
    room: Annotated[str | None, option("--room", "This room.", "ID")] = None,
    network: Annotated[
        str | None, option("--network", "This network, or the one of a grade: staff, ...", "ID")
    ] = None,
) -> AssignmentPlace:
    """Return the network that the options name.

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
        raise ConfigError(
            say("{first} and {second} exclude each other", first=given[0][0], second=given[1][0]),
            hint=say("give only one of them"),
        )
    return AssignmentPlace(None if class_ is None else class_from(class_), room or network)


def assign(
    here: Context,
    device: Annotated[list[str], argument("DEVICE", _DEVICE_HELP)],
    where: Annotated[AssignmentPlace, Options(place)],
    reason: ReasonOption = "",
    json: JsonOption = False,
) -> None:
    """Put devices into a class, a room or another network, from wherever they are.

    An access point that gives a class its own addresses (NAT) is one device: assign it, and
    all behind it are of that class. Exit code 0: done; 2: an error.
    """
    now = in_force(here)
    network = where.found_in(now.policy)
    macs = _macs(here, device)
    rooms = _moved(now, network, macs)
    if not rooms:
        print_nothing_moved(here, json=json)
        return
    told = _change(here, reason, rooms)
    what = here.texts("{devices} in {network}", devices=", ".join(macs), network=network)
    print_change(here, told, what, json=json)


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
    rooms = _taken_out(now, macs)
    if not rooms:
        print_nothing_moved(
            here, say("No command has put them anywhere; nothing is changed."), json=json
        )
        return
    told = _change(here, reason, rooms)
    what = here.texts("{devices} are assigned by no command", devices=", ".join(macs))
    print_change(here, told, what, json=json)


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
    path, rows = here.state.control_socket, list[dict[str, Any]]()
    control.ask(path, "nat-watch", for_s=round(length_s) + _GRACE_S)

    if not json:
        here.errors.print(
            here.texts("Let the devices join the network now. Press Enter when all have.")
        )

    def look() -> None:
        rows[:] = control.ask(path, "nat-seen")

    try:
        progress_bar.watch(look, length_s)
    finally:
        control.ask(path, "nat-watch", for_s=0)
    show(here, SHARED, rows, json=json)
    if not rows:
        raise typer.Exit(1)
    if not json:
        command = f"filterd devices assign {rows[0]['address']} --class 6A"
        here.console.print(
            here.texts("To make one the class behind it: {command}", command=command),
            soft_wrap=True,
        )


def _rows(here: Context) -> list[dict[str, Any]]:
    """Return the rows of the devices that the daemon sees.

    Raises:
        ControlError: no daemon runs, or it does not list them.
    """
    found: list[dict[str, Any]] = control.ask(here.state.control_socket, "devices")
    return found


def _macs(here: Context, words: list[str]) -> list[str]:
    """Return the MACs of devices that are named by MAC or address, each once.

    Raises:
        ConfigError: one is neither, or no device has the address now.
    """
    found: dict[str, None] = {}
    rows: list[dict[str, Any]] | None = None
    for word in words:
        try:
            mac = field_checks.mac(word)
        except ChangeError:
            rows = _rows(here) if rows is None else rows
            mac = _with_address(rows, word)
        found[mac] = None
    return list(found)


def _with_address(rows: list[dict[str, Any]], word: str) -> str:
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


def _change(here: Context, reason: str, rooms: list[dict[str, Any]]) -> dict[str, Any]:
    if len(rooms) == 1:
        return change(here, "room-devices", reason, **rooms[0])
    return change(here, "device-table", reason, rooms=rooms)


def _taken_out(now: EffectiveState, macs: list[str]) -> list[dict[str, Any]]:
    """Return the networks that lose devices; none left of its own: those of ``site.yaml``.

    Raises:
        ConfigError: ``site.yaml`` has a device where it is.
    """
    written = {one.id: set(one.macs) for one in now.policy.networks}
    learned = {one.room: set(one.macs) for one in now.overrides.devices}
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


def _moved(now: EffectiveState, network: str, macs: list[str]) -> list[dict[str, Any]]:
    """Return the networks whose devices change, each with all of its devices then."""
    has = {one.id: one.macs for one in with_devices(now.policy, now.overrides)}
    if set(macs) <= set(has[network]):
        return []
    learned = [one.room for one in now.overrides.devices if set(one.macs) & set(macs)]
    left = [
        {"room": room, "macs": sorted(set(has.get(room, ())) - set(macs))}
        for room in learned
        if room != network
    ]
    return [{"room": network, "macs": sorted({*has[network], *macs})}, *left]
