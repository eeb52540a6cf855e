# SPDX-License-Identifier: Apache-2.0
"""Limit a room to what an exam needs; record in a trial run what that is."""

from __future__ import annotations

from typing import Annotated, Any, Self

from filterd.accounts.grant import TokenScope
from filterd.base.errors import ConfigError
from filterd.base.value_class import frozen
from filterd.operations.answers import FLAG, TEXT, WHOLE, maybe, record, rows, with_state
from filterd.operations.changes import CHANGE, NUMBER_OF_CHANGE
from filterd.operations.operation import TEACHERS, Operation
from filterd.operations.parameters.command_word import SWITCH
from filterd.operations.parameters.room import ROOM
from filterd.operations.parameters.scalar import Flag, Several, Text, Whole
from filterd.operations.parameters.seat import CLASS
from filterd.operations.parameters.time import Time
from filterd.operations.request import OperationRequest, RequestedChange
from filterd.overrides.target_text import class_from, target_name_from
from filterd.policy.temporary_rules import Exam
from filterd.texts.i18n import say


@frozen(kw_only=True)
class ReadExams(OperationRequest[Any], command="exams", scopes=(TokenScope.ALL_READ,)):
    """The exams with states."""

    all_: Annotated[bool, Flag("Include those that have ended"), SWITCH] = False


@frozen(kw_only=True)
class StartExam(RequestedChange, kind="exam"):
    """Limit a room, or the room of a class, to names and services."""

    room: Annotated[str | None, ROOM] = None
    class_: Annotated[str | None, CLASS] = None
    names: Annotated[
        tuple[str, ...], Several(Text(300, least=1), 500, about="Each with all beneath it")
    ] = ()
    services: Annotated[tuple[str, ...], Several(Text(64, least=1), 200)] = ()
    starts_at: Annotated[float | None, Time("The start; now if left out")] = None
    for_s: Annotated[float, Whole(60, 86_400)]

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Return the exam with these checked values.

        Raises:
            ConfigError: they make no exam.
        """
        if ("room" in values) is ("class" in values):
            raise ConfigError(
                say("an exam is for one room or one class"), hint=say("room, or class")
            )
        if not (values.get("names") or values.get("services")):
            raise ConfigError(say("an exam needs at least one name or service"))
        names = tuple(dict.fromkeys(map(target_name_from, values.pop("names", ()))))
        class_ = class_from(values.pop("class")) if "class" in values else None
        services = tuple(values.pop("services", ()))
        return cls(names=names, class_=class_, services=services, **values)

    @property
    def change(self) -> tuple[str, dict[str, Any]]:
        """What ``SetExam`` reads; the manager finds the room of a class."""
        where = {"room": self.room} if self.class_ is None else {"class_id": self.class_}
        begin = {} if self.starts_at is None else {"starts_at": self.starts_at}
        needed = {"names": list(self.names), "services": list(self.services)}
        return self.kind, {**where, **needed, **begin, "for_s": self.for_s}


@frozen(kw_only=True)
class StopExam(RequestedChange, kind="exam-stop"):
    """End an exam."""

    id: Annotated[int, NUMBER_OF_CHANGE]


@frozen
class TrialRoom:
    """The room of a trial run."""

    room: str


@frozen(kw_only=True)
class WatchExam(OperationRequest[TrialRoom], command="exam-watch"):
    """Begin or end a trial run."""

    room: Annotated[str, ROOM]
    off: Annotated[bool, Flag("End it")] = False


@frozen(kw_only=True)
class ReadTrialNames(OperationRequest[dict[str, Any]], command="exam-names"):
    """The names of the trial run that the person has begun."""

    room: Annotated[str, ROOM]


EXAMS = Operation(
    name="readExams",
    method="GET",
    path="/exams",
    about="Present and future exams.",
    request=ReadExams,
    answer=rows(with_state(Exam)),
    commands=("exam list",),
    tag="exams",
)
START = Operation(
    name="startExam",
    method="POST",
    path="/exams",
    about="Limit a room, or the room of a class, to what its exam needs.",
    request=StartExam,
    roles=TEACHERS,
    answer=CHANGE,
    commands=("exam start",),
    tag="exams",
)
STOP = Operation(
    name="stopExam",
    method="POST",
    path="/exams/{id}/stop",
    about="End an exam, or cancel one that has not begun.",
    request=StopExam,
    roles=TEACHERS,
    answer=CHANGE,
    commands=("exam stop",),
    tag="exams",
)
WATCH = Operation(
    name="watchExam",
    method="POST",
    path="/exams/trials/{room}",
    about="Begin a trial run of an exam in a room, or end it; its names are read meanwhile.",
    request=WatchExam,
    roles=TEACHERS,
    answer=TrialRoom,
    commands=("exam learn",),
    tag="exams",
)
TRIAL_NAMES = Operation(
    name="readTrialNames",
    method="GET",
    path="/exams/trials/{room}",
    about="The names that devices of a room looked up in the trial run that is on.",
    request=ReadTrialNames,
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
