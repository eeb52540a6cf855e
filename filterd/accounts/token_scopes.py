# SPDX-License-Identifier: Apache-2.0
"""THE tables of open commands, and of those of API tokens by scope. Pure.

A scope narrows what the role of a token may do; it gives no right. A change counts by its kind,
``change exception``; an undo takes back any kind, so that no narrow scope has it. A command that
stands in no scope, such as a new one, is in ``all`` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.accounts.step_up import NEEDS_PASSWORD, needs_password

if TYPE_CHECKING:
    from collections.abc import Mapping

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
"""Commands that a browser may ask before anyone has signed in."""
OF_SESSIONS = frozenset({"logout", "logout-others", "confirm-password"})

_ALWAYS = frozenset({"session", "ping", "clock", "ids"})
_REPORTS = frozenset({"report-period", "report-facts", "report-settings", "report-template"})
_TOTALS = frozenset({"status", "log totals", "log export"}) | _REPORTS
_LISTS = frozenset({"lists", "lists-search", "lists-sources", "feed-history", "mistakes", "check"})
_EXCEPTIONS = frozenset(
    {
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
        "history",
        "history-check",
        "history-verify",
        "policy",
        "policies",
        "policy-matrix",
        "school-week",
        "expectations",
        "devices",
        "room-seen",
        "alert-settings",
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
    if command in OF_SESSIONS or command in NEEDS_PASSWORD or command.startswith("account "):
        return False
    if needs_password(command, arguments):
        return False
    commands = SCOPES.get(scope, frozenset())
    key = f"change {arguments.get('kind')}" if command == "change" else command
    return commands is None or key in commands
