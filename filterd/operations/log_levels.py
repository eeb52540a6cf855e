# SPDX-License-Identifier: Apache-2.0
"""Read, set and confirm how much the query log keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from filterd.accounts.grant import TokenScope
from filterd.base.value_class import frozen
from filterd.operations.answers import TEXT, maybe, record, rows
from filterd.operations.changes import CHANGE, NUMBER_OF_CHANGE
from filterd.operations.operation import ADMINS, Operation
from filterd.operations.parameters.command_word import argument
from filterd.operations.parameters.scalar import Choice, Whole
from filterd.operations.parameters.seat import TIER
from filterd.operations.parameters.time import Time
from filterd.operations.request import OperationRequest, Reason, RequestedChange
from filterd.overrides.changes.log_changes import CONFIRM, LEVEL
from filterd.overrides.rights.roles import Role
from filterd.policy.log_levels import PROVED, LogLevel
from filterd.policy.temporary_rules import LogSetting

if TYPE_CHECKING:
    from collections.abc import Mapping


@frozen
class ReadLogLevels(
    OperationRequest[dict[str, Any]], command="log levels", scopes=(TokenScope.ALL_READ,)
):
    """The level of each tier, and what waits for a second person."""


@frozen(kw_only=True)
class ChangeLogLevel(RequestedChange, kind=LEVEL):
    """Set the level of a tier, of every tier where ``tier`` is empty."""

    level: Annotated[str, Choice(tuple(one.value for one in LogLevel))]
    tier: Annotated[str, TIER] = ""
    ends_at: Annotated[float | None, Time("The end")] = None
    for_s: Annotated[
        float | None, Whole(60, 90 * 86_400, "The length in seconds, instead of an end")
    ] = None
    reason: Reason

    @classmethod
    def needs_password(cls, given: Mapping[str, Any]) -> bool:
        """Return whether the level shows all, or has the log count nothing."""
        return given.get("level", LogLevel.FULL) in PROVED


@frozen(kw_only=True)
class ConfirmLogLevel(RequestedChange, kind=CONFIRM, is_guarded=True):
    """Confirm the level ``full`` that another person has set."""

    id: Annotated[int, NUMBER_OF_CHANGE, argument("NUMBER", "Number from `filterd log level`.")]


LEVELS = Operation(
    name="readLogLevels",
    method="GET",
    path="/log/levels",
    about="How much is kept of the lookups of each tier, and what waits for a second person.",
    request=ReadLogLevels,
    answer=record(
        {
            "tiers": rows(
                record(
                    {
                        "tier": TEXT,
                        "level": LogLevel,
                        "files": LogLevel,
                        "setting": maybe(LogSetting),
                    }
                )
            ),
            "waiting": rows(LogSetting),
        }
    ),
    commands=("log level",),
    tag="log",
)
SET_LEVEL = Operation(
    name="setLogLevel",
    method="POST",
    path="/log/levels",
    about="Set how much is kept of the lookups of a tier; `full` waits for a second person.",
    request=ChangeLogLevel,
    roles=ADMINS,
    answer=CHANGE,
    commands=("log level",),
    tag="log",
)
CONFIRM_LEVEL = Operation(
    name="confirmLogLevel",
    method="POST",
    path="/log/levels/{id}/confirm",
    about="Confirm the level `full` that another person has set.",
    request=ConfirmLogLevel,
    roles=frozenset((Role.PRINCIPAL, Role.ADMIN)),
    answer=CHANGE,
    commands=("log confirm",),
    tag="log",
)
