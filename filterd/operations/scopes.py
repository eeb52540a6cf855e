# SPDX-License-Identifier: Apache-2.0
"""Work out which requests sessions and tokens may send, as each says of itself.

A request counts by its command, a change by its kind: ``change exception``. One that says nothing
of scopes, such as a new one, is for sessions and tokens of ``all`` only; an undo takes back any
kind of change, so that no narrow scope has it.

What is guarded lets a person or a program in or gives rights; widens what opens; or removes a log,
which cannot be had again. To revoke is not guarded: a lost phone is revoked at once. What opens a
guarded category needs the password too, by its effect (``overrides.rights.permissions``).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from filterd.accounts.grant import TokenScope
from filterd.operations.request import CHANGE_COMMAND, OperationRequest, RequestedChange
from filterd.operations.subjects import SUBJECTS
from filterd.overrides.changes.log_changes import CONFIRM

if TYPE_CHECKING:
    from collections.abc import Mapping

Kinds = frozenset[type[OperationRequest[Any]]]


def _requests() -> dict[str, Kinds]:
    found = defaultdict[str, set[type[OperationRequest[Any]]]](set)
    for one in (one for subject in SUBJECTS for one in vars(subject).values()):
        if isinstance(one, type) and issubclass(one, OperationRequest):
            for key in one.sent_as():
                found[key].add(one)
    return {key: frozenset(kinds) for key, kinds in found.items()}


REQUESTS = _requests()
"""The requests by their keys; several are one command with more or fewer fields."""
OPEN = frozenset(key for key, kinds in REQUESTS.items() if any(one.is_open for one in kinds))
"""Commands that a browser may ask without a session."""


def needs_password(command: str, arguments: Mapping[str, Any]) -> bool:
    """Return whether a command needs the password."""
    return any(one.needs_password(arguments) for one in _asked(command, arguments))


def needs_root(command: str, arguments: Mapping[str, Any]) -> bool:
    """Return whether a command needs root at the gateway.

    All that needs a password does, but for one: ``full`` is confirmed by a second person, and root
    is none.
    """
    is_second = command == CHANGE_COMMAND and arguments.get("kind") == CONFIRM
    return needs_password(command, arguments) and not is_second


def is_in_scope(scope: str, command: str, arguments: Mapping[str, Any]) -> bool:
    """Return whether a token of this scope may ask for a command."""
    asked = _asked(command, arguments)
    if command.startswith("account ") or any(one.is_of_session for one in asked):
        return False
    if needs_password(command, arguments):
        return False
    return scope == TokenScope.ALL or any(_has(scope, one) for one in asked)


def _has(scope: str, kind: type[OperationRequest[Any]]) -> bool:
    reads = bool(kind.scopes) and not issubclass(kind, RequestedChange)
    return scope in kind.scopes or (scope == TokenScope.ALL_READ and reads)


def _asked(command: str, arguments: Mapping[str, Any]) -> Kinds:
    key = f"{command} {arguments.get('kind')}" if command == CHANGE_COMMAND else command
    return REQUESTS.get(key, frozenset())
