# SPDX-License-Identifier: Apache-2.0
"""The commands for enrolled devices: a teacher's phone, on which a PIN signs in.

An administrator makes a code, good once and for five minutes, and shows it as a QR code. The
device redeems it, with its name and a PIN, and gets a cookie. It waits until the administrator
has confirmed its name: a code that was photographed over the shoulder is of no use.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from filterd.accounts.account import EnrolledDevice, hash_of, label, new_id, new_secret
from filterd.accounts.one_time_codes import FOR_S, CodePurpose
from filterd.accounts.password_hash import new_pin
from filterd.accounts.sign_in_delays import origin_of
from filterd.daemon.account_state import account_of, text_in, wanted_account, wrong_code
from filterd.daemon.control_commands import author_of
from filterd.daemon.sign_in_commands import TRIES
from filterd.errors import ControlError
from filterd.field_checks import shown
from filterd.i18n import say
from filterd.overrides.roles import Rank

if TYPE_CHECKING:
    from filterd.accounts.account import AccountBook
    from filterd.daemon.account_state import AccountState
    from filterd.daemon.control_caller import Caller
    from filterd.daemon.control_server import Command

FOR_DAYS = 180
_DAY_S = 86_400.0
_ENROL = say("enrol devices")


def enrolment_commands(state: AccountState) -> dict[str, Command]:
    """Return the commands by name."""
    made = _Enrolment(state)
    return {
        "account device-code": made.code,
        "account device-redeem": made.redeem,
        "account device-confirm": made.confirm,
        "account device-list": made.list,
        "account device-revoke": made.revoke,
    }


class _Enrolment:
    def __init__(self, state: AccountState) -> None:
        self._state = state

    async def code(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """Make a code for a device of an account."""
        author_of(caller).must_be(Rank.ADMIN, _ENROL)
        self._state.file.check()
        account = self._state.book.account(text_in(request, "account"))
        code = self._state.codes.make(CodePurpose.DEVICE, account.name)
        return {"code": code, "for_s": FOR_S[CodePurpose.DEVICE], "account": account.name}

    async def redeem(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """Enrol the device that has a code; return the secret for its cookie.

        A name or PIN that is refused leaves the code good.
        """
        state = self._state
        state.file.check()
        called, pin = label(request.get("name")), new_pin(request.get("pin"))
        code = text_in(request, "code")
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
        await state.file.change(lambda book: _without_ended(book, now).with_device(device))
        return {"id": device.id, "device": secret, "account": name}

    async def confirm(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """Confirm that a device is the one that was meant."""
        author_of(caller).must_be(Rank.ADMIN, _ENROL)
        state, device = self._state, self._device(request)
        await state.note(caller, "device-confirmed", device.account, label=device.label)

        def confirmed(book: AccountBook) -> AccountBook:
            found = next((one for one in book.devices if one.id == device.id), None)
            return book if found is None else book.with_device(replace(found, is_confirmed=True))

        await state.file.change(confirmed)
        return _shown(device)

    async def list(self, request: dict[str, Any], caller: Caller) -> list[dict[str, Any]]:
        """Return the devices, with the state of each."""
        name, now = wanted_account(request, caller), self._state.time.least()
        return [
            {
                **_shown(one),
                "state": _state_of(one, now),
                "made_at": one.made_at,
                "ends_at": one.ends_at,
                "used_on": one.used_on,
                "tries_left": one.tries_left,
            }
            for one in self._state.book.devices
            if name in ("", one.account)
        ]

    async def revoke(self, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """Forget a device, such as a lost phone, and end its sessions."""
        state, wanted = self._state, text_in(request, "id")
        owner = (one.account for one in state.book.devices if one.id == wanted)
        account_of({"account": next(owner, "")}, caller, _ENROL)
        device = self._device(request)
        await state.note(caller, "device-revoked", device.account, label=device.label)

        def without(book: AccountBook) -> AccountBook:
            return replace(book, devices=tuple(one for one in book.devices if one.id != device.id))

        await state.file.change(without)
        state.sessions.end_all(device.account, device=device.id)
        return _shown(device)

    def _device(self, request: dict[str, Any]) -> EnrolledDevice:
        wanted = text_in(request, "id")
        found = next((one for one in self._state.book.devices if one.id == wanted), None)
        if found is None:
            raise ControlError(say("there is no device {id}", id=shown(wanted)))
        return found


def _without_ended(book: AccountBook, now: float) -> AccountBook:
    """Return the book without devices that count no more, which make room for others."""
    return replace(
        book, devices=tuple(one for one in book.devices if _state_of(one, now) != "ended")
    )


def _state_of(device: EnrolledDevice, now: float) -> str:
    if device.ends_at <= now or device.tries_left <= 0:
        return "ended"
    return "confirmed" if device.is_confirmed else "waiting"


def _shown(device: EnrolledDevice) -> dict[str, Any]:
    return {"id": device.id, "name": device.label, "account": device.account}
