# SPDX-License-Identifier: Apache-2.0
"""Operations on exams: start, stop, trial runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.errors import ConfigError
from filterd.i18n import say
from filterd.overrides.target_text import class_from, target_name_from
from filterd.policy.temporary_rules import Exam
from filterd.web.answers import FLAG, TEXT, WHOLE, maybe, of, record, rows
from filterd.web.operation import TEACHERS, Operation, asks
from filterd.web.operations.exception_operations import ALL, OF_CHANGE, with_state, with_states_of
from filterd.web.operations.log_operations import CLASS
from filterd.web.parameters import Fields, Flag, Several, Text, Time, Whole
from filterd.web.wanted_change import (
    CHANGE,
    REASON,
    change,
    changes,
    done,
)

if TYPE_CHECKING:
    from filterd.web.visitor import Visitor


async def _exams(visitor: Visitor, given: dict[str, Any]) -> Any:
    return await with_states_of(visitor, "exams", given)


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


EXAMS = Operation(
    name="readExams",
    method="GET",
    path="/exams",
    about="Present and future exams.",
    run=_exams,
    fields=ALL,
    answer=rows(with_state(of(Exam))),
    commands=("exam list",),
    tag="exams",
)
START_EXAM = Operation(
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
STOP_EXAM = Operation(
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
WATCH_EXAM = Operation(
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
EXAM_NAMES = Operation(
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

OPERATIONS = (
    EXAMS,
    START_EXAM,
    STOP_EXAM,
    WATCH_EXAM,
    EXAM_NAMES,
)
