# SPDX-License-Identifier: Apache-2.0
"""Limit a room to what an exam needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from filterd.operations.answers import of, rows, with_state
from filterd.operations.operation import Operation
from filterd.operations.parameters.scalar import Flag
from filterd.operations.request import OperationRequest
from filterd.policy.temporary_rules import Exam


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadExams(OperationRequest[Any]):
    """The exams with states."""

    command: ClassVar[str] = "exams"
    all_: Annotated[bool, Flag("Include those that have ended")] = False


EXAMS = Operation(
    name="readExams",
    method="GET",
    path="/exams",
    about="Present and future exams.",
    request=ReadExams,
    answer=rows(with_state(of(Exam))),
    commands=("exam list",),
    tag="exams",
)
