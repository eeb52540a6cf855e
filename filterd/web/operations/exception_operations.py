# SPDX-License-Identifier: Apache-2.0
"""Operations on exceptions, on pupils' requests for one, and on exams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.base.errors import ConfigError
from filterd.operations import review_requests
from filterd.operations.answers import FLAG, TEXT, WHOLE, maybe, record, rows
from filterd.operations.changes import CHANGE, NUMBER_OF_CHANGE
from filterd.operations.operation import TEACHERS
from filterd.operations.parameters.scalar import Fields, Flag, Several, Text, Whole
from filterd.operations.parameters.seat import CLASS
from filterd.operations.parameters.time import Time
from filterd.operations.request import REASON
from filterd.overrides.target_text import class_from, target_name_from
from filterd.texts.i18n import say
from filterd.web.endpoint import WebOperation, asks, endpoint
from filterd.web.wanted_change import change, changes, done

if TYPE_CHECKING:
    from filterd.texts.i18n import Sentence
    from filterd.web.visitor import Visitor


OF_CHANGE = Fields({"id": NUMBER_OF_CHANGE, "reason": REASON}, ("id",))


def _refused(answer: Any, _: Visitor) -> Sentence:
    return say("request {number} is refused", number=answer["request"]["id"])


REFUSE = endpoint(review_requests.REFUSE, done=_refused)
APPROVE = endpoint(review_requests.APPROVE, done=done)


async def _start_exam(visitor: Visitor, given: dict[str, Any]) -> Any:
    if ("room" in given) is ("class" in given):
        raise ConfigError(say("an exam is for one room or one class"), hint=say("room, or class"))
    if not (given.get("names") or given.get("services")):
        raise ConfigError(say("an exam needs at least one name or service"))
    given["names"] = list(dict.fromkeys(map(target_name_from, given.get("names", ()))))
    if "class" in given:
        given["class_id"] = class_from(given.pop("class"))
    return await change(visitor, "exam", given)


async def _watch_exam(visitor: Visitor, given: dict[str, Any]) -> Any:
    return await visitor.ask("exam-watch", room=given["room"], off=given.get("off", False))


START_EXAM = WebOperation(
    name="startExam",
    method="POST",
    path="/exams",
    about="Limit a room, or the room of a class, to what its exam needs.",
    run=_start_exam,
    fields=Fields(
        {
            "room": Text(64),
            "class": CLASS,
            "names": Several(Text(300, least=1), 500, about="Each with all beneath it"),
            "services": Several(Text(64, least=1), 200),
            "starts_at": Time("The start; now if left out"),
            "for_s": Whole(60, 86_400),
            "reason": REASON,
        },
        ("for_s",),
    ),
    roles=TEACHERS,
    answer=CHANGE,
    commands=("exam start",),
    tag="exams",
    done=done,
)
STOP_EXAM = WebOperation(
    name="stopExam",
    method="POST",
    path="/exams/{id}/stop",
    about="End an exam, or cancel one that has not begun.",
    run=changes("exam-stop"),
    fields=OF_CHANGE,
    roles=TEACHERS,
    answer=CHANGE,
    commands=("exam stop",),
    tag="exams",
    done=done,
)
WATCH_EXAM = WebOperation(
    name="watchExam",
    method="POST",
    path="/exams/trials/{room}",
    about="Begin a trial run of an exam in a room, or end it; its names are read meanwhile.",
    run=_watch_exam,
    fields=Fields({"room": Text(64), "off": Flag("End it")}, ("room",)),
    roles=TEACHERS,
    answer=record({"room": TEXT}),
    commands=("exam learn",),
    tag="exams",
    done=lambda answer, _: say("Room {room}: done.", room=answer["room"]),
)
EXAM_NAMES = WebOperation(
    name="readTrialNames",
    method="GET",
    path="/exams/trials/{room}",
    about="The names that devices of a room looked up in the trial run that is on.",
    run=asks("exam-names"),
    fields=Fields({"room": Text(64)}, ("room",)),
    roles=TEACHERS,
    answer=record(
        {
            "names": rows(
                record({"name": TEXT, "registrable": maybe(TEXT), "times": WHOLE, "blocked": FLAG})
            )
        }
    ),
    commands=("exam learn",),
    tag="exams",
)
