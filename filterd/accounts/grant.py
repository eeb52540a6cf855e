# SPDX-License-Identifier: Apache-2.0
"""What a token grants: its rights, and its scope. Pure.

A web process that has been taken over acts with every session that passes through it. Some
commands would let it stay, see everything or remove its traces; so a session asks for the password
again. One table holds for forms, for API tokens, which have none of it, and at the gateway, where
an administrator has to be root (``operations.scopes``).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

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


class TokenScope(StrEnum):
    """What an API token may do of what its role may; it gives no right.

    ``ALL_READ`` has what the others read. ``ALL`` is all that the role may do, but nothing that
    needs a password, and no accounts.
    """

    TOTALS = "totals"
    LISTS = "lists"
    EXCEPTIONS = "exceptions"
    LOG = "log"
    ALL_READ = "all-read"
    ALL = "all"


EVERY_SCOPE = tuple(TokenScope)
