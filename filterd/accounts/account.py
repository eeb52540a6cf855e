# SPDX-License-Identifier: Apache-2.0
"""Define accounts, API tokens and enrolled devices, as they are kept. Pure.

No secret is kept as it is: passwords and PINs as scrypt (``password_hash``), random secrets of
80 bits and more as SHA-256, which nothing can search through. The secret of an authenticator
is the exception: both sides compute with it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from filterd.base.errors import ChangeError, ControlError
from filterd.base.value_class import frozen
from filterd.overrides.rights.roles import SHARED, Role
from filterd.policy.field_checks import plain, shown, user
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.accounts.password_hash import PasswordHash
    from filterd.overrides.history.restored_history import Deletions

MOST_ACCOUNTS = 500
MOST_TOKENS = MOST_DEVICES = 1000
KEPT_DISABLED_S = 365 * 86_400.0
_MOST_OF_ONE = 20
"""API tokens, and devices, of one account."""
_LONGEST_LABEL = 60
_SECRET_OCTETS = 32


@frozen
class Account:
    """A person who may sign in.

    Attributes:
        name: as that of a user of the gateway, who is then the same person.
        roles: at least one.
        made_at: Unix time.
        disabled_at: Unix time; None while the person may sign in.
        password: None for an account that has only been given a one-time code.
        authenticator: the secret of the authenticator (RFC 6238); empty for none.
        step: the last time step whose code was used.
        recovery: the hashes of recovery codes that were not used.
    """

    name: str
    roles: frozenset[Role]
    made_at: float
    disabled_at: float | None = None
    password: PasswordHash | None = None
    authenticator: bytes = b""
    step: int = 0
    recovery: tuple[bytes, ...] = ()

    @property
    def is_disabled(self) -> bool:
        """Whether the person may not sign in."""
        return self.disabled_at is not None


@frozen
class ApiToken:
    """A token for a program, in the name of an account.

    Attributes:
        id: a short name, for people and commands.
        label: what it is for.
        hash: of the token.
        role: at most one of the account's.
        scope: one of ``grant.TokenScope``.
        addresses: the networks from which it may be used; empty for those of the staff.
        used_on: the day of its last use, ``2026-11-29``; empty for none.
    """

    id: str
    account: str
    label: str
    hash: bytes
    role: Role
    scope: str
    addresses: tuple[str, ...]
    made_at: float
    ends_at: float
    used_on: str = ""


@frozen
class EnrolledDevice:
    """A device, such as a teacher's phone, on which a PIN signs in.

    Attributes:
        hash: of the secret in its cookie.
        pin: the hash of the PIN.
        tries_left: of PINs; at 0 it must be enrolled again.
        is_confirmed: an administrator has confirmed that it is the right device.
        used_on: the day of its last use.
    """

    id: str
    account: str
    label: str
    hash: bytes
    pin: PasswordHash
    made_at: float
    ends_at: float
    tries_left: int
    is_confirmed: bool = False
    used_on: str = ""


ThingT = TypeVar("ThingT", bound="ApiToken | EnrolledDevice")


@frozen
class AccountBook:
    """All accounts with their tokens and devices.

    Attributes:
        number: of the change that made it; of two copies the higher one is newer.
        recovered_at: Unix time of the last recovery at the console.
    """

    number: int = 0
    recovered_at: float | None = None
    accounts: tuple[Account, ...] = ()
    tokens: tuple[ApiToken, ...] = ()
    devices: tuple[EnrolledDevice, ...] = ()

    def find(self, name: str) -> Account | None:
        """Return the account of this name."""
        return next((account for account in self.accounts if account.name == name), None)

    def account(self, name: str) -> Account:
        """Return the account of this name.

        Raises:
            ControlError: there is none.
        """
        found = self.find(name)
        if found is None:
            raise ControlError(say("there is no account {name}", name=shown(name)))
        return found

    def active(self, name: str) -> Account | None:
        """Return the account of this name if it may sign in."""
        found = self.find(name)
        return None if found is None or found.is_disabled else found

    def pruned(self, now: float) -> AccountBook:
        """Return the book without accounts that have been disabled for a year."""
        gone = {
            account.name
            for account in self.accounts
            if account.disabled_at is not None and account.disabled_at < now - KEPT_DISABLED_S
        }
        if not gone:
            return self
        return replace(
            self,
            accounts=tuple(account for account in self.accounts if account.name not in gone),
            tokens=tuple(token for token in self.tokens if token.account not in gone),
            devices=tuple(device for device in self.devices if device.account not in gone),
        )

    def without_access(self, name: str) -> AccountBook:
        """Return the book without the devices and API tokens of an account."""
        return replace(
            self,
            tokens=tuple(token for token in self.tokens if token.account != name),
            devices=tuple(device for device in self.devices if device.account != name),
        )

    def with_account(self, account: Account) -> AccountBook:
        """Return the book with an account anew, or in the place of the one of its name.

        Raises:
            ControlError: there are too many, one is called almost so, or no administrator
                would be left.
        """
        others = [one for one in self.accounts if one.name != account.name]
        is_new = len(others) == len(self.accounts)
        if is_new and len(others) >= MOST_ACCOUNTS:
            raise ControlError(say("there are {most} accounts already", most=MOST_ACCOUNTS))
        if any(one.name.casefold() == account.name.casefold() for one in others):
            raise ControlError(say("there is an account {name} already", name=shown(account.name)))
        made = tuple(sorted((*others, account), key=lambda one: one.name))
        if any(map(_may_administrate, self.accounts)) and not any(map(_may_administrate, made)):
            raise ControlError(
                say("{name} is the last administrator; make another one first", name=account.name)
            )
        return replace(self, accounts=made)

    def with_token(self, token: ApiToken) -> AccountBook:
        """Return the book with a token anew, or in the place of the one of its id.

        Raises:
            ControlError: there are too many.
        """
        return replace(self, tokens=_with(self.tokens, token, MOST_TOKENS))

    def with_device(self, device: EnrolledDevice) -> AccountBook:
        """Return the book with a device anew, or in the place of the one of its id.

        Raises:
            ControlError: there are too many.
        """
        return replace(self, devices=_with(self.devices, device, MOST_DEVICES))

    def device_of(self, secret: str, now: float) -> EnrolledDevice | None:
        """Return the enrolled device of the secret in a cookie, if it still counts."""
        device = by_secret(self.devices, secret)
        if device is None or device.ends_at <= now or device.tries_left <= 0:
            return None
        return device if self.active(device.account) else None


def _with(there: tuple[ThingT, ...], thing: ThingT, most: int) -> tuple[ThingT, ...]:
    others = tuple(one for one in there if one.id != thing.id)
    if len(others) == len(there):
        of_account = sum(one.account == thing.account for one in others)
        if len(others) >= most or of_account >= _MOST_OF_ONE:
            raise ControlError(
                say(
                    "{name} or the school has as many as are allowed; revoke one first",
                    name=thing.account,
                )
            )
    return (*others, thing)


def by_secret(things: Iterable[ThingT], secret: str) -> ThingT | None:
    """Return the token or device of a secret."""
    wanted = hash_of(secret)
    return next((thing for thing in things if hmac.compare_digest(thing.hash, wanted)), None)


def new_secret() -> str:
    """Return a new secret of 256 bits."""
    return secrets.token_urlsafe(_SECRET_OCTETS)


def new_id(taken: Iterable[str]) -> str:
    """Return a short id that is not taken."""
    known = set(taken)
    while (found := secrets.token_hex(3)) in known:
        pass
    return found


def hash_of(secret: str) -> bytes:
    """Return the hash under which a random secret is kept."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def account_name(value: object) -> str:
    """Check the name of an account.

    Raises:
        ChangeError: it is none, or that of a user that several people may act as.
    """
    from unicodedata import normalize  # noqa: PLC0415 -- a megabyte, needed here only

    name = normalize("NFC", user(value))
    if name.casefold() in SHARED:
        raise ChangeError(
            say("{name} is not the name of a person", name=name),
            hint=say("take the name of the person"),
        )
    return name


