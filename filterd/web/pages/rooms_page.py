# SPDX-License-Identifier: Apache-2.0
"""The rooms and exams, one room, and the devices on the links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.clients.device_rows import DEVICES as DEVICE_LISTING
from filterd.clients.device_rows import SHARED as SHARED_LISTING
from filterd.operations.devices import ASSIGN, DEVICES_READ, SHARED
from filterd.operations.exams import EXAMS, TRIAL_NAMES
from filterd.operations.operation import TEACHERS
from filterd.operations.policy import IDS
from filterd.operations.rooms import APPEARED, WATCH_ROOM
from filterd.overrides.current_rows import ROOM as DETAILS
from filterd.overrides.current_rows import ROOMS as ROOM_LISTING
from filterd.overrides.current_rows import is_changed
from filterd.overrides.descriptions import Describer
from filterd.overrides.override_rows import EXAMS as EXAM_LISTING
from filterd.texts import words
from filterd.texts.i18n import say
from filterd.web.form_choices import lengths, seats, terms
from filterd.web.operations.room_operations import ROOM_READ, ROOMS
from filterd.web.page import Page, filled, part_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor


async def _load_rooms(visitor: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
    rows = await visitor.call(ROOMS)
    shown = [one for one in rows if "all" in given or one["is_room"] or is_changed(one)]
    when = visitor.clock.text(visitor.clock.now)
    return {
        "part": part_of(
            shown, given, "/rooms", lambda row: f"{row['room']} {row['class'] or ''} {row['grade']}"
        ),
        "listing": ROOM_LISTING._replace(
            title=ROOM_LISTING.title.filled({"when": when}), none=say("The site has no rooms.")
        ),
        "left_out": len(rows) - len(shown),
        "exams": await visitor.call(EXAMS),
        "exam_listing": EXAM_LISTING,
    }


ROOMS_PAGE = Page(
    path="/rooms", title=say("Rooms and exams"), template="rooms.html", load=_load_rooms
)


LENGTHS_S = (15 * 60, 45 * 60, 60 * 60, 90 * 60, 120 * 60)


async def _load_room(visitor: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
    room = given["room"]
    row = await visitor.call(ROOM_READ, room=room)
    is_trial = "trial" in given and visitor.may(TRIAL_NAMES)
    is_learning = "learn" in given and visitor.may(WATCH_ROOM)
    names = (await visitor.call(TRIAL_NAMES, room=room))["names"] if is_trial else None
    return {
        "row": row,
        "columns": filled(DETAILS.columns, row, visitor.wording),
        "week": _week(row["timetable"]),
        "seats": [
            (one.partition(":")[2], text)
            for one, text in seats(await visitor.call(IDS), visitor.wording)
        ],
        "names": names,
        "needed": "\n".join(name["name"] for name in names or () if not name["blocked"]),
        "seen": (await visitor.call(APPEARED, room=room))["devices"] if is_learning else None,
        "terms": terms(visitor.wording),
        "lengths": lengths(LENGTHS_S, visitor.wording),
        "weekday": lambda day: visitor.texts.word(words.WEEKDAY, str(day)),
    }


def _week(timetable: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a timetable's weekdays, and by lesson and weekday its class."""
    rows: dict[str, dict[int, dict[str, Any]]] = {}
    for one in timetable:
        rows.setdefault(one["lesson"], {})[one["weekday"]] = one
    return {"days": sorted({one["weekday"] for one in timetable}), "rows": rows}


ROOM_PAGE = Page(path="/rooms/{room}", title=say("Room"), template="room.html", load=_load_room)


NAT_WATCH_S = 600


async def _load_devices(visitor: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
    rows = await visitor.call(DEVICES_READ)
    is_watched = "shared" in given and visitor.may(SHARED)
    return {
        "part": part_of(rows, given, "/devices", lambda row: " ".join(_device_texts(row))),
        "unknown": sum(one["network"] is None for one in rows),
        "listing": DEVICE_LISTING,
        "ids": await visitor.call(IDS) if visitor.may(ASSIGN) else None,
        "shared": await visitor.call(SHARED) if is_watched else None,
        "shared_listing": SHARED_LISTING,
        "describer": Describer(*visitor.wording),
        "watch_s": NAT_WATCH_S,
    }


def _device_texts(row: Mapping[str, Any]) -> list[str]:
    known = ("mac", "name", "host", "maker", "network", "class", "grade")
    return [*(row[key] or "" for key in known), *row["addresses"]]


DEVICES_PAGE = Page(
    path="/devices",
    title=say("Devices"),
    template="devices.html",
    load=_load_devices,
    roles=TEACHERS,
)
