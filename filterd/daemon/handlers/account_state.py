# SPDX-License-Identifier: Apache-2.0
"""The accounts and sessions of the manager, and the check of a password.

Nothing here stops lookups: passwords are worked out in threads that give way, and an error
ends one command.

People sign in from networks of the grade ``staff``, which count by their addresses. A device
that is staff by its MAC address is to be enrolled: a MAC address is easily taken over.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import replace
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from filterd.accounts.account_file import AccountFile
from filterd.accounts.authenticator import is_authenticator_code, recovery_hash, step_of
from filterd.accounts.one_time_codes import OneTimeCodes
from filterd.accounts.password_hash import HashTurns, is_right, normal
from filterd.accounts.sessions import Session, Sessions
from filterd.accounts.sign_in_delays import (
    FREE_OF_DEVICE,
    CodeNeededError,
    Origin,
    SignInDelays,
    WrongPasswordError,
    delayed_origin,
    not_admitted,
    origin_of,
    wrong_password,
)
from filterd.clients.identifier import Identifier
from filterd.daemon.handlers.control_caller import author_of
from filterd.daemon.time.timekeeper import ClockStanding
from filterd.operations.sessions import BegunSession
from filterd.overrides.history.history_chain import ACCOUNT
from filterd.overrides.rights.roles import Rank, Role
from filterd.policy.calendar import day_ends_at
from filterd.policy.model import STAFF
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from filterd.accounts.account import Account, AccountBook, EnrolledDevice
    from filterd.accounts.one_time_codes import CodePurpose
    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.manager.manager import Manager
    from filterd.daemon.process import Setting
    from filterd.policy.model import Policy
    from filterd.resolve.site import Site
    from filterd.texts.i18n import Sentence

_DAY_UNKNOWN_S = 12 * 3600.0
_SHORTEST_S = 15 * 60.0
"""Of a session that begins shortly before midnight."""
_MOST_KNOWN = 1000


class Cookies(NamedTuple):
    """The token of the session and the secret of an enrolled device."""

    token: str
    device: str = ""

    @classmethod
    def of(cls, act_for: str) -> Cookies:
        """Return the parts of ``SESSION~DEVICE``."""
        token, _, device = act_for.partition("~")
        return cls(token, device)


class AccountState:
    """What the commands for accounts share.

    Attributes:
        failed: wrong passwords by account since the start, for its administrator.
    """

    def __init__(self, manager: Manager, setting: Setting) -> None:
        self.manager, self.clock, self.time = manager, setting.clock, setting.time
        self.file = AccountFile(setting.state, setting.time.least)
        self.file.load()
        self.turns, self.delays = HashTurns(), SignInDelays(setting.clock)
        self.sessions, self.codes = Sessions(setting.clock), OneTimeCodes(setting.clock)
        self.networks = SignInNetworks(lambda: manager.site)
        self.failed = Counter[str]()
        self._known = OrderedDict[tuple[str, str], None]()
        """Accounts and addresses with a right password since the start, the latest last."""

    @property
    def book(self) -> AccountBook:
        """The accounts in force."""
        return self.file.book

    def status(self) -> dict[str, Any]:
        """Return what everyone may know, and alerts need."""
        return {
            "number": len(self.book.accounts),
            "damaged": self.file.is_damaged,
            "recovered_at": self.book.recovered_at,
        }

    def known_now(self) -> float | None:
        """Return policy time, None while the time is not known."""
        clock = self.manager.clock()
        return None if clock["standing"] == ClockStanding.UNKNOWN.value else clock["policy_time"]

    def day(self) -> str:
        """Return the day of the school, empty while the time is not known."""
        now, zone = self.known_now(), ZoneInfo(self.manager.site.policy.time_zone)
        return "" if now is None else datetime.fromtimestamp(now, zone).date().isoformat()

    def day_left_s(self) -> float:
        """Return the seconds until the school's day is over."""
        now = self.known_now()
        if now is None:
            return _DAY_UNKNOWN_S
        return max(_SHORTEST_S, day_ends_at(self.manager.site.timed.policy, now) - now)

    def device_of(self, secret: str) -> EnrolledDevice | None:
        """Return the enrolled device of a cookie, confirmed or not."""
        return self.book.device_of(secret, self.time.least()) if secret else None

    def is_admitted(self, address: str, device: EnrolledDevice | None) -> bool:
        """Return whether people may be signed in on a device.

        Without an address the person is at the gateway itself.
        """
        if device is not None and device.is_confirmed:
            return True
        return not address or self.networks.is_of_staff(address)

    def check_admitted(self, caller: Caller, device: EnrolledDevice | None) -> None:
        """Refuse a device on which people may not sign in.

        Raises:
            NotAdmittedError: it is one.
        """
        if not self.is_admitted(caller.address, device):
            raise not_admitted()

    def session_of(self, caller: Caller) -> Session:
        """Return the session of the caller's token, and note that it was used.

        Raises:
            SignInError: there is none.
            NotAdmittedError: the device may not sign in any more.
        """
        cookies = Cookies.of(caller.token)
        device = self.device_of(cookies.device)
        if not self.sessions.admits(caller.address):
            self.check_admitted(caller, device)
        is_good = device is not None and device.is_confirmed
        return self.sessions.use(
            cookies.token,
            caller.uid,
            origin_of(caller.address, caller.uid),
            device.id if device is not None and is_good else "",
        )

    def begin_session(
        self,
        account: Account,
        caller: Caller,
        *,
        device: str = "",
        admitted: str = "",
        is_fresh: bool = True,
    ) -> BegunSession:
        """Begin a session; return its token.

        Args:
            account: of the person.
            caller: the process and the address of the device.
            device: the id of the enrolled one on which a PIN signed in; a PIN gives no more
                than the rights of a teacher.
            admitted: the address, where a code of the console admits it.
            is_fresh: whether the password was given.
        """
        roles = account.roles | {Role.READER}
        if device:
            roles &= {Role.READER, Role.TEACHER}
        origin = origin_of(caller.address, caller.uid)
        session = Session(account.name, roles, caller.uid, origin, device, admitted)
        token = self.sessions.begin(session, is_fresh=is_fresh, for_s=self.day_left_s())
        return BegunSession(token, account.name)

    async def verified(
        self, name: str, password: str, code: str, caller: Caller, device: EnrolledDevice | None
    ) -> Account:
        """Return the account of a right password, and of a right code if needed.

        Args:
            name: of the account, as it was typed.
            password: as it was typed.
            code: of the authenticator, or a recovery code; empty for none.
            caller: the process and the address of the device.
            device: the enrolled device, which is not slowed by what its address does.

        Raises:
            WrongPasswordError: one of them is wrong.
            CodeNeededError: the code is missing.
            SlowDownError, BusySignInError: it must be tried again later.
        """
        origin = origin_of(caller.address, caller.uid)
        known = name, caller.address
        # A stranger in the same /64 delays neither an enrolled device nor an address from
        # which the person has signed in.
        counted = delayed_origin(caller.address, caller.uid)
        if device is not None:
            counted = Origin(f"device-{device.id}", free=FREE_OF_DEVICE)
        elif known in self._known:
            counted = Origin(f"known-{caller.address}")
        self.delays.check(name, counted)
        async with self.turns.turn(origin):
            self.delays.attempt(name, counted)
            found = self.book.active(name)
            kept = None if found is None else found.password
            is_good = await is_right(kept, normal(password))
        account = self.book.active(name)  # it may have been disabled meanwhile
        if not is_good or account is None or account.password != kept:
            self.note_failure(name)
            raise wrong_password()
        if account.authenticator:
            await self._use_code(account.name, code)
        self.delays.passed(name, counted)
        self._known.pop(known, None)
        self._known[known] = None
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return account

    def account_of_code(
        self, code: str, caller: Caller, *purposes: CodePurpose, is_taken: bool = False
    ) -> str:
        """Return the account of a code, empty for one that is not good.

        A code may be one that a person thought of; so wrong ones slow their origin down. They
        delay no code that is random: strangers in the same /64 would keep it from its owner.

        Args:
            code: as it was given.
            caller: the process and the address of the device.
            purposes: for which it may be good.
            is_taken: whether it is used up.

        Raises:
            SlowDownError: it must be tried again later.
        """
        origin = delayed_origin(caller.address, caller.uid)
        if self.codes.may_be_guessed(code):
            self.delays.check("", origin)
        known = (self.codes.account_of(purpose, code) for purpose in purposes)
        found = next(filter(None, known), "") if code else ""
        if found and is_taken:
            self.codes.take(code)
        elif code and not found:
            self.delays.attempt("", origin)
        return found

    def note_failure(self, name: str) -> None:
        """Count a failure, of an account that exists: names of strangers take no memory."""
        if self.book.find(name) is not None:
            self.failed[name] += 1

    async def _use_code(self, name: str, code: str) -> None:
        """Use up a code of the authenticator, or a recovery code."""
        if not code:
            raise CodeNeededError(say("the code of the authenticator is missing"))
        code, is_totp, now = code.strip(), is_authenticator_code(code.strip()), self.known_now()
        if is_totp and now is None:
            raise CodeNeededError(
                say("the time is not known, so no code can be checked; use a recovery code")
            )

        def use(book: AccountBook) -> AccountBook:
            account = book.account(name)
            if not is_totp:
                used = recovery_hash(code)
                if used not in account.recovery:
                    raise wrong_code()
                left = tuple(one for one in account.recovery if one != used)
                return book.with_account(replace(account, recovery=left))
            step = step_of(account.authenticator, code, now or 0.0, account.step)
            if step is None:
                raise wrong_code()
            return book.with_account(replace(account, step=step))

        try:
            await self.file.change(use, must_last=not is_totp)
        except WrongPasswordError:
            self.note_failure(name)
            raise

    async def note(self, caller: Caller, what: str, account: str, **about: Any) -> None:
        """Record a change of the accounts in the history, before it is made.

        Raises:
            StoreError: it cannot be recorded.
        """
        payload = {"what": what, "account": account, **about}
        await self.manager.changes.note(ACCOUNT, payload, author_of(caller))


