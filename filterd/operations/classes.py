# SPDX-License-Identifier: Apache-2.0
"""Show classes, and lend one to a substitute teacher.

Reading has no command of its own: a face works it out of what is in force.
"""

from __future__ import annotations

from typing import Annotated, Any

from filterd.base.value_class import frozen
from filterd.operations.answers import TEXT, TEXTS, WHOLE, each, record, rows
from filterd.operations.changes import CHANGE
from filterd.operations.operation import TEACHERS, Operation
from filterd.operations.parameters.scalar import Text
from filterd.operations.parameters.seat import CLASS
from filterd.operations.parameters.term import Term, TermFields
from filterd.operations.request import OperationRequest, RequestedChange
from filterd.overrides.target_text import class_from
from filterd.policy.temporary_rules import ClassLoan, LocalException

_FIELDS = {
    "class": TEXT,
    "grade": TEXT,
    **each(TEXTS, "teachers", "networks", "sits_in"),
    "loans": rows(ClassLoan),
    "lessons": rows(record({"weekday": WHOLE, "lesson": TEXT, "room": TEXT, "teacher": TEXT})),
}


@frozen
class ReadClasses(OperationRequest[Any]):
    """The classes."""


@frozen
class ReadClass(OperationRequest[Any]):
    """One class."""

    class_: Annotated[str, CLASS]


@frozen(kw_only=True)
class LendClass(RequestedChange, kind="class-lend"):
    """Give a substitute teacher the rights on a class for a time."""

    class_: Annotated[str, CLASS]
    to: Annotated[str, Text(64, least=1)]
    term: Annotated[Term, TermFields()]

    @property
    def change(self) -> tuple[str, dict[str, Any]]:
        """What ``LendClass`` of ``overrides`` reads."""
        return self.kind, {
            "class_id": class_from(self.class_),
            "to": self.to,
            **self.term.payload,
        }


CLASSES = Operation(
    name="readClasses",
    method="GET",
    path="/classes",
    about="The classes: grade, teachers, home rooms, where they sit now, lessons, loans.",
    request=ReadClasses,
    answer=rows(record(_FIELDS)),
    commands=("class list",),
    tag="classes",
)
CLASS_READ = Operation(
    name="readClass",
    method="GET",
    path="/classes/{class}",
    about="One class, with what is set for it.",
    request=ReadClass,
    answer=record({**_FIELDS, "exceptions": rows(LocalException)}),
    commands=("class show",),
    tag="classes",
)
LEND = Operation(
    name="lendClass",
    method="POST",
    path="/classes/{class}/loans",
    about="Give a substitute teacher the rights on a class for a time.",
    request=LendClass,
    roles=TEACHERS,
    answer=CHANGE,
    commands=("class lend",),
    tag="classes",
)
