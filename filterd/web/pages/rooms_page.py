# SPDX-License-Identifier: Apache-2.0
"""The rooms now: the class in each, why, until when; the exams, now and planned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.i18n import say
from filterd.overrides.descriptions import EXAMS as EXAM_LISTING
from filterd.overrides.room_rows import ROOMS as LISTING
from filterd.overrides.room_rows import is_changed
from filterd.web.list_part import part_of
from filterd.web.operations.exam_operations import EXAMS, STOP_EXAM
from filterd.web.operations.room_operations import ROOMS
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.web.visitor import Visitor


async def _load(visitor: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
    rows = await visitor.call(ROOMS)
    shown = [one for one in rows if "all" in given or one["is_room"] or is_changed(one)]
    when = visitor.clock.text(visitor.clock.now)
    return {
        "part": part_of(
            shown, given, "/rooms", lambda row: f"{row['room']} {row['class'] or ''} {row['grade']}"
        ),
        "listing": LISTING._replace(
            title=LISTING.title.filled({"when": when}), none=say("The site has no rooms.")
        ),
        "left_out": len(rows) - len(shown),
        "exams": await visitor.call(EXAMS),
        "exam_listing": EXAM_LISTING,
        "stop_exam": STOP_EXAM,
    }


PAGE = Page(path="/rooms", title=say("Rooms and exams"), template="rooms.html", load=_load)