def wrong_code() -> WrongPasswordError:
    """Return the error for a wrong code, or one that was used."""
    return WrongPasswordError(say("this code is wrong, used or too old"))


def account_of(account: str, caller: Caller, to_do: Sentence) -> str:
    """Return the account of a request: one's own, or for administrators any.

    It is one's own in a session only: a user of the gateway may happen to have its name.

    Raises:
        ControlError: it is another person's, and the caller is no administrator.
    """
    author = author_of(caller)
    name = account or author.person
    if caller.grant is None or name != author.person:
        author.must_be(Rank.ADMIN, to_do)
    return name


def wanted_account(account: str, caller: Caller) -> str:
    """Return the account whose things are listed; empty for all.

    Raises:
        ControlError: it is another person's, and the caller is no administrator.
    """
    if not account and author_of(caller).rank >= Rank.ADMIN:
        return ""
    return account_of(account, caller, say("see what other people's accounts have"))


_ITSELF = frozenset((ip_address("127.0.0.1"), ip_address("::1")))
"""Not all of 127.0.0.0/8: the sample school has its networks there."""


class SignInNetworks:
    """Admits addresses by the site in force."""

    def __init__(self, site: Callable[[], Site]) -> None:
        self._site = site
        self._known: tuple[Policy, Identifier] | None = None

    def is_of_staff(self, address: str) -> bool:
        """Return whether an address is the gateway's own, or in a network of the staff."""
        try:
            found = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        found = getattr(found, "ipv4_mapped", None) or found
        if found in _ITSELF:
            return True
        client = self._identifier().identify(str(found))
        return client is not None and client.network is not None and client.grade.grade == STAFF

    def _identifier(self) -> Identifier:
        site = self._site()
        policy = site.timed.policy
        if self._known is None or self._known[0] is not policy:
            self._known = policy, Identifier(_by_addresses(policy), site.surroundings)
        return self._known[1]


def _by_addresses(policy: Policy) -> Policy:
    """Return a policy that knows no device by its MAC."""
    return replace(policy, networks=tuple(replace(network, macs=()) for network in policy.networks))


def is_within(address: str, networks: Iterable[str]) -> bool:
    """Return whether an address is in one of the networks (CIDR)."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in ip_network(network) for network in networks)
