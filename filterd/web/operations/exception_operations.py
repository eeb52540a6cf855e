# SPDX-License-Identifier: Apache-2.0
"""Operations on exceptions: allow, block, pause, revoke."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.overrides.override_states import with_states
from filterd.policy.temporary_rules import LocalException, TargetKind
from filterd.web.answers import TEXT, of, record, rows
from filterd.web.operation import TEACHERS, Operation
from filterd.web.parameters import Fields, Flag, Whole
from filterd.web.school_state import overrides_of, policy_time
from filterd.web.wanted_change import (
    CHANGE,
    FOR_WHOM,
    NUMBER_OF_CHANGE,
    REASON,
    TARGETS,
    TERM,
    change,
    changes,
    done,
    take_audience,
    take_targets,
    take_term,
)

if TYPE_CHECKING:
    from filterd.web.parameters import Schema
    from filterd.web.visitor import Visitor

MOST_CHANGES = 100_000
_LONGEST_PAUSE_S = 3_600


def with_state(schema: Schema) -> Schema:
    """Return the schema of a thing that has a state, too."""
    return record(
        {**schema["properties"], "state": TEXT},
        [one for one in schema["properties"] if one not in schema["required"]],
    )


async def with_states_of(visitor: Visitor, kind: str, given: dict[str, Any]) -> Any:
    """Return exceptions or exams with states; with ``all`` those that have ended."""
    now = await policy_time(visitor)
    past = await visitor.ask("history", limit=MOST_CHANGES) if given.get("all") else None
    return with_states(await overrides_of(visitor), kind, now, past)


async def _exceptions(visitor: Visitor, given: dict[str, Any]) -> Any:
    return await with_states_of(visitor, "exceptions", given)


async def _allow(visitor: Visitor, given: dict[str, Any]) -> Any:
    return await _set(visitor, given, allow=True)


async def _block(visitor: Visitor, given: dict[str, Any]) -> Any:
    return await _set(visitor, given, allow=False)


async def _set(visitor: Visitor, given: dict[str, Any], *, allow: bool) -> Any:
    targets = take_targets(given, opens=allow)
    # Entries end after 14 days.
    may_be_open = all(target.kind is TargetKind.ENTRY for target in targets)
    how = {
        "allow": allow,
        **take_audience(given),
        **take_term(given, may_be_open=may_be_open),
    }
    if len(targets) == 1:
        kind, target = targets[0]
        return await change(
            visitor, "exception", given, target_kind=str(kind), target=target, **how
        )
    return await change(
        visitor, "exceptions", given, targets=[[str(kind), one] for kind, one in targets], **how
    )


async def _pause(visitor: Visitor, given: dict[str, Any]) -> Any:
    return await change(visitor, "pause", given, **take_audience(given))


ALL = Fields({"all": Flag("Include those that have ended")})
_SET = Fields(
    {"targets": TARGETS, "for_whom": FOR_WHOM, **TERM, "reason": REASON}, ("targets", "reason")
)
OF_CHANGE = Fields({"id": NUMBER_OF_CHANGE, "reason": REASON}, ("id",))

EXCEPTIONS = Operation(
    name="readExceptions",
    method="GET",
    path="/exceptions",
    about="What `allow`, `block` and `pause` have set, with states.",
    run=_exceptions,
    fields=ALL,
    answer=rows(with_state(of(LocalException))),
    commands=("exceptions list",),
    tag="exceptions",
)
ALLOW = Operation(
    name="allow",
    method="POST",
    path="/exceptions/allow",
    about="Allow names, services or categories for a time.",
    run=_allow,
    fields=_SET,
    roles=TEACHERS,
    answer=CHANGE,
    commands=("allow",),
    tag="exceptions",
    done=done,
)
BLOCK = Operation(
    name="block",
    method="POST",
    path="/exceptions/block",
    about="Block names, services or categories for a time.",
    run=_block,
    fields=_SET,
    roles=TEACHERS,
    answer=CHANGE,
    commands=("block",),
    tag="exceptions",
    done=done,
)
PAUSE = Operation(
    name="pause",
    method="POST",
    path="/exceptions/pause",
    about="Open everything that is not locked, for some minutes.",
    run=_pause,
    fields=Fields(
        {"for_whom": FOR_WHOM, "for_s": Whole(60, _LONGEST_PAUSE_S), "reason": REASON},
        ("for_s", "reason"),
    ),
    roles=TEACHERS,
    answer=CHANGE,
    commands=("pause",),
    tag="exceptions",
    done=done,
)
REVOKE = Operation(
    name="revoke",
    method="POST",
    path="/exceptions/{id}/revoke",
    about="End an exception, or the setting of a room, a grade, a class or the log.",
    run=changes("revoke"),
    fields=OF_CHANGE,
    roles=TEACHERS,
    answer=CHANGE,
    commands=("exceptions revoke",),
    tag="exceptions",
    done=done,
)

OPERATIONS = (
    EXCEPTIONS,
    ALLOW,
    BLOCK,
    PAUSE,
    REVOKE,
)
