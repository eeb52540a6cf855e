# SPDX-License-Identifier: Apache-2.0
"""Operations on the requests of pupils for review: read, approve, refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.i18n import say
from filterd.overrides.review_requests import PupilRequest
from filterd.web.answers import of, record, rows
from filterd.web.operation import TEACHERS, Operation, asks
from filterd.web.parameters import Fields, Flag, Whole
from filterd.web.wanted_change import CHANGE, REASON, TERM, done, take_term

if TYPE_CHECKING:
    from filterd.i18n import Sentence
    from filterd.web.visitor import Visitor

_NUMBER = Whole(1, about="The number of a request")


async def _approve(visitor: Visitor, given: dict[str, Any]) -> Any:
    term = take_term(given)
    return await visitor.ask("requests approve", **given, **term)


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

OPERATIONS = (REQUESTS, APPROVE, REFUSE)
