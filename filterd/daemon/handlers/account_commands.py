# SPDX-License-Identifier: Apache-2.0
"""The commands of the control socket for accounts and for signing in.

``act_for`` of a request is the token of a session, ``SESSION~DEVICE`` in a browser that has
the cookie of an enrolled device too, or an API token. ``address`` is that of the person's
device: a request that has one and no token may ask the commands of ``operations.scopes.OPEN`` only,
which a browser may ask before anyone has signed in. What each command takes and answers stands in
``operations``: ``accounts``, ``sessions``, ``api_tokens``, ``enrolled_devices``.

An account that is left out is one's own in a session; others' need the role admin. Codes of
errors: ``sign-in`` (no session, or it has ended), ``wrong-password`` (or code, or PIN),
``code-needed`` (the password is right, the code of the authenticator is missing), ``slow-down``
(too many failures; the sentence has the seconds), ``busy-sign-in`` (too many at a time),
``password-needed`` (step-up: ``confirm-password`` first, then ask again), ``not-admitted`` (not
from this network), ``accounts-damaged``.
"""

from __future__ import annotations

import logging
import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from filterd.accounts.account import (
    Account,
    AccountBook,
    account_name,
)
from filterd.accounts.authenticator import (
    new_authenticator,
    new_recovery_codes,
    recovery_hash,
    step_of,
    text_of,
    uri_of,
)
from filterd.accounts.one_time_codes import FOR_S, CodePurpose
from filterd.accounts.password_hash import new_password
from filterd.accounts.sign_in_delays import origin_of
from filterd.base.errors import ControlError, StoreError
from filterd.daemon.handlers.account_grants import AccountGrants
from filterd.daemon.handlers.account_state import (
    AccountState,
    Cookies,
    account_of,
    wrong_code,
)
from filterd.daemon.handlers.api_token_commands import ApiTokenCommands
from filterd.daemon.handlers.control_caller import author_of
from filterd.daemon.handlers.handled import handled
from filterd.daemon.handlers.restore_commands import restore_commands
from filterd.daemon.handlers.sign_in_commands import enrolment_commands, sign_in_commands
from filterd.operations.accounts import (
    AccountRoles,
    AccountRow,
    AddAccount,
    DisableAccount,
    EnableAccount,
    MakeCode,
    MakeRecoveryCodes,
    NamedAccount,
    NewPassword,
    OneTimeCode,
    ReadAccounts,
    RecoverAccount,
    RecoveryCodes,
    SetAuthenticator,
    SetPassword,
    SetRoles,
)
from filterd.overrides.rights.roles import Rank, Role
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.daemon.manager.manager import Manager
    from filterd.daemon.process import Setting

_ROOT, _CONSOLE = 0, CodePurpose.CONSOLE
_is_chosen = re.compile(r"[A-Za-z0-9-]{12,64}", re.ASCII).fullmatch
_OTHERS = say("change other people's accounts")


_logger = logging.getLogger("filterd.accounts")


