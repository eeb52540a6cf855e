# SPDX-License-Identifier: Apache-2.0
"""Decide what a person may do by a request: by a session, or by an API token."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

from filterd.accounts.account import (
    Account,
    by_secret,
)
from filterd.accounts.grant import NO_GRANT, AuthorChannel, Grant
from filterd.accounts.sessions import SignInError, sign_in_again
from filterd.accounts.sign_in_delays import not_admitted
from filterd.base.errors import ControlError
from filterd.daemon.handlers.account_state import (
    AccountState,
    Cookies,
    is_within,
)
from filterd.daemon.handlers.api_token_commands import PREFIX
from filterd.daemon.handlers.control_caller import PAGE_COMMANDS
from filterd.operations.scopes import OPEN, is_in_scope, needs_password
from filterd.overrides.rights.roles import PasswordNeededError, Role
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.accounts.account import ApiToken
    from filterd.control.frames import ControlRequest
    from filterd.daemon.handlers.control_caller import Caller


class AccountGrants:
    """What those may do who have signed in.

    Args:
        state: of the accounts.
        note_use: of an API token.
    """

    def __init__(self, state: AccountState, note_use: Callable[[ApiToken], None]) -> None:
        self._state, self._note_use = state, note_use

    def granting(self, request: ControlRequest, caller: Caller) -> Grant:
        """Return what a person may do by a request; see ``control_server.Granting``."""
        command, cookies = request.command, Cookies.of(caller.token)
        if command in OPEN or command.startswith(PAGE_COMMANDS):
            return NO_GRANT
        if not cookies.token:
            raise SignInError(say("sign in first"))
        if cookies.token.startswith(PREFIX):
            return self._to_token(cookies.token, request, caller)
        session = self._state.session_of(caller)
        if self._state.book.active(session.account) is None:
            raise sign_in_again()
        is_fresh = self._state.clock.monotonic() < session.fresh_until
        if not is_fresh and needs_password(command, request.arguments):
            raise PasswordNeededError(say("give your password once more for this"))
        holds = partial(self._state.sessions.is_on, cookies.token)
        return Grant(session.account, session.roles, is_fresh=is_fresh, holds=holds)

    def _to_token(self, secret: str, request: ControlRequest, caller: Caller) -> Grant:
        state = self._state
        token, account = self._token_of(secret)
        if token.addresses:
            if not is_within(caller.address, token.addresses):
                raise not_admitted()
        else:
            state.check_admitted(caller, None)
        if not is_in_scope(token.scope, request.command, request.arguments):
            raise ControlError(
                say(
                    "the API token {name} may not do this; its scope is {scope}",
                    name=token.label,
                    scope=token.scope,
                )
            )
        self._note_use(token)
        roles = frozenset((Role.READER, token.role)) & (account.roles | {Role.READER})
        return Grant(account.name, roles, AuthorChannel.API, holds=lambda: self._is_on(secret))

    def _token_of(self, secret: str) -> tuple[ApiToken, Account]:
        """Return an API token that counts, and its account.

        Raises:
            SignInError: it is none.
        """
        book = self._state.book
        token = by_secret(book.tokens, secret)
        account = None if token is None else book.active(token.account)
        if token is None or account is None or token.ends_at <= self._state.time.least():
            raise SignInError(say("this API token is wrong, revoked or has ended"))
        return token, account

    def _is_on(self, secret: str) -> bool:
        with contextlib.suppress(SignInError):
            return bool(self._token_of(secret))
        return False
