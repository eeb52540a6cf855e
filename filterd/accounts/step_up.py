# SPDX-License-Identifier: Apache-2.0
"""THE table of the commands that need a password given a moment ago. Pure.

A web process that has been taken over acts with every session that passes through it. These
commands would let it stay, or see everything; so a session asks for the password again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.overrides.log_changes import CONFIRM, LEVEL
from filterd.policy.log_levels import LogLevel

if TYPE_CHECKING:
    from collections.abc import Mapping

FRESH_S = 300.0
"""How long a password counts as given a moment ago."""

NEEDS_PASSWORD = frozenset(
    {
        "account add",
        "account passwd",
        "account roles",
        "account disable",
        "account enable",
        "account totp",
        "account recovery",
        "account code",
        "account recover",
        "account token-add",
        "account device-code",
        "account device-confirm",
        "log purge",
        "site-apply",
    }
)
"""To revoke needs none: a lost phone is revoked at once. A site that is edited decides from which
networks people sign in; a log that is removed cannot be had again."""


def needs_password(command: str, arguments: Mapping[str, Any]) -> bool:
    """Return whether a command needs the password.

    It is one of the table, or a change to the level ``full``.
    """
    if command == "change":
        kind, level = arguments.get("kind"), arguments.get("level", LogLevel.FULL)
        return kind == CONFIRM or (kind == LEVEL and level == LogLevel.FULL)
    return command in NEEDS_PASSWORD
