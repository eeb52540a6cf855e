# SPDX-License-Identifier: Apache-2.0
"""Operations on exceptions, on pupils' requests for one, and on exams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.errors import ConfigError
from filterd.i18n import say
from filterd.operations.exceptions import set_exceptions
from filterd.operations.parameters.audience import FOR_WHOM, ChangeAudience
from filterd.operations.parameters.scalar import Fields, Flag, Several, Text, Whole
from filterd.operations.parameters.target import TARGETS, are_entries, read_targets
from filterd.operations.parameters.term import TERM, Term
from filterd.operations.parameters.time import Time
from filterd.overrides.override_rows import with_states
from filterd.overrides.review_requests import PupilRequest
from filterd.overrides.target_text import class_from, target_name_from
from filterd.policy.temporary_rules import Exam, LocalException
from filterd.web.answers import FLAG, TEXT, WHOLE, maybe, of, record, rows
from filterd.web.operation import TEACHERS, Operation, asks
from filterd.web.operations.log_operations import CLASS
from filterd.web.school_state import overrides_of, policy_time
from filterd.web.wanted_change import (
    CHANGE,
    NUMBER_OF_CHANGE,
    REASON,
    change,
    changes,
    done,
)

if TYPE_CHECKING:
    from filterd.i18n import Sentence
    from filterd.operations.parameters.scalar import Schema
    from filterd.web.visitor import Visitor

MOST_CHANGES = 100_000
_LONGEST_PAUSE_S = 3_600


def with_state(schema: Schema) -> Schema:
    """Return the schema of a thing that has a state, too."""
    return record(
        {**schema["properties"], "state": TEXT},
        [one for one in schema["properties"] if one not in schema["required"]],
    )


async def with_states_of(visitor: Visitor, kind: str, given: dict[str, Any]) -> Any:
    """Return exceptions or exams with states; with ``all`` those that have ended."""
    now, not_before = await policy_time(visitor)
    past = await visitor.ask("history", limit=MOST_CHANGES) if given.get("all") else None
    return with_states(await overrides_of(visitor), kind, now, past, not_before)


async def _exceptions(visitor: Visitor, given: dict[str, Any]) -> Any:
    return await with_states_of(visitor, "exceptions", given)


async def _allow(visitor: Visitor, given: dict[str, Any]) -> Any:
    return await _set(visitor, given, allow=True)


async def _block(visitor: Visitor, given: dict[str, Any]) -> Any:
    return await _set(visitor, given, allow=False)


async def _set(visitor: Visitor, given: dict[str, Any], *, allow: bool) -> Any:
    targets = read_targets(given.pop("targets"), opens=allow)
    audience = ChangeAudience.take(given)
    term = Term.take(given, may_be_open=are_entries(targets))
    kind, fields = set_exceptions(targets, audience, term, allow=allow)
    return await change(visitor, kind, given, **fields)


async def _pause(visitor: Visitor, given: dict[str, Any]) -> Any:
    return await change(visitor, "pause", given, **ChangeAudience.take(given).payload)


ALL = Fields({"all": Flag("Include those that have ended")})
_SET = Fields(
    {"targets": TARGETS, "for_whom": FOR_WHOM, **TERM, "reason": REASON}, ("targets", "reason")
)
OF_CHANGE = Fields({"id": NUMBER_OF_CHANGE, "reason": REASON}, ("id",))

EXCEPTIONS = Operation(
    name="readExceptions",
    method="GET",
    path="/exceptions",
    about="What `allow`, `block` and `pause` have set, with states.",
    run=_exceptions,
    fields=ALL,
    answer=rows(with_state(of(LocalException))),
    commands=("exceptions list",),
    tag="exceptions",
)
ALLOW = Operation(
    name="allow",
    method="POST",
    path="/exceptions/allow",
    about="Allow names, services or categories for a time.",
    run=_allow,
    fields=_SET,
    roles=TEACHERS,
    answer=CHANGE,
    commands=("allow",),
    tag="exceptions",
    done=done,
)
BLOCK = Operation(
    name="block",
    method="POST",
    path="/exceptions/block",
    about="Block names, services or categories for a time.",
    run=_block,
    fields=_SET,
    roles=TEACHERS,
    answer=CHANGE,
    commands=("block",),
    tag="exceptions",
    done=done,
)
PAUSE = Operation(
    name="pause",
    method="POST",
    path="/exceptions/pause",
    about="Open everything that is not locked, for some minutes.",
    run=_pause,
    fields=Fields(
        {"for_whom": FOR_WHOM, "for_s": Whole(60, _LONGEST_PAUSE_S), "reason": REASON},
        ("for_s", "reason"),
    ),
    roles=TEACHERS,
    answer=CHANGE,
    commands=("pause",),
    tag="exceptions",
    done=done,
)
REVOKE = Operation(
    name="revoke",
    method="POST",
    path="/exceptions/{id}/revoke",
    about="End an exception, or the setting of a room, a grade, a class or the log.",
    run=changes("revoke"),
    fields=OF_CHANGE,
    roles=TEACHERS,
    answer=CHANGE,
    commands=("exceptions revoke",),
    tag="exceptions",
    done=done,
)


_NUMBER = Whole(1, about="The number of a request")


async def _approve(visitor: Visitor, given: dict[str, Any]) -> Any:
    term = Term.take(given)
    return await visitor.ask("requests approve", **given, **term.payload)


def _refused(answer: Any, _: Visitor) -> Sentence:
    return say("request {number} is refused", number=answer["request"]["id"])


REQUESTS = Operation(
    name="readRequests",
    method="GET",
    path="/requests",
    about="Closed names that classes ask for; a teacher reads those of own classes.",
    run=asks("requests list"),
    roles=TEACHERS,
    answer=rows(of(PupilRequest)),
    commands=("requests list",),
    tag="exceptions",
)
APPROVE = Operation(
    name="approveRequest",
    method="POST",
    path="/requests/{id}/approve",
    about="Open the name of a request to its class, or to the whole tier, for a time.",
    run=_approve,
    fields=Fields(
        {"id": _NUMBER, "for_tier": Flag("To the whole tier"), **TERM, "reason": REASON},
        ("id", "reason"),
    ),
    roles=TEACHERS,
    answer=CHANGE,
    commands=("requests approve",),
    tag="exceptions",
    done=done,
)
REFUSE = Operation(
    name="refuseRequest",
    method="POST",
    path="/requests/{id}/refuse",
    about="Refuse a request; the reason stands in the history.",
    run=asks("requests refuse"),
    fields=Fields({"id": _NUMBER, "reason": REASON}, ("id", "reason")),
    roles=TEACHERS,
    answer=record({"request": of(PupilRequest)}),
    commands=("requests refuse",),
    tag="exceptions",
    done=_refused,
)


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
