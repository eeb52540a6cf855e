# SPDX-License-Identifier: Apache-2.0
"""Allow, block and pause for a time; read and end what that has set."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from filterd.accounts.grant import TokenScope
from filterd.base.value_class import frozen
from filterd.operations.answers import AT, FLAG, TEXT, each, maybe, record, rows, with_state
from filterd.operations.changes import CHANGE, NUMBER_OF_CHANGE
from filterd.operations.operation import TEACHERS, Operation
from filterd.operations.parameters.audience import EVERYBODY, AudienceField, ChangeAudience
from filterd.operations.parameters.command_word import SWITCH, argument
from filterd.operations.parameters.scalar import Flag, Whole
from filterd.operations.parameters.target import TARGETS, are_entries, read_targets
from filterd.operations.parameters.term import OPEN, Term, TermFields
from filterd.operations.policy import ReadOfPolicy
from filterd.operations.request import OperationRequest, Reason, RequestedChange
from filterd.overrides.target_text import Target
from filterd.policy.temporary_rules import LocalException

_LONGEST_PAUSE_S = 3_600
_ONE, _SEVERAL = "exception", "exceptions"


@frozen(kw_only=True)
class ReadExceptions(OperationRequest[Any], command="exceptions", scopes=(TokenScope.EXCEPTIONS,)):
    """The exceptions with states."""

    all_: Annotated[bool, Flag("Include those that have ended"), SWITCH] = False


@frozen(kw_only=True)
class SetTargets(RequestedChange, scopes=(TokenScope.EXCEPTIONS,)):
    """Allow or block targets; only entries of lists need no end."""

    opens: ClassVar[bool]
    targets: Annotated[tuple[Target, ...], TARGETS]
    audience: Annotated[ChangeAudience, AudienceField()] = EVERYBODY
    term: Annotated[Term, TermFields(may_be_open=True)] = OPEN
    reason: Reason

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Return the change with these checked values."""
        targets = tuple(read_targets(values.pop("targets"), opens=cls.opens))
        audience = ChangeAudience.take(values)
        term = Term.take(values, may_be_open=are_entries(targets))
        return cls(targets=targets, audience=audience, term=term, **values)

    @classmethod
    def sent_as(cls) -> tuple[str, ...]:
        """Return its keys in ``scopes``."""
        return tuple(f"{cls.command} {kind}" for kind in (_ONE, _SEVERAL))

    @property
    def change(self) -> tuple[str, dict[str, Any]]:
        """What ``SetException`` reads, or of several targets ``SetExceptions``."""
        how = {"allow": self.opens, **self.audience.payload, **self.term.payload}
        if len(self.targets) == 1:
            kind, target = self.targets[0]
            return _ONE, {"target_kind": str(kind), "target": target, **how}
        return _SEVERAL, {"targets": [[str(kind), one] for kind, one in self.targets], **how}


@frozen(kw_only=True)
class Allow(SetTargets):
    """Allow targets."""

    opens: ClassVar[bool] = True


@frozen(kw_only=True)
class Block(SetTargets):
    """Block targets."""

    opens: ClassVar[bool] = False


@frozen(kw_only=True)
class Pause(RequestedChange, kind="pause", scopes=(TokenScope.EXCEPTIONS,)):
    """Open all that is not locked."""

    audience: Annotated[ChangeAudience, AudienceField()] = EVERYBODY
    for_s: Annotated[float, Whole(60, _LONGEST_PAUSE_S)]
    reason: Reason


@frozen(kw_only=True)
class Revoke(RequestedChange, kind="revoke", scopes=(TokenScope.EXCEPTIONS,)):
    """End what a change has set."""

    id: Annotated[
        int, NUMBER_OF_CHANGE, argument("NUMBER", "Number from `filterd exceptions list`.")
    ]


EXCEPTIONS = Operation(
    name="readExceptions",
    method="GET",
    path="/exceptions",
    about="What `allow`, `block` and `pause` have set, with states.",
    request=ReadExceptions,
    answer=rows(with_state(LocalException)),
    commands=("exceptions list",),
    tag="exceptions",
)
FILE_EXCEPTIONS = Operation(
    name="readFileExceptions",
    method="GET",
    path="/exceptions/files",
    about="The exceptions of the site's files that have not ended, with states.",
    request=ReadOfPolicy,
    answer=rows(
        record(
            {
                **each(TEXT, "kind", "target", "audience", "whom", "author", "reason", "state"),
                "allow": FLAG,
                **each(maybe(AT), "starts_at", "ends_at"),
            }
        )
    ),
    commands=("exceptions list",),
    tag="exceptions",
)
ALLOW = Operation(
    name="allow",
    method="POST",
    path="/exceptions/allow",
    about="Allow names, services or categories for a time.",
    request=Allow,
    roles=TEACHERS,
    answer=CHANGE,
    commands=("allow",),
    tag="exceptions",
)
BLOCK = Operation(
    name="block",
    method="POST",
    path="/exceptions/block",
    about="Block names, services or categories for a time.",
    request=Block,
    roles=TEACHERS,
    answer=CHANGE,
    commands=("block",),
    tag="exceptions",
)
PAUSE = Operation(
    name="pause",
    method="POST",
    path="/exceptions/pause",
    about="Open everything that is not locked, for some minutes.",
    request=Pause,
    roles=TEACHERS,
    answer=CHANGE,
    commands=("pause",),
    tag="exceptions",
)
REVOKE = Operation(
    name="revoke",
    method="POST",
    path="/exceptions/{id}/revoke",
    about="End an exception, or the setting of a room, a grade, a class or the log.",
    request=Revoke,
    roles=TEACHERS,
    answer=CHANGE,
    commands=("exceptions revoke",),
    tag="exceptions",
)