def label(value: object) -> str:
    """Check the name of a token or device.

    Raises:
        ChangeError: it is none, or too long.
    """
    called = say("the name")
    text = value.strip() if isinstance(value, str) else ""
    if not 0 < len(text) <= _LONGEST_LABEL:
        raise ChangeError(
            say("a name of 1 to {most} characters expected", most=_LONGEST_LABEL),
        )
    return plain(text, called)


def _may_administrate(account: Account) -> bool:
    return Role.ADMIN in account.roles and not account.is_disabled


def without_secrets(book: AccountBook) -> AccountBook:
    """Return names and roles alone, for a backup that is read without its secrets.

    Such a person needs ``filterd account code``.
    """
    accounts = tuple(
        replace(account, password=None, authenticator=b"", step=0, recovery=())
        for account in book.accounts
    )
    return AccountBook(number=book.number, accounts=accounts)


def merged(present: AccountBook, backup: AccountBook, gone: Deletions) -> AccountBook:
    """Return the accounts of this gateway with those of a backup that it lacks.

    An account that is here stays as it is, with its password, roles and tokens: what was changed
    since the backup, such as a password that others had learnt, is not changed back. An account
    that is not here comes back, unless it was disabled after the backup was made; its tokens and
    enrolled devices come with it, unless they were revoked since.

    Args:
        present: of this gateway.
        backup: of the backup.
        gone: what was removed since.
    """
    here = {account.name.casefold() for account in present.accounts}
    room = max(0, MOST_ACCOUNTS - len(here))
    lacking = {  # one of each name: the maker of a backup may be another program
        account.name.casefold(): account
        for account in backup.accounts
        if account.name.casefold() not in here and not gone.has("account", account.name, "")
    }
    come = list(lacking.values())[:room]
    if not come:
        return present
    names = {one.name for one in come}
    tokens = [
        token
        for token in backup.tokens
        if token.account in names and not gone.has("token", token.account, token.label)
    ]
    devices = [
        device
        for device in backup.devices
        if device.account in names and not gone.has("enrolled", device.account, device.label)
    ]
    return replace(
        present,
        accounts=tuple(sorted((*present.accounts, *come), key=lambda one: one.name)),
        tokens=(*present.tokens, *tokens)[:MOST_TOKENS],
        devices=(*present.devices, *devices)[:MOST_DEVICES],
    )
