# SPDX-License-Identifier: Apache-2.0
"""Follow lookups as they happen."""

from __future__ import annotations

from typing import Annotated, Any

from filterd.accounts.grant import TokenScope
from filterd.base.value_class import frozen
from filterd.operations.answers import AT, FLAG, TEXT, WHOLE, each, maybe, record, rows, table
from filterd.operations.log import ACTION, CATEGORY
from filterd.operations.operation import Operation
from filterd.operations.parameters.scalar import Whole
from filterd.operations.parameters.seat import CLASS, GRADE
from filterd.operations.request import OperationRequest
from filterd.overrides.rights.read_access import READERS, View
from filterd.policy.log_levels import LogLevel

_EVENT = {
    **each(WHOLE, "id", "n", "skipped"),
    "at": AT,
    **each(TEXT, "grade", "category", "action", "name", "class"),
    "device": maybe(WHOLE),
    "levels": table(LogLevel),
    "shows_rows": FLAG,
}
"""See ``daemon.live_lookups``."""


@frozen(kw_only=True)
class FollowLog(OperationRequest[list[Any]], command="log-follow", scopes=(TokenScope.LOG,)):
    """Events from now on, or behind the one with the id ``since``; empty: all of them."""

    class_: Annotated[str, CLASS] = ""
    grade: Annotated[str, GRADE] = ""
    category: Annotated[str, CATEGORY] = ""
    action: Annotated[str, ACTION] = ""
    since: Annotated[int | None, Whole(about="The id of the last event that is there already")] = (
        None
    )


LIVE = Operation(
    name="followLog",
    method="GET",
    path="/log/live",
    about="What happens now (SSE): lookups to admins by level; to teachers blocks of own classes.",
    request=FollowLog,
    roles=READERS[View.LIVE],
    answer=rows(record(_EVENT, tuple(_EVENT))),
    commands=("log tail",),
    tag="log",
)
