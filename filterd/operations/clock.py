# SPDX-License-Identifier: Apache-2.0
"""Read whether the machine's clock is believed, and believe it."""

from __future__ import annotations

from typing import Any

from filterd.accounts.grant import EVERY_SCOPE
from filterd.base.value_class import frozen
from filterd.operations.answers import AT, TEXT, WHOLE, maybe, record
from filterd.operations.changes import CHANGE
from filterd.operations.operation import ADMINS, Operation
from filterd.operations.request import OperationRequest, Reason, RequestedChange

CLOCK_FACTS = record(
    {
        "standing": TEXT,
        "shows": AT,
        "policy_time": maybe(AT),
        "floor": AT,
        "not_before": AT,
        "since": WHOLE,
    }
)


@frozen(kw_only=True)
class ReadClock(OperationRequest[dict[str, Any]], command="clock", scopes=EVERY_SCOPE):
    """How the clock stands, and the time that policy goes by."""


@frozen(kw_only=True)
class AcceptClock(RequestedChange, kind="clock-accept", is_guarded=True):
    """Believe the clock of the machine from now on."""

    reason: Reason


CLOCK = Operation(
    name="readClock",
    method="GET",
    path="/clock",
    about="Whether the machine's clock is believed, and the time that policy goes by.",
    request=ReadClock,
    answer=CLOCK_FACTS,
    commands=("status",),
)
ACCEPT_CLOCK = Operation(
    name="acceptClock",
    method="POST",
    path="/clock/accept",
    about="Believe the clock of the machine from now on.",
    request=AcceptClock,
    roles=ADMINS,
    answer=CHANGE,
    commands=("clock accept",),
)
