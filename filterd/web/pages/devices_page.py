# SPDX-License-Identifier: Apache-2.0
"""The devices, unknown ones first, to name and assign; addresses that are shared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.clients.device_rows import DEVICES as LISTING
from filterd.clients.device_rows import SHARED as SHARED_LISTING
from filterd.i18n import say
from filterd.overrides.descriptions import Teller
from filterd.web.list_part import part_of
from filterd.web.operation import TEACHERS
from filterd.web.operations.policy_operations import IDS
from filterd.web.operations.room_operations import (
    ASSIGN,
    DEVICES,
    NAME_DEVICE,
    SHARED,
    UNASSIGN,
    WATCH_NAT,
)
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor

NAT_WATCH_S = 600


async def _load(visitor: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
    rows = await visitor.call(DEVICES)
    is_watched = "shared" in given and visitor.may(SHARED)
    return {
        "part": part_of(rows, given, "/devices", lambda row: " ".join(_texts(row))),
        "unknown": sum(one["network"] is None for one in rows),
        "listing": LISTING,
        "ids": await visitor.call(IDS) if visitor.may(ASSIGN) else None,
        "shared": await visitor.call(SHARED) if is_watched else None,
        "shared_listing": SHARED_LISTING,
        "teller": Teller(*visitor.wording),
        "watch_s": NAT_WATCH_S,
        "name_device": NAME_DEVICE,
        "assign": ASSIGN,
        "unassign": UNASSIGN,
        "watch_nat": WATCH_NAT,
    }


def _texts(row: Mapping[str, Any]) -> list[str]:
    known = ("mac", "name", "host", "maker", "network", "class", "grade")
    return [*(row[key] or "" for key in known), *row["addresses"]]


PAGE = Page(
    path="/devices", title=say("Devices"), template="devices.html", load=_load, roles=TEACHERS
)
