# SPDX-License-Identifier: Apache-2.0
"""Report names that are on a list by mistake."""

from __future__ import annotations

from typing import Annotated, Any, Self

from filterd.accounts.grant import TokenScope
from filterd.base.value_class import frozen
from filterd.operations.answers import AT, FLAG, OBJECT, TEXT, WHOLE, each, maybe, record, rows
from filterd.operations.changes import CHANGE
from filterd.operations.operation import ADMINS, Operation
from filterd.operations.parameters.scalar import Text
from filterd.operations.parameters.time import Time
from filterd.operations.request import OperationRequest, Reason, RequestedChange
from filterd.overrides.target_text import name_from


@frozen
class ReadMistakes(OperationRequest[Any], command="mistakes", scopes=(TokenScope.LISTS,)):
    """The reports, with what lists answer."""


@frozen(kw_only=True)
class ReportMistake(RequestedChange, kind="report-mistake"):
    """Open a name, and report it."""

    name: Annotated[str, Text(300, least=1)]
    ends_at: Annotated[float | None, Time()] = None
    reason: Reason

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Return the report with these checked values."""
        return cls(name=name_from(values.pop("name")), **values)


MISTAKES = Operation(
    name="readMistakes",
    method="GET",
    path="/mistakes",
    about="The reported mistakes of lists, and which lists have corrected them.",
    request=ReadMistakes,
    answer=rows(
        record(
            {
                **each(TEXT, "school", "name", "reason", "seen_in", "filterd"),
                "number": WHOLE,
                "at": AT,
                "entries": rows(OBJECT),
                "mended": maybe(FLAG),
                "mended_in": maybe(TEXT),
                "mended_at": maybe(AT),
                "listed": maybe(rows(OBJECT)),
                "answer": maybe(OBJECT),
            }
        )
    ),
    commands=("report-mistake",),
    tag="lists",
)
REPORT = Operation(
    name="reportMistake",
    method="POST",
    path="/mistakes",
    about="Open a name that is on a list by mistake for 14 days, and report it.",
    request=ReportMistake,
    roles=ADMINS,
    answer=CHANGE,
    commands=("report-mistake",),
    tag="lists",
)
