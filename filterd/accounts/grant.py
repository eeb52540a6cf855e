# SPDX-License-Identifier: Apache-2.0
"""What a token grants: the rights by which a command is judged. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.overrides.roles import Role


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
