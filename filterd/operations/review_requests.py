# SPDX-License-Identifier: Apache-2.0
"""Read, approve and refuse what classes ask the school to open."""

from __future__ import annotations

from typing import Annotated, Any

from filterd.base.value_class import frozen
from filterd.operations.answers import record, rows
from filterd.operations.changes import CHANGE
from filterd.operations.operation import TEACHERS, Operation
from filterd.operations.parameters.command_word import argument
from filterd.operations.parameters.scalar import Flag, Whole
from filterd.operations.parameters.term import Term, TermFields
from filterd.operations.request import OperationRequest, Reason
from filterd.overrides import review_requests
from filterd.overrides.review_requests import PupilRequest
from filterd.texts.i18n import say

_NUMBER = Whole(1, about="The number of a request")


@frozen
class ReadRequests(OperationRequest[tuple[PupilRequest, ...]], command="requests list"):
    """Show which closed names classes ask for, with the reason from the list and how often.

    A request has no pupil and no device. A teacher sees those of own classes. A request ends by
    itself after 30 days. Exit code 0: shown; 2: an error.
    """


@frozen(kw_only=True)
class ApproveRequest(OperationRequest[dict[str, Any]], command="requests approve"):
    """Make the exception that a request asks for."""

    id: Annotated[int, _NUMBER]
    for_tier: Annotated[bool, Flag("To the whole tier")] = False
    term: Annotated[Term, TermFields()]
    reason: Reason


@frozen
class RefusedRequest:
    """The request that was refused."""

    request: PupilRequest


@frozen(kw_only=True)
class RefuseRequest(OperationRequest[RefusedRequest], command="requests refuse"):
    """Refuse a request; the reason stands in the history.

    Exit code 0: done; 2: an error.
    """

    id: Annotated[int, _NUMBER, argument("NUMBER", "Number from `filterd requests list`.")]
    reason: Reason


REQUESTS = Operation(
    name="readRequests",
    method="GET",
    path="/requests",
    about="Closed names that classes ask for; a teacher reads those of own classes.",
    request=ReadRequests,
    roles=TEACHERS,
    answer=rows(PupilRequest),
    commands=("requests list",),
    tag="exceptions",
    listing=review_requests.REQUESTS,
)
APPROVE = Operation(
    name="approveRequest",
    method="POST",
    path="/requests/{id}/approve",
    about="Open the name of a request to its class, or to the whole tier, for a time.",
    request=ApproveRequest,
    roles=TEACHERS,
    answer=CHANGE,
    commands=("requests approve",),
    tag="exceptions",
)
REFUSE = Operation(
    name="refuseRequest",
    method="POST",
    path="/requests/{id}/refuse",
    about="Refuse a request; the reason stands in the history.",
    request=RefuseRequest,
    roles=TEACHERS,
    answer=record({"request": PupilRequest}),
    commands=("requests refuse",),
    tag="exceptions",
    sentence=lambda done: say("request {number} is refused", number=done.request.id),
)
