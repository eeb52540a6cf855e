# SPDX-License-Identifier: Apache-2.0
"""The commands for API tokens: programs that ask in the name of an account."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from ipaddress import ip_network
from typing import TYPE_CHECKING

from filterd.accounts.account import ApiToken, hash_of, label, new_id, new_secret
from filterd.base.errors import ChangeError, ControlError
from filterd.daemon.handlers.account_state import account_of, wanted_account
from filterd.daemon.handlers.handled import handled
from filterd.operations.api_tokens import (
    AddToken,
    NewToken,
    OwnedThing,
    ReadTokens,
    RevokeToken,
    TokenRow,
)
from filterd.overrides.rights.roles import Role
from filterd.policy.field_checks import shown
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from filterd.accounts.account import AccountBook
    from filterd.daemon.handlers.account_state import AccountState
    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command

PREFIX = "filterd_"
"""The beginning of API tokens, by which scanners for leaked secrets find them."""
_DAY_S = 86_400.0
_OTHERS = say("see or change other people's API tokens")


class ApiTokenCommands:
    """The commands, and the days on which tokens were used."""

    def __init__(self, state: AccountState) -> None:
        self._state = state
        self._noting: dict[str, asyncio.Task[AccountBook]] = {}

    def commands(self) -> dict[str, Command]:
        """Return the commands by name."""
        return {
            **handled(AddToken, self._add),
            **handled(ReadTokens, self._list),
            **handled(RevokeToken, self._revoke),
        }

    def note_use(self, token: ApiToken) -> None:
        """Note the day of a use, once a day; on a full disk it works, too."""
        day = self._state.day()
        if not day or token.used_on == day or token.id in self._noting:
            return

        def note(book: AccountBook) -> AccountBook:
            found = next((one for one in book.tokens if one.id == token.id), None)
            return book if found is None else book.with_token(replace(found, used_on=day))

        task = asyncio.get_running_loop().create_task(
            self._state.file.change(note, must_last=False)
        )
        self._noting[token.id] = task
        task.add_done_callback(lambda _: self._noting.pop(token.id, None))

    async def _add(self, asked: AddToken, caller: Caller) -> NewToken:
        state, name = self._state, account_of(asked.account, caller, _OTHERS)
        state.file.check()
        account, now, role = state.book.account(name), state.known_now(), Role(asked.role)
        if role not in account.roles | {Role.READER}:
            raise ChangeError(say("{name} does not have the role {role}", name=name, role=role))
        if now is None:
            raise ControlError(say("the time is not known, so an API token would not end"))
        secret = PREFIX + new_secret()
        token = ApiToken(
            new_id(one.id for one in state.book.tokens),
            name,
            label(asked.name),
            hash_of(secret),
            role,
            asked.scope,
            tuple(map(_network, asked.addresses)),
            now,
            now + asked.days * _DAY_S,
        )
        state.book.with_token(token)
        await state.note(caller, "token-added", name, label=token.label)
        await state.file.change(lambda book: book.with_token(token))
        return NewToken(token.id, secret, token.ends_at)

    async def _list(self, asked: ReadTokens, caller: Caller) -> tuple[TokenRow, ...]:
        name, now = wanted_account(asked.account, caller), self._state.time.least()
        return tuple(
            TokenRow(
                id=token.id,
                name=token.label,
                account=token.account,
                role=token.role.value,
                scope=token.scope,
                addresses=token.addresses,
                made_at=token.made_at,
                ends_at=token.ends_at,
                used_on=token.used_on,
                ended=token.ends_at <= now,
            )
            for token in self._state.book.tokens
            if name in ("", token.account)
        )

    async def _revoke(self, asked: RevokeToken, caller: Caller) -> OwnedThing:
        state, wanted = self._state, asked.id
        token = next((one for one in state.book.tokens if one.id == wanted), None)
        account_of(token.account if token else "", caller, _OTHERS)
        if token is None:
            raise ControlError(say("there is no API token {id}", id=shown(wanted)))
        await state.note(caller, "token-revoked", token.account, label=token.label)
        await state.file.change(
            lambda book: replace(book, tokens=tuple(one for one in book.tokens if one.id != wanted))
        )
        return OwnedThing(token.id, token.label, token.account)


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        raise ChangeError(
            say("{text} is not a network", text=shown(text)),
            hint=say("such as 192.168.1.10 or 192.168.1.0/24"),
        ) from None
