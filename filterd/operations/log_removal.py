# SPDX-License-Identifier: Apache-2.0
"""Remove names and rows from the query log."""

from __future__ import annotations

from typing import Annotated

from filterd.base.value_class import frozen
from filterd.operations.operation import ADMINS, Operation
from filterd.operations.parameters.day import DAY
from filterd.operations.parameters.scalar import Text
from filterd.operations.parameters.sought_names import ALL_NAMES, SoughtNames, SoughtNamesField
from filterd.operations.request import OperationRequest, Reason


@frozen
class RemovedLookups:
    """The kind of thing that was removed, and how many rows; None for not counted.

    The days ``unreadable`` could not be searched, and were removed whole.
    """

    removed: str
    rows: int | None
    unreadable: tuple[str, ...]


@frozen(kw_only=True)
class ForgetLookups(OperationRequest[RemovedLookups], command="log forget", is_guarded=True):
    """Remove one of a name, a device and a day."""

    names: Annotated[SoughtNames, SoughtNamesField(has_parts=False)] = ALL_NAMES
    device: Annotated[str, Text(64, about="Its MAC or address")] = ""
    day: Annotated[str, DAY] = ""
    reason: Reason

    @property
    def things(self) -> list[str]:
        """What is to be removed; the manager removes one thing."""
        given = {"name": self.names.name, "device": self.device, "day": self.day}
        return [key for key, value in given.items() if value]


@frozen(kw_only=True)
class PurgeLog(OperationRequest[RemovedLookups], command="log purge", is_guarded=True):
    """Remove all names and rows."""

    reason: Reason


FORGET = Operation(
    name="forgetLog",
    method="POST",
    path="/log/forget",
    about="Remove a name, today's rows of a device, or a day from the log.",
    request=ForgetLookups,
    roles=ADMINS,
    answer=RemovedLookups,
    commands=("log forget",),
    tag="log",
)
PURGE = Operation(
    name="purgeLog",
    method="POST",
    path="/log/purge",
    about="Remove all names and rows from the log; totals stay.",
    request=PurgeLog,
    roles=ADMINS,
    answer=RemovedLookups,
    commands=("log purge",),
    tag="log",
)
