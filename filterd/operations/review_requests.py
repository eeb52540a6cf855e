# SPDX-License-Identifier: Apache-2.0
"""Read, approve and refuse what classes ask the school to open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from filterd.operations.answers import of, record, rows
from filterd.operations.changes import CHANGE
from filterd.operations.operation import TEACHERS, Operation
from filterd.operations.parameters.scalar import Flag, Whole
from filterd.operations.parameters.term import Term, TermFields
from filterd.operations.request import OperationRequest, Reason
from filterd.overrides.review_requests import PupilRequest

_NUMBER = Whole(1, about="The number of a request")


@dataclass(frozen=True, slots=True)
class ReadRequests(OperationRequest[tuple[PupilRequest, ...]], command="requests list"):
    """The open requests on which the person may decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveRequest(OperationRequest[dict[str, Any]], command="requests approve"):
    """Make the exception that a request asks for."""

    id: Annotated[int, _NUMBER]
    for_tier: Annotated[bool, Flag("To the whole tier")] = False
    term: Annotated[Term, TermFields()]
    reason: Reason


@dataclass(frozen=True, slots=True)
class RefusedRequest:
    """The request that was refused."""

    request: PupilRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseRequest(OperationRequest[RefusedRequest], command="requests refuse"):
    """Refuse a request."""

    id: Annotated[int, _NUMBER]
    reason: Reason


REQUESTS = Operation(
    name="readRequests",
    method="GET",
    path="/requests",
    about="Closed names that classes ask for; a teacher reads those of own classes.",
    request=ReadRequests,
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
    answer=record({"request": of(PupilRequest)}),
    commands=("requests refuse",),
    tag="exceptions",
)
