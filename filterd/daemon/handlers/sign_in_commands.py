# SPDX-License-Identifier: Apache-2.0
"""The commands by which people sign in and out, and enrol devices for it.

An enrolled device is a teacher's phone, on which a PIN signs in. An administrator makes a code,
good once and for five minutes, and shows it as a QR code. The device redeems it, with its name
and a PIN, and gets a cookie. It waits until the administrator has confirmed its name: a code
that was photographed over the shoulder is of no use.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from filterd.accounts.account import EnrolledDevice, by_secret, hash_of, label, new_id, new_secret
from filterd.accounts.grant import FRESH_S, AuthorChannel
from filterd.accounts.one_time_codes import FOR_S, CodePurpose
from filterd.accounts.password_hash import is_right, new_pin, normal
from filterd.accounts.sessions import SignInError
from filterd.accounts.sign_in_delays import SlowDownError, WrongPasswordError, origin_of
from filterd.base.errors import ControlError
from filterd.daemon.handlers.account_state import (
    Cookies,
    account_of,
    is_within,
    wanted_account,
    wrong_code,
)
from filterd.daemon.handlers.control_caller import author_of
from filterd.daemon.handlers.handled import handled
from filterd.operations.accounts import NamedAccount, OneTimeCode
from filterd.operations.api_tokens import OwnedThing
from filterd.operations.enrolled_devices import (
    ConfirmDevice,
    DeviceRow,
    MakeDeviceCode,
    ReadEnrolledDevices,
    RedeemDevice,
    RedeemedDevice,
    RevokeDevice,
)
from filterd.operations.sessions import (
    Admission,
    AskAdmission,
    BegunSession,
    ConfirmedPassword,
    ConfirmPassword,
    EndOtherSessions,
    PersonSession,
    ReadSchool,
    ReadSession,
    SchoolAtSignIn,
    SignInByCode,
    SignInByPassword,
    SignInByPin,
    SignOut,
)
from filterd.overrides.rights.permissions import readable_classes
from filterd.overrides.rights.roles import Rank
from filterd.policy.field_checks import shown
from filterd.texts.i18n import say, say_n

if TYPE_CHECKING:
    from filterd.accounts.account import AccountBook
    from filterd.daemon.handlers.account_state import AccountState
    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.texts.i18n import Sentence

_ADMITTING = (CodePurpose.DEVICE, CodePurpose.CONSOLE)
_SIGNING_IN = (CodePurpose.CONSOLE, CodePurpose.SIGN_IN)
TRIES = 5
"""Of PINs, before a device must be enrolled again."""


def sign_in_commands(state: AccountState) -> dict[str, Command]:
    """Return the commands by name."""
    made = _SignIn(state)
    return {
        **handled(ReadSchool, made.school),
        **handled(AskAdmission, made.admit),
        **handled(SignInByPassword, made.login),
        **handled(SignInByCode, made.login_code),
        **handled(SignInByPin, made.login_pin),
        **handled(SignOut, made.logout),
        **handled(EndOtherSessions, made.logout_others),
        **handled(ReadSession, made.session),
        **handled(ConfirmPassword, made.confirm_password),
    }


class _SignIn:
    def __init__(self, state: AccountState) -> None:
        self._state, self._manager = state, state.manager

    async def school(self, _: ReadSchool, __: Caller) -> SchoolAtSignIn:
        """Return what every page shows, signed in or not."""
        policy, clock = self._manager.site.policy, self._manager.clock()
        return SchoolAtSignIn(
            policy.school, policy.language, policy.time_zone, clock["policy_time"]
        )

    async def admit(self, asked: AskAdmission, caller: Caller) -> Admission:
        """Return whether a device may reach the pages at all.

        A code for enrolment admits the device that has it, a code of the console that device
        for a session, and an API token with addresses the programs there.
        """
        state, cookies = self._state, Cookies.of(caller.token)
        device = state.device_of(asked.device or cookies.device)
        token = by_secret(state.book.tokens, cookies.token)
        is_admitted = (
            state.is_admitted(caller.address, device)
            or state.sessions.admits(caller.address)
            or self._is_admitting(asked.code, caller)
            or (token is not None and is_within(caller.address, token.addresses))
        )
        standing = "" if device is None else "confirmed" if device.is_confirmed else "waiting"
        return Admission(is_admitted, standing)

    async def login(self, asked: SignInByPassword, caller: Caller) -> BegunSession:
        """Sign a person in by a password."""
        self._state.file.check()
        device = self._confirmed(asked.device)
        self._state.check_admitted(caller, device)
        name = normal(asked.account.strip())
        account = await self._state.verified(name, asked.password, asked.code, caller, device)
        return self._state.begin_session(account, caller)

    async def login_code(self, asked: SignInByCode, caller: Caller) -> BegunSession:
        """Sign a person in by a code that was made for it.

        One of the console counts from everywhere: on a flat network an administrator who has
        only the box, or its boot partition, would not get in otherwise.
        """
        state, code = self._state, asked.code
        state.file.check()
        is_of_console = bool(state.codes.account_of(CodePurpose.CONSOLE, code))
        if not is_of_console:
            state.check_admitted(caller, self._confirmed(asked.device))
        name = state.account_of_code(code, caller, *_SIGNING_IN, is_taken=True)
        account, admitted = state.book.active(name), caller.address if is_of_console else ""
        if account is None:
            raise wrong_code()
        return state.begin_session(account, caller, admitted=admitted)

    async def login_pin(self, asked: SignInByPin, caller: Caller) -> BegunSession:
        """Sign a person in on an enrolled device; each try counts before it is checked."""
        state = self._state
        state.file.check()
        device = self._confirmed(asked.device)
        if device is None:
            raise not_enrolled()
        async with state.turns.turn(origin_of(caller.address, caller.uid)):
            await self._count(device.id, -1)
            is_good = await is_right(device.pin, asked.pin)
        account = state.book.active(device.account)
        if not is_good or account is None:
            state.note_failure(device.account)
            left = next((one.tries_left for one in state.book.devices if one.id == device.id), 0)
            raise WrongPasswordError(_wrong_pin(left))
        await self._count(device.id, TRIES)
        return state.begin_session(account, caller, device=device.id, is_fresh=False)

    async def logout(self, _: SignOut, caller: Caller) -> None:
        """End the session."""
        self._state.sessions.end(Cookies.of(caller.token).token)

    async def logout_others(self, _: EndOtherSessions, caller: Caller) -> NamedAccount:
        """End the other sessions of the person.

        Raises:
            SignInError: nobody is signed in.
        """
        if caller.grant is None:
            raise SignInError(say("sign in first"))
        kept = Cookies.of(caller.token).token
        self._state.sessions.end_all(caller.grant.account, besides=kept)
        return NamedAccount(caller.grant.account)

    async def session(self, _: ReadSession, caller: Caller) -> PersonSession:
        """Return the person who is signed in.

        Raises:
            SignInError: nobody is signed in.
        """
        grant = caller.grant
        if grant is None:
            raise SignInError(say("sign in first"))
        manager = self._manager
        classes = readable_classes(
            author_of(caller), lambda: manager.changes.classroom(manager.site)
        )
        ends_in_s = None
        if grant.channel is AuthorChannel.WEB:
            ends_in_s = self._state.session_of(caller).ends_in_s(self._state.clock.monotonic())
        account = self._state.book.find(grant.account)
        return PersonSession(
            account=grant.account,
            roles=tuple(sorted(grant.roles)),
            classes=None if classes is None else tuple(sorted(classes)),
            is_fresh=grant.is_fresh,
            has_password=account is not None and account.password is not None,
            has_totp=account is not None and bool(account.authenticator),
            ends_in_s=ends_in_s,
        )

    async def confirm_password(self, asked: ConfirmPassword, caller: Caller) -> ConfirmedPassword:
        """Note that the person of a session has given the password again.

        Raises:
            SignInError: nobody is signed in.
        """
        if caller.grant is None:
            raise SignInError(say("sign in first"))
        cookies = Cookies.of(caller.token)
        await self._state.verified(
            caller.grant.account,
            asked.password,
            asked.code,
            caller,
            self._confirmed(cookies.device),
        )
        self._state.sessions.refresh(cookies.token)
        return ConfirmedPassword(FRESH_S)

    def _is_admitting(self, code: str, caller: Caller) -> bool:
        with contextlib.suppress(SlowDownError):
            return bool(self._state.account_of_code(code, caller, *_ADMITTING))
        return False

    def _confirmed(self, secret: str) -> EnrolledDevice | None:
        device = self._state.device_of(secret)
        return device if device is not None and device.is_confirmed else None

    async def _count(self, device_id: str, tries: int) -> None:
        """Take a try away, or give all of them back after a right PIN."""
        day = self._state.day()

        def count(book: AccountBook) -> AccountBook:
            found = next((device for device in book.devices if device.id == device_id), None)
            if found is None or (tries < 0 and found.tries_left <= 0):
                raise not_enrolled()
            if tries < 0:
                return book.with_device(replace(found, tries_left=found.tries_left + tries))
            return book.with_device(replace(found, tries_left=tries, used_on=day or found.used_on))

        await self._state.file.change(count, must_last=False)


def not_enrolled() -> SignInError:
    """Return the error for a device on which no PIN signs in."""
    return SignInError(say("this device is not enrolled, or not confirmed yet"))


def _wrong_pin(left: int) -> Sentence:
    if left <= 0:
        return say("the PIN is wrong; this device must be enrolled again")
    return say_n("the PIN is wrong; one try is left", "the PIN is wrong; {n} tries are left", left)


FOR_DAYS = 180
_DAY_S = 86_400.0
_ENROL = say("enrol devices")


def enrolment_commands(state: AccountState) -> dict[str, Command]:
    """Return the commands by name."""
    made = _Enrolment(state)
    return {
        **handled(MakeDeviceCode, made.code),
        **handled(RedeemDevice, made.redeem),
        **handled(ConfirmDevice, made.confirm),
        **handled(ReadEnrolledDevices, made.list),
        **handled(RevokeDevice, made.revoke),
    }


class _Enrolment:
    def __init__(self, state: AccountState) -> None:
        self._state = state

    async def code(self, asked: MakeDeviceCode, caller: Caller) -> OneTimeCode:
        """Make a code for a device of an account."""
        author_of(caller).must_be(Rank.ADMIN, _ENROL)
        self._state.file.check()
        name = self._state.book.account(asked.account).name
        code = self._state.codes.make(CodePurpose.DEVICE, name)
        return OneTimeCode(code, FOR_S[CodePurpose.DEVICE], name)

    async def redeem(self, asked: RedeemDevice, caller: Caller) -> RedeemedDevice:
        """Enrol the device that has a code; return the secret for its cookie.

        A name or PIN that is refused leaves the code good.
        """
        state = self._state
        state.file.check()
        called, pin, code = label(asked.name), new_pin(asked.pin), asked.code
        if not state.account_of_code(code, caller, CodePurpose.DEVICE):
            raise wrong_code()
        hashed = await state.turns.new(origin_of(caller.address, caller.uid), pin)
        name = state.account_of_code(code, caller, CodePurpose.DEVICE, is_taken=True)
        now = state.time.least()
        if state.book.active(name) is None:
            raise wrong_code()
        secret = new_secret()
        device = EnrolledDevice(
            new_id(one.id for one in state.book.devices),
            name,
            called,
            hash_of(secret),
            hashed,
            now,
            now + FOR_DAYS * _DAY_S,
            TRIES,
        )
        ended_by = state.time.not_before()
        await state.file.change(lambda book: _without_ended(book, ended_by).with_device(device))
        return RedeemedDevice(device.id, secret, name)

    async def confirm(self, asked: ConfirmDevice, caller: Caller) -> OwnedThing:
        """Confirm that a device is the one that was meant."""
        author_of(caller).must_be(Rank.ADMIN, _ENROL)
        state, device = self._state, self._device(asked.id)
        await state.note(caller, "device-confirmed", device.account, label=device.label)

        def confirmed(book: AccountBook) -> AccountBook:
            found = next((one for one in book.devices if one.id == device.id), None)
            return book if found is None else book.with_device(replace(found, is_confirmed=True))

        await state.file.change(confirmed)
        return _named(device)

    async def list(self, asked: ReadEnrolledDevices, caller: Caller) -> tuple[DeviceRow, ...]:
        """Return the devices, with the state of each."""
        name, now = wanted_account(asked.account, caller), self._state.time.least()
        return tuple(
            DeviceRow(
                id=device.id,
                name=device.label,
                account=device.account,
                state=_state_of(device, now),
                made_at=device.made_at,
                ends_at=device.ends_at,
                used_on=device.used_on,
                tries_left=device.tries_left,
            )
            for device in self._state.book.devices
            if name in ("", device.account)
        )

    async def revoke(self, asked: RevokeDevice, caller: Caller) -> OwnedThing:
        """Forget a device, such as a lost phone, and end its sessions."""
        state = self._state
        owner = (one.account for one in state.book.devices if one.id == asked.id)
        account_of(next(owner, ""), caller, _ENROL)
        device = self._device(asked.id)
        await state.note(caller, "device-revoked", device.account, label=device.label)

        def without(book: AccountBook) -> AccountBook:
            return replace(book, devices=tuple(one for one in book.devices if one.id != device.id))

        await state.file.change(without)
        state.sessions.end_all(device.account, device=device.id)
        return _named(device)

    def _device(self, wanted: str) -> EnrolledDevice:
        found = next((device for device in self._state.book.devices if device.id == wanted), None)
        if found is None:
            raise ControlError(say("there is no device {id}", id=shown(wanted)))
        return found


def _without_ended(book: AccountBook, now: float) -> AccountBook:
    """Return the book without devices that count no more, which make room for others."""
    return replace(
        book, devices=tuple(device for device in book.devices if _state_of(device, now) != "ended")
    )


def _state_of(device: EnrolledDevice, now: float) -> str:
    if device.ends_at <= now or device.tries_left <= 0:
        return "ended"
    return "confirmed" if device.is_confirmed else "waiting"


def _named(device: EnrolledDevice) -> OwnedThing:
    return OwnedThing(device.id, device.label, device.account)
