# SPDX-License-Identifier: Apache-2.0
"""Operations that show the school at present."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.web.operation import ROWS, Operation
from filterd.web.parameters import Fields, Flag, Whole

if TYPE_CHECKING:
    from filterd.web.visitor import Visitor


async def _status(visitor: Visitor, _: dict[str, Any]) -> Any:
    return await visitor.ask("status", totals_old_s=60)


async def _totals(visitor: Visitor, given: dict[str, Any]) -> Any:
    return await visitor.ask("log totals", **given)


STATUS = Operation(
    name="readStatus",
    method="GET",
    path="/status",
    about="The school at present: lists, upstreams, blocks today, rooms, exams, problems.",
    run=_status,
    answer={"type": "object"},
    commands=("status",),
)
TOTALS = Operation(
    name="readTotals",
    method="GET",
    path="/log/totals",
    about="Answers and blocks by day or hour, of the school, a tier or a grade.",
    run=_totals,
    fields=Fields({"days": Whole(1, 400), "by_hour": Flag()}),
    answer=ROWS,
    commands=("log totals",),
    tag="log",
)

OPERATIONS = (STATUS, TOTALS)
