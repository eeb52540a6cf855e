# SPDX-License-Identifier: Apache-2.0
"""Operations that show the policy as a matrix, the week, a teacher's own lesson."""

from __future__ import annotations

from filterd.web.operation import TEACHERS, Operation, asks
from filterd.web.parameters import Fields, Text

MATRIX = Operation(
    name="readPolicyMatrix",
    method="GET",
    path="/policy/matrix",
    about="Each category and service by tier: its state now and by the files, and what is set.",
    run=asks("policy-matrix"),
    answer={"type": "object"},
    commands=("policy tree",),
    tag="policy",
)
WEEK = Operation(
    name="readWeek",
    method="GET",
    path="/week",
    about="Schedules, exams, rooms and exceptions of the week of a day, as spans of time.",
    run=asks("school-week"),
    fields=Fields({"day": Text(10, r"[0-9]{4}-[0-9]{2}-[0-9]{2}", about="a date of the week")}),
    answer={"type": "object"},
)
OWN_LESSON = Operation(
    name="readOwnLesson",
    method="GET",
    path="/lesson",
    about="The own classes and rooms of a teacher, what is open there, what may be opened.",
    run=asks("own-lesson"),
    fields=Fields({"place": Text(300, about="`class:6A` or `network:lab-a`")}),
    roles=TEACHERS,
    answer={"type": "object"},
)

OPERATIONS = (MATRIX, WEEK, OWN_LESSON)
