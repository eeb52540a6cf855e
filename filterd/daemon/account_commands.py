# SPDX-License-Identifier: Apache-2.0
"""The commands of the control socket for accounts and for signing in.

``act_for`` of a request is the token of a session, ``SESSION~DEVICE`` in a browser that has
the cookie of an enrolled device too, or an API token. ``address`` is that of the person's
device: a request that has one and no token may ask the commands marked * only, which a browser
may ask before anyone has signed in::

    command                arguments                          result
    school *               -                                  {school, language, time_zone, now}
    admit *                {device?, code?}                   {admitted, device: ""|waiting|confirmed}
    login *                {account, password, code?}         {token, account}
    login-code *           {code}                             {token, account}
    login-pin *            {device, pin}                      {token, account}
    account device-redeem* {code, name, pin}                  {id, device, account}
    logout                 -                                  null
    session                -                                  {account, roles, classes, is_fresh,
                                                               ends_in_s, has_password, has_totp}
    confirm-password       {password, code?}                  {for_s}
    account list           -                                  [{account, roles, disabled, password,
                                                               totp, recovery, made_at, failed,
                                                               sessions, devices, tokens}]
    account add            {account, roles, password?}        {account}
    account passwd         {account?, password}               {account}
    account roles          {account, roles}                   {account, roles}
    account disable        {account}                          {account}
    account enable         {account}                          {account}
    account totp           {account?, on: true}               {secret, uri}
    account totp           {account?, on: true, code}         {account}: it holds from now on
    account totp           {account?, on: false}              {account}
    account recovery       {account?}                         {codes: [10 texts]}
    account code           {account?}                         {code, for_s, account}
    account recover        {account?}                         {code, for_s, account}; root only
    account token-add      {name, account?, role, scope,      {id, token, ends_at}
                            days, addresses?: [CIDR]}
    account token-list     {account?}                         [{id, name, account, role, scope,
                                                               addresses, made_at, ends_at, used_on,
                                                               ended}]
    account token-revoke   {id}                               {id, name, account}
    account device-code    {account}                          {code, for_s, account}
    account device-confirm {id}                               {id, name, account}
    account device-list    {account?}                         [{id, name, account, state, made_at,
                                                               ends_at, used_on, tries_left}]
    account device-revoke  {id}                               {id, name, account}

``account?`` is one's own where it is left out; others' need the role admin. ``roles`` are a list
of ``Role``; times are Unix times, days of use are ``2026-11-29``. ``scope`` is a key of
``accounts.token_scopes.SCOPES``. Codes of errors: ``sign-in`` (no session, or it has ended),
``wrong-password`` (or code, or PIN), ``code-needed`` (the password is right, the code of the
authenticator is missing), ``slow-down`` (too many failures; the sentence has the seconds),
``busy-sign-in`` (too many at a time), ``password-needed`` (step-up: ``confirm-password`` first,
then ask again), ``not-admitted`` (not from this network).
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from filterd.accounts.sessions import Sessions, SignInError
from filterd.daemon.control_commands import author_of
from filterd.i18n import say
from filterd.overrides.permissions import readable_classes
from filterd.overrides.roles import Rank, Role

if TYPE_CHECKING:
    from filterd.accounts.grant import Grant
    from filterd.clock import Clock
    from filterd.daemon.control_caller import Caller
    from filterd.daemon.control_server import Command
    from filterd.daemon.manager import Manager

_CODE_S = 15 * 60.0


class Accounts:
    """The accounts and sessions."""

    def __init__(self, manager: Manager, clock: Clock) -> None:
        self._manager, self._clock = manager, clock
        self._sessions = Sessions(clock)
        self._codes: dict[str, tuple[str, float]] = {}

    def granting(self, token: str, caller: Caller, _command: str) -> Grant:
        """Return what a token grants to a process; see ``control_server.Granting``."""
        return self._sessions.grant(token, caller.uid)

    def commands(self) -> dict[str, Command]:
        """Return the commands by name."""
        return {
            "school": self._school,
            "session": self._session,
            "login-code": self._login_code,
            "logout": self._logout,
            "account code": self._code,
        }

    async def _school(self, _: dict[str, Any], __: Caller) -> dict[str, Any]:
        """Return what every page shows, signed in or not."""
        policy, clock = self._manager.site.policy, self._manager.clock()
        return {
            "school": policy.school,
            "language": policy.language,
            "time_zone": policy.time_zone,
            "now": clock["policy_time"],
        }

    async def _session(self, _: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """Return the person who is signed in."""
        if caller.grant is None:
            raise SignInError(say("sign in first"))
        author = author_of(caller)
        classes = readable_classes(
            author, lambda: self._manager.changes.classroom(self._manager.site)
        )
        return {
            "account": caller.grant.account,
            "roles": sorted(caller.grant.roles),
            "classes": None if classes is None else sorted(classes),
            "is_fresh": caller.grant.is_fresh,
        }

    async def _code(self, _: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """Make a code for one sign-in, for root at the console."""
        author_of(caller).must_be(Rank.ADMIN, say("make a code"))
        code = secrets.token_urlsafe(16)
        self._codes[code] = ("admin", self._clock.monotonic() + _CODE_S)
        return {"code": code, "for_s": _CODE_S}

    async def _login_code(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        account, ends_at = self._codes.pop(str(request.get("code", "")), ("", 0.0))
        if not account or self._clock.monotonic() > ends_at:
            raise SignInError(say("this code is wrong, used or too old"))
        roles = frozenset((Role.READER, Role.ADMIN))
        return {"token": self._sessions.begin(account, roles, caller.uid)}

    async def _logout(self, _: dict[str, Any], caller: Caller) -> None:
        self._sessions.end(caller.token)
