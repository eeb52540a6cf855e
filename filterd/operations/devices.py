# SPDX-License-Identifier: Apache-2.0
"""List devices, name them, put them somewhere; find shared addresses."""

from __future__ import annotations

from typing import Annotated, Any

from filterd.accounts.grant import TokenScope
from filterd.base.value_class import frozen
from filterd.clients import device_rows
from filterd.operations.answers import FLAG, TEXT, TEXTS, each, maybe, record, rows
from filterd.operations.changes import CHANGE
from filterd.operations.operation import ADMINS, TEACHERS, Operation
from filterd.operations.parameters.device import DESTINATION, DEVICE, DEVICES
from filterd.operations.parameters.scalar import Text, Whole
from filterd.operations.request import OperationRequest, Reason
from filterd.operations.rooms import SEEN

_LONGEST_SEARCH_S = 7_200


@frozen
class ReadDevices(OperationRequest[Any], command="devices", scopes=(TokenScope.ALL_READ,)):
    """Show the devices on the links of this gateway, unknown ones first.

    Those that answer now, and those that did lately or have a lease. Nothing is kept of
    them. A device with several addresses is one. Teachers see those of the rooms where they
    teach now. Exit code 0: shown; 2: an error.
    """


@frozen
class ReadUnknownDevices(
    OperationRequest[dict[str, Any]], command="devices unknown", scopes=(TokenScope.ALL_READ,)
):
    """The devices that are in no network."""


@frozen(kw_only=True)
class NameDevice(OperationRequest[dict[str, Any]], command="devices name"):
    """Name a device; an empty name removes it."""

    device: Annotated[str, DEVICE]
    name: Annotated[str, Text(100)] = ""
    reason: Reason = ""


@frozen(kw_only=True)
class AssignDevices(OperationRequest[dict[str, Any]], command="devices assign"):
    """Put devices into a class or a network."""

    devices: Annotated[tuple[str, ...], DEVICES]
    to: Annotated[str, DESTINATION]
    reason: Reason = ""

    @property
    def class_id(self) -> str | None:
        """The class; None for a network."""
        return self.to.removeprefix("class:") if self.to.startswith("class:") else None

    @property
    def network(self) -> str | None:
        """The network; None for a class."""
        return None if self.class_id is not None else self.to.removeprefix("network:")


@frozen(kw_only=True)
class UnassignDevices(OperationRequest[dict[str, Any]], command="devices unassign"):
    """Take devices out of where commands have put them."""

    devices: Annotated[tuple[str, ...], DEVICES]
    reason: Reason = ""


@frozen
class SearchLength:
    """How long the search for shared addresses goes on."""

    for_s: int


@frozen
class WatchShared(OperationRequest[SearchLength], command="nat-watch"):
    """Begin the search for shared addresses; with 0 end it."""

    for_s: Annotated[int, Whole(0, _LONGEST_SEARCH_S)]


@frozen
class ReadShared(OperationRequest[Any], command="nat-seen"):
    """The shared addresses that were found."""


DEVICES_READ = Operation(
    name="readDevices",
    method="GET",
    path="/devices",
    about="The devices on the links, unknown ones first; a teacher: of the rooms taught in now.",
    request=ReadDevices,
    roles=TEACHERS,
    answer=rows(
        record(
            {
                **each(TEXT, "mac", "name", "host", "maker"),
                "is_random": FLAG,
                "is_here": FLAG,
                "addresses": TEXTS,
                "network": maybe(TEXT),
                "grade": maybe(TEXT),
                "class": maybe(TEXT),
            }
        )
    ),
    commands=("devices list",),
    tag="devices",
    listing=device_rows.DEVICES,
)
UNKNOWN_DEVICES = Operation(
    name="readUnknownDevices",
    method="GET",
    path="/devices/unknown",
    about="The devices that are in no network.",
    request=ReadUnknownDevices,
    roles=TEACHERS,
    answer=record({"devices": rows(SEEN)}),
    commands=("room list",),
    tag="devices",
)
NAME_DEVICE = Operation(
    name="nameDevice",
    method="POST",
    path="/devices/name",
    about="Name a device; the history keeps the name for good, so no pupil's.",
    request=NameDevice,
    roles=ADMINS,
    answer=CHANGE,
    commands=("devices name",),
    tag="devices",
)
ASSIGN = Operation(
    name="assignDevices",
    method="POST",
    path="/devices/assign",
    about="Put devices into a class, a room or another network, from wherever they are.",
    request=AssignDevices,
    roles=ADMINS,
    answer=CHANGE,
    commands=("devices assign", "room import"),
    tag="devices",
)
UNASSIGN = Operation(
    name="unassignDevices",
    method="POST",
    path="/devices/unassign",
    about="Take devices out of where commands have put them.",
    request=UnassignDevices,
    roles=ADMINS,
    answer=CHANGE,
    commands=("devices unassign",),
    tag="devices",
)
WATCH_SHARED = Operation(
    name="watchShared",
    method="POST",
    path="/devices/shared",
    about="Begin, or with 0 end, the search for addresses that several devices share.",
    request=WatchShared,
    roles=ADMINS,
    answer=SearchLength,
    commands=("devices nat",),
    tag="devices",
)
SHARED = Operation(
    name="readShared",
    method="GET",
    path="/devices/shared",
    about="Addresses that several devices share: access points with NAT.",
    request=ReadShared,
    roles=ADMINS,
    answer=rows(record({"address": TEXT, "makers": TEXTS})),
    commands=("devices nat",),
    tag="devices",
)
