# SPDX-License-Identifier: Apache-2.0
"""A teacher's lesson: open something for the own class until the bell; close it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from filterd import words
from filterd.i18n import say
from filterd.overrides.descriptions import Teller
from filterd.web.form_choices import lengths, names_of
from filterd.web.operation import TEACHERS
from filterd.web.operations.exam_operations import START_EXAM, STOP_EXAM
from filterd.web.operations.exception_operations import ALLOW, REVOKE
from filterd.web.operations.policy_operations import CATEGORIES
from filterd.web.operations.school_operations import OWN_LESSON
from filterd.web.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.rows import Row
    from filterd.web.visitor import Visitor

LENGTHS_S = (15 * 60, 45 * 60, 90 * 60)
EXAM_LENGTHS_S = (15 * 60, 45 * 60, 60 * 60, 90 * 60, 120 * 60)
REASONS = (
    say("needed in this lesson"),
    say("group work"),
    say("a video for the lesson"),
    say("search for material"),
    say("an exercise on the Internet"),
)


async def _load(visitor: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
    place = given.get("place", "")
    lesson = await visitor.call(OWN_LESSON, place=place)
    chosen = lesson["chosen"] or {}
    services = chosen.get("services", ())
    names = names_of(await visitor.call(CATEGORIES), visitor.wording) if services else {}
    groups: dict[str, list[Row]] = {}
    for one in services:
        if one["suits"]:
            groups.setdefault(names.get(one["group"], one["group"]), []).append(one)
    return {
        "places": lesson["places"],
        "spot": lesson["chosen"],
        "back": f"/lesson?{urlencode({'place': chosen['place']})}" if chosen else "/lesson",
        "groups": groups,
        "older": [one for one in services if not one["suits"]],
        "lengths": lengths(LENGTHS_S, visitor.wording),
        "exam_lengths": lengths(EXAM_LENGTHS_S, visitor.wording),
        "reasons": REASONS,
        "teller": Teller(*visitor.wording),
        "words": words,
        "allow": ALLOW,
        "revoke": REVOKE,
        "start_exam": START_EXAM,
        "stop_exam": STOP_EXAM,
    }


PAGE = Page(
    path="/lesson", title=say("My lesson"), template="lesson.html", load=_load, roles=TEACHERS
)