class Accounts:
    """The accounts and sessions, and the commands for them."""

    def __init__(self, manager: Manager, setting: Setting) -> None:
        self._state, self._folder = AccountState(manager, setting), setting.state
        self._tokens = ApiTokenCommands(self._state)
        self.granting = AccountGrants(self._state, self._tokens.note_use).granting
        self._pending: dict[str, bytes] = {}
        """Secrets of authenticators that no code has proved yet, by account."""

    @property
    def book(self) -> AccountBook:
        """The accounts."""
        return self._state.book

    def status(self) -> dict[str, Any]:
        """Return the accounts' part of a status."""
        return self._state.status()

    def commands(self) -> dict[str, Command]:
        """Return the commands by name."""
        return {
            **sign_in_commands(self._state),
            **enrolment_commands(self._state),
            **self._tokens.commands(),
            **restore_commands(self._state, self._folder),
            **handled(ReadAccounts, self._list),
            **handled(AddAccount, self._add),
            **handled(SetPassword, self._passwd),
            **handled(SetRoles, self._roles),
            **handled(DisableAccount, self._disable),
            **handled(EnableAccount, self._enable),
            **handled(SetAuthenticator, self._totp),
            **handled(MakeRecoveryCodes, self._recovery),
            **handled(MakeCode, self._code),
            **handled(RecoverAccount, self._recover),
        }

    async def _list(self, _: ReadAccounts, caller: Caller) -> tuple[AccountRow, ...]:
        author_of(caller).must_be(Rank.ADMIN, say("list the accounts"))
        state, book = self._state, self._state.book
        return tuple(
            AccountRow(
                account=account.name,
                roles=tuple(sorted(account.roles)),
                disabled=account.is_disabled,
                password=account.password is not None,
                totp=bool(account.authenticator),
                recovery=len(account.recovery),
                made_at=account.made_at,
                failed=state.failed[account.name],
                sessions=state.sessions.count(account.name),
                devices=sum(device.account == account.name for device in book.devices),
                tokens=sum(token.account == account.name for token in book.tokens),
            )
            for account in book.accounts
        )

    async def _add(self, asked: AddAccount, caller: Caller) -> NamedAccount:
        author_of(caller).must_be(Rank.ADMIN, _OTHERS)
        state = self._state
        state.file.check()
        name, roles = account_name(asked.account), frozenset(map(Role, asked.roles))
        made = Account(name, roles, state.time.least())
        if state.book.find(name) is not None:
            raise ControlError(say("there is an account {name} already", name=name))
        state.book.with_account(made)  # refuses what is refused below, before it is recorded
        if asked.password:
            made = await self._with_password(made, asked.password, caller)
        await state.note(caller, "added", name, roles=sorted(roles))

        def add(book: AccountBook) -> AccountBook:
            if book.find(name) is not None:
                raise ControlError(say("there is an account {name} already", name=name))
            return book.with_account(made)

        await state.file.change(add)
        return NamedAccount(name)

    async def _with_password(self, account: Account, password: str, caller: Caller) -> Account:
        chosen, origin = new_password(password, account.name), origin_of(caller.address, caller.uid)
        return replace(account, password=await self._state.turns.new(origin, chosen))

    async def _passwd(self, asked: SetPassword, caller: Caller) -> NewPassword:
        """Set the password of an account; its other sessions end.

        Its devices and API tokens go on, unless ``end`` is true: who reads another's password
        may have made some.
        """
        state, name = self._state, account_of(asked.account, caller, _OTHERS)
        made = await self._with_password(state.book.account(name), asked.password, caller)
        fields = {"password": made.password}
        await self._changed(caller, "password", name, fields, keeps_own=True, ends_all=asked.end)
        return NewPassword(
            name,
            devices=sum(device.account == name for device in state.book.devices),
            tokens=sum(token.account == name for token in state.book.tokens),
        )

    async def _roles(self, asked: SetRoles, caller: Caller) -> AccountRoles:
        author_of(caller).must_be(Rank.ADMIN, _OTHERS)
        roles = frozenset(map(Role, asked.roles))
        fields = {"roles": roles}
        await self._changed(caller, "roles", asked.account, fields, roles=sorted(roles))
        return AccountRoles(asked.account, tuple(sorted(roles)))

    async def _disable(self, asked: DisableAccount, caller: Caller) -> NamedAccount:
        author_of(caller).must_be(Rank.ADMIN, _OTHERS)
        fields = {"disabled_at": self._state.time.least()}
        return await self._changed(caller, "disabled", asked.account, fields)

    async def _enable(self, asked: EnableAccount, caller: Caller) -> NamedAccount:
        author_of(caller).must_be(Rank.ADMIN, _OTHERS)
        return await self._changed(caller, "enabled", asked.account, {"disabled_at": None})

    async def _totp(self, asked: SetAuthenticator, caller: Caller) -> NamedAccount | dict[str, Any]:
        """Begin to use an authenticator, once a code has proved it; or end it."""
        state, name = self._state, account_of(asked.account, caller, _OTHERS)
        account = state.book.account(name)
        if not asked.on:
            self._pending.pop(name, None)
            fields = {"authenticator": b"", "recovery": ()}
            return await self._changed(caller, "totp-off", name, fields, keeps_own=True)
        code = asked.code.strip()
        if not code:
            secret = self._pending[name] = new_authenticator()
            uri = uri_of(secret, name, state.manager.site.policy.school)
            return {"secret": text_of(secret), "uri": uri}
        secret, now = self._pending.get(name, b""), state.known_now()
        if now is None:
            raise ControlError(
                say("the time is not known, so no code can be checked; try again later")
            )
        used = step_of(secret, code, now, 0) if secret else None
        if used is None:
            raise wrong_code()
        codes = () if account.recovery else new_recovery_codes()
        hashes = account.recovery or tuple(map(recovery_hash, codes))
        proved = {"authenticator": secret, "step": used, "recovery": hashes}
        await self._changed(caller, "totp-on", name, proved, keeps_own=True)
        self._pending.pop(name, None)
        return {"account": name, "codes": list(codes)}

    async def _recovery(self, asked: MakeRecoveryCodes, caller: Caller) -> RecoveryCodes:
        """Make ten recovery codes; those before count no more."""
        name, codes = account_of(asked.account, caller, _OTHERS), new_recovery_codes()
        fields = {"recovery": tuple(map(recovery_hash, codes))}
        await self._changed(caller, "recovery", name, fields, keeps_own=True)
        return RecoveryCodes(tuple(codes))

    async def _changed(
        self,
        caller: Caller,
        what: str,
        name: str,
        fields: dict[str, Any],
        *,
        keeps_own: bool = False,
        ends_all: bool = False,
        **about: Any,
    ) -> NamedAccount:
        """Record a change of an account and make it; its sessions end.

        Args:
            caller: the process and the token.
            what: kind of the record.
            name: of the account.
            fields: new values of fields of ``Account``.
            keeps_own: whether the session of the caller's token goes on.
            ends_all: whether devices and API tokens of the account end as well.
            about: more of the record.
        """
        state = self._state
        state.file.check()

        def change(book: AccountBook) -> AccountBook:
            kept = book.without_access(name) if ends_all else book
            return kept.with_account(replace(book.account(name), **fields))

        change(state.book)  # what is refused is not recorded
        await state.note(caller, what, name, **about)
        await state.file.change(change)
        kept = Cookies.of(caller.token).token if keeps_own else ""
        state.sessions.end_all(name, besides=kept)
        state.codes.forget(name)
        return NamedAccount(name)

    async def _code(self, asked: MakeCode, caller: Caller) -> OneTimeCode:
        """Make a code for one sign-in; where there are no accounts yet, the first one too."""
        author_of(caller).must_be(Rank.ADMIN, say("make a code"))
        state = self._state
        state.file.check()
        name = asked.account
        if not state.book.accounts:
            await self._add(AddAccount(account=name, roles=(Role.ADMIN,)), caller)
        if state.book.active(name) is None:
            raise ControlError(say("there is no account {name} that may sign in", name=name[:80]))
        await state.note(caller, "code", name)
        return self._a_code(name, _CONSOLE if caller.grant is None else CodePurpose.SIGN_IN)

    async def _recover(self, asked: RecoverAccount, caller: Caller) -> OneTimeCode:
        """Make an administrator, for root at the console, whatever became of the accounts.

        The account loses what else may have been taken over: its password, authenticator,
        codes, sessions, devices and API tokens. A disk that
        is full keeps root from nothing but the record; the status and the journal have it.
        """
        if caller.grant is not None or caller.uid not in (_ROOT, os.geteuid()):
            raise ControlError(say("only root at the console recovers accounts"))
        state, now = self._state, self._state.clock.wall()
        name, chosen = account_name(asked.account), asked.code
        if chosen and _is_chosen(chosen) is None:
            raise ControlError(
                say("a code of your own has 12 to 64 characters: a-z, digits and hyphens")
            )

        def recover(book: AccountBook) -> AccountBook:
            found = book.find(name) or Account(name, frozenset(), state.time.least())
            roles = found.roles | {Role.ADMIN}
            made = replace(
                found, roles=roles, disabled_at=None, password=None, authenticator=b"", recovery=()
            )
            return replace(book.without_access(name).with_account(made), recovered_at=now)

        try:
            await state.note(caller, "recovered", name, roles=["admin"])
        except StoreError as error:
            _logger.error("%s; the account %s is recovered without a record", error, name)
        await state.file.begin_anew(recover)
        state.sessions.end_all(name)
        state.codes.forget(name)
        self._pending.pop(name, None)
        _logger.warning("the account %s was recovered at the console", name)
        return self._a_code(name, _CONSOLE, chosen)

    def _a_code(self, name: str, purpose: CodePurpose, chosen: str = "") -> OneTimeCode:
        return OneTimeCode(self._state.codes.make(purpose, name, chosen), FOR_S[purpose], name)
