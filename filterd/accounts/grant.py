# SPDX-License-Identifier: Apache-2.0
"""What a token grants: its rights, what needs a password too, and its scope. Pure.

A web process that has been taken over acts with every session that passes through it. The
commands of ``NEEDS_PASSWORD`` would let it stay, see everything or remove its traces; so a session
asks for the password again. The one table holds for forms, for API tokens, which have none of it,
and at the gateway, where an administrator has to be root (``daemon.handlers.control_caller``).

A scope narrows what the role of an API token may do; it gives no right. A change counts by its
kind, ``change exception``; an undo takes back any kind, so that no narrow scope has it. A command
that stands in no scope, such as a new one, is in ``all`` only.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.overrides.changes.log_changes import CONFIRM, LEVEL
from filterd.overrides.history.history_chain import CLOCK_ACCEPTED
from filterd.policy.log_levels import PROVED, LogLevel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from filterd.overrides.rights.roles import Role


class AuthorChannel(StrEnum):
    """The way by which a person's command comes; the history shows it before the name."""

    WEB = "web"
    API = "api"


class Grant(NamedTuple):
    """The rights of a token, at this moment.

    Attributes:
        account: its name.
        roles: of the account, for an API token those that it was made with.
        channel: how the command comes.
        is_fresh: whether the password was given within the last minutes.
        holds: whether the rights are still there, for a stream that goes on; to ask is no use
            of the session, which may end meanwhile.
    """

    account: str
    roles: frozenset[Role]
    channel: AuthorChannel = AuthorChannel.WEB
    is_fresh: bool = False
    holds: Callable[[], bool] = lambda: True

    @property
    def author(self) -> str:
        """The name in the history: ``web:lan``."""
        return f"{self.channel}:{self.account}"


NO_GRANT = Grant("", frozenset())
"""Of a person who has not signed in: no right at all."""


FRESH_S = 300.0
"""How long a password counts as given a moment ago."""

_ADMITS = frozenset(
    {
        "account add",
        "account passwd",
        "account roles",
        "account disable",  # it shuts others out
        "account enable",
        "account totp",
        "account recovery",
        "account code",
        "account recover",
        "account token-add",
        "account device-code",
        "account device-confirm",
    }
)
"""Let a person or a program in, or give rights. To revoke needs none: a lost phone is revoked at
once."""
_WIDENS = frozenset({"site-apply", "feed approve", "lists unfollow", "lists exclude"})
"""A site that is edited decides from which networks people sign in. What the guard holds, a list
that is followed no more and an entry that is left out may open names to everybody."""
_DELETES = frozenset({"log forget", "log purge"})
"""A log that is removed cannot be had again; to forget one day after the other removes all."""
NEEDS_PASSWORD = _ADMITS | _WIDENS | _DELETES
"""What opens a guarded category, or has the log count nothing, needs it, too, by its effect
(``overrides.rights.permissions``)."""


def needs_password(command: str, arguments: Mapping[str, Any]) -> bool:
    """Return whether a command needs the password.

    It is one of the table, or a change to a level of the log that widens or deletes, or to the
    time: policy time never goes back, and what ended with it stays ended.
    """
    if command == "change":
        kind, level = arguments.get("kind"), arguments.get("level", LogLevel.FULL)
        return kind in (CONFIRM, CLOCK_ACCEPTED) or (kind == LEVEL and level in PROVED)
    return command in NEEDS_PASSWORD


def needs_root(command: str, arguments: Mapping[str, Any]) -> bool:
    """Return whether a command needs root at the gateway.

    All that needs a password does, but for one: ``full`` is confirmed by a second person, and root
    is none.
    """
    is_second = command == "change" and arguments.get("kind") == CONFIRM
    return needs_password(command, arguments) and not is_second


OPEN = frozenset(
    {
        "school",
        "admit",
        "login",
        "login-code",
        "login-pin",
        "account device-redeem",
    }
)
"""Commands that a browser may ask without a session."""
OF_SESSIONS = frozenset({"logout", "logout-others", "confirm-password"})

_ALWAYS = frozenset({"session", "ping", "clock", "ids"})
_REPORTS = frozenset({"report-period", "report-facts", "report-settings", "report-template"})
_TOTALS = frozenset({"status", "log totals", "log export"}) | _REPORTS
_LISTS = frozenset({"lists", "lists-search", "lists-sources", "feed-history", "mistakes", "check"})
_EXCEPTIONS = frozenset(
    {
        "exceptions",
        "overrides",
        "check",
        "change exception",
        "change exceptions",
        "change pause",
        "change revoke",
    }
)
_LOG = frozenset(
    {"log search", "log top", "log new", "log why", "log names", "log class", "log-follow"}
)
_READ = frozenset(
    {
        "overrides",
        "log levels",
        "exceptions",
        "exams",
        "history",
        "history-check",
        "history-verify",
        "policy",
        "policies",
        "policy-matrix",
        "school-week",
        "expectations",
        "devices",
        "devices unknown",
        "room-seen",
        "self-test",
        "inspection",
    }
)

SCOPES: dict[str, frozenset[str] | None] = {
    "totals": _ALWAYS | _TOTALS,
    "lists": _ALWAYS | _LISTS,
    "exceptions": _ALWAYS | _EXCEPTIONS,
    "log": _ALWAYS | _LOG,
    "all-read": _ALWAYS | _TOTALS | _LISTS | _LOG | _READ,
    "all": None,
}
"""None: all that the role may do, but nothing that needs a password, and no accounts."""


def is_in_scope(scope: str, command: str, arguments: Mapping[str, Any]) -> bool:
    """Return whether a token of this scope may ask for a command."""
    if command in OF_SESSIONS or command.startswith("account "):
        return False
    if needs_password(command, arguments):
        return False
    commands = SCOPES.get(scope, frozenset())
    key = f"change {arguments.get('kind')}" if command == "change" else command
    return commands is None or key in commands
