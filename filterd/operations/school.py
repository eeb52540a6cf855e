# SPDX-License-Identifier: Apache-2.0
"""Read the policy as a matrix, the week, a teacher's own lesson."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from filterd.accounts.grant import TokenScope
from filterd.base.value_class import frozen
from filterd.operations.answers import (
    AT,
    FLAG,
    TEXT,
    TEXTS,
    WHOLE,
    each,
    maybe,
    of,
    record,
    rows,
    table,
)
from filterd.operations.operation import TEACHERS, Operation
from filterd.operations.parameters.day import Day
from filterd.operations.parameters.scalar import Text
from filterd.operations.request import OperationRequest
from filterd.policy.grade_rows import CLOSED, LOCKED, OPEN
from filterd.policy.model import TIERS
from filterd.policy.temporary_rules import Exam, LocalException

if TYPE_CHECKING:
    from filterd.operations.parameters.scalar import Schema

_TIER = {"type": "string", "enum": list(TIERS)}
_STATES = record({OPEN: TEXTS, CLOSED: TEXTS, LOCKED: TEXTS}, (OPEN, CLOSED, LOCKED))
"""By state, the grades and the classes that differ from their grade."""
_CHANGES = rows(
    record(
        {
            **each(TEXT, "layer", "source", "audience", "whom", "author", "reason"),
            "opens": FLAG,
            "holds": FLAG,
            "until": maybe(AT),
        }
    )
)
_NAMED = {"id": TEXT, "name_vi": TEXT, "name_en": TEXT, "min_age": maybe(WHOLE)}
_MATRIX = record(
    {
        "tiers": rows(
            record(
                {
                    "tier": _TIER,
                    "grades": TEXTS,
                    "classes": TEXTS,
                    "age": WHOLE,
                    **each(TEXT, "safe_search", "youtube", "block_response"),
                    "changes": _CHANGES,
                }
            )
        ),
        "categories": rows(
            record(
                {
                    **_NAMED,
                    "rating": TEXT,
                    "legal_basis": TEXTS,
                    **each(FLAG, "locked", "ordered", "kept_closed"),
                    "cells": table(
                        record(
                            {
                                "states": _STATES,
                                "files": _STATES,
                                "changes": _CHANGES,
                                "left_out": WHOLE,
                            }
                        )
                    ),
                }
            )
        ),
        "services": rows(
            record({**_NAMED, "group": TEXT, "cells": table(record({"states": _STATES}))})
        ),
    }
)
_WEEK = record(
    {
        "days": rows(
            record(
                {
                    "date": TEXT,
                    "weekday": {**WHOLE, "minimum": 0, "maximum": 6},
                    "holiday": maybe(record({"vi": TEXT, "en": TEXT})),
                    "starts_at": AT,
                    "ends_at": AT,
                }
            )
        ),
        "rows": rows(
            record(
                {
                    "of": {
                        "type": "string",
                        "enum": ["schedules", "exams", "rooms", "exceptions"],
                        "description": "A row has the fields of such a thing, too",
                    },
                    "spans": rows({"type": "array", "items": AT, "minItems": 2, "maxItems": 2}),
                }
            )
        ),
        "left_out": WHOLE,
    }
)
_PLACE = {
    **each(TEXT, "place", "audience", "whom", "room", "grade"),
    "has_lesson": FLAG,
    "lesson": maybe(TEXT),
    "bell_at": maybe(AT),
    "day_ends_at": maybe(AT),
    "exam": maybe(Exam),
}


def _exception() -> Schema:
    schema = of(LocalException)
    return {**schema, "properties": {**schema["properties"], "is_own": FLAG}}


_LESSON = record(
    {
        "places": rows(record(_PLACE)),
        "chosen": maybe(
            record(
                {
                    **_PLACE,
                    "tier": _TIER,
                    "age": WHOLE,
                    "services": rows(
                        record({**_NAMED, "group": TEXT, "open_by": maybe(WHOLE), "suits": FLAG})
                    ),
                    "exceptions": rows(_exception),
                    "left_out": WHOLE,
                }
            )
        ),
    }
)


@frozen
class ReadMatrix(
    OperationRequest[dict[str, Any]], command="policy-matrix", scopes=(TokenScope.ALL_READ,)
):
    """The state of categories and services by tier."""


@frozen(kw_only=True)
class ReadWeek(
    OperationRequest[dict[str, Any]], command="school-week", scopes=(TokenScope.ALL_READ,)
):
    """The week of a day; without one the present."""

    day: Annotated[str, Day("a date of the week")] = ""


@frozen(kw_only=True)
class ReadOwnLesson(OperationRequest[dict[str, Any]], command="own-lesson"):
    """What a teacher has in the classes and rooms of the moment."""

    place: Annotated[str, Text(300, about="`class:6A` or `network:lab-a`")] = ""


MATRIX = Operation(
    name="readPolicyMatrix",
    method="GET",
    path="/policy/matrix",
    about="Each category and service by tier: its state now and by the files, and what is set.",
    request=ReadMatrix,
    answer=_MATRIX,
    commands=("policy tree",),
    tag="policy",
)
WEEK = Operation(
    name="readWeek",
    method="GET",
    path="/week",
    about="Schedules, exams, rooms and exceptions of the week of a day, as spans of time.",
    request=ReadWeek,
    answer=_WEEK,
)
OWN_LESSON = Operation(
    name="readOwnLesson",
    method="GET",
    path="/lesson",
    about="The own classes and rooms of a teacher, what is open there, what may be opened.",
    request=ReadOwnLesson,
    roles=TEACHERS,
    answer=_LESSON,
)
