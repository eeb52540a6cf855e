# SPDX-License-Identifier: Apache-2.0
"""One room: its class now, timetable, exams with their trial runs, devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd import words
from filterd.i18n import say
from filterd.overrides.room_rows import ROOM as DETAILS
from filterd.web.form_choices import lengths, seats, terms
from filterd.web.operations.exam_operations import EXAM_NAMES, START_EXAM, WATCH_EXAM
from filterd.web.operations.policy_operations import IDS
from filterd.web.operations.room_operations import (
    APPEARED,
    LEARN_ROOM,
    ROOM_READ,
    SET_ROOM,
    WATCH_ROOM,
)
from filterd.web.page import Page, filled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor

LENGTHS_S = (15 * 60, 45 * 60, 60 * 60, 90 * 60, 120 * 60)


async def _load(visitor: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
    room = given["room"]
    row = await visitor.call(ROOM_READ, room=room)
    is_trial = "trial" in given and visitor.may(EXAM_NAMES)
    is_learning = "learn" in given and visitor.may(WATCH_ROOM)
    names = (await visitor.call(EXAM_NAMES, room=room))["names"] if is_trial else None
    return {
        "row": row,
        "columns": filled(DETAILS.columns, row, visitor.wording),
        "week": _week(row["timetable"]),
        "seats": [
            (one.partition(":")[2], text)
            for one, text in seats(await visitor.call(IDS), visitor.wording)
        ],
        "names": names,
        "needed": "\n".join(one["name"] for one in names or () if not one["blocked"]),
        "seen": (await visitor.call(APPEARED, room=room))["devices"] if is_learning else None,
        "terms": terms(visitor.wording),
        "lengths": lengths(LENGTHS_S, visitor.wording),
        "weekday": lambda day: visitor.texts.word(words.WEEKDAY, str(day)),
        "set_room": SET_ROOM,
        "start_exam": START_EXAM,
        "watch_exam": WATCH_EXAM,
        "watch_room": WATCH_ROOM,
        "learn_room": LEARN_ROOM,
    }


def _week(timetable: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a timetable's weekdays, and by lesson and weekday its class."""
    rows: dict[str, dict[int, dict[str, Any]]] = {}
    for one in timetable:
        rows.setdefault(one["lesson"], {})[one["weekday"]] = one
    return {"days": sorted({one["weekday"] for one in timetable}), "rows": rows}


PAGE = Page(path="/rooms/{room}", title=say("Room"), template="room.html", load=_load)
