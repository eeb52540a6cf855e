# SPDX-License-Identifier: Apache-2.0
"""Slow down failing sign-ins by the pair (account, origin), in memory.

No number of failures locks an account: a stranger could lock the administrator out. Failures of
one origin delay only that origin. After three for one account the delay doubles from one second
to fifteen minutes; after twenty for any accounts the same holds for the origin as a whole. The
errors of signing in are here, each with the code by which a page chooses its form.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, TypeVar

from filterd.errors import ControlError
from filterd.i18n import say, say_n

if TYPE_CHECKING:
    from filterd.clock import Clock

FREE, FREE_OF_ORIGIN = 3, 20
"""Failures without a delay."""
LONGEST_S = 900.0
FORGOTTEN_S = 3600.0
"""After so long without a failure."""
MOST = 4096
"""Pairs, and origins; those without a failure for longest are forgotten first."""


KeyT = TypeVar("KeyT")


class _Failures:
    """The failures of one key; ``until`` and ``last`` are monotonic times."""

    def __init__(self) -> None:
        self.n, self.until, self.last = 0, 0.0, 0.0


class SignInDelays:
    """The delays by pair and by origin."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pairs = OrderedDict[tuple[str, str], _Failures]()
        self._origins = OrderedDict[str, _Failures]()

    def check(self, account: str, origin: str, *, is_device: bool = False) -> None:
        """Refuse what ``attempt`` would refuse, before anything waits for a turn.

        Raises:
            SlowDownError: it has to wait.
        """
        now = self._clock.monotonic()
        found = [self._pairs.get((account, origin))]
        found += [] if is_device else [self._origins.get(origin)]
        wait_s = max((one.until - now for one in found if one is not None), default=0.0)
        if wait_s > 0:
            raise slow_down(math.ceil(wait_s))

    def attempt(self, account: str, origin: str, *, is_device: bool = False) -> None:
        """Count an attempt as a failure until it is known to be none.

        So attempts at one moment count as well.

        Args:
            account: that is tried, whether or not it exists.
            origin: of the request, or the id of an enrolled device.
            is_device: the latter; it has no part in what its address does.

        Raises:
            SlowDownError: it has to wait; then it is not counted.
        """
        self.check(account, origin, is_device=is_device)
        now = self._clock.monotonic()
        entries = [(_entry(self._pairs, (account, origin), now), FREE)]
        if not is_device:
            entries.append((_entry(self._origins, origin, now), FREE_OF_ORIGIN))
        for one, free in entries:
            one.n, one.last = one.n + 1, now
            if one.n >= free:
                one.until = now + min(LONGEST_S, 2.0 ** min(one.n - free, 20))

    def passed(self, account: str, origin: str) -> None:
        """Forget the failures of a pair; of those of its origin only this attempt."""
        self._pairs.pop((account, origin), None)
        if (one := self._origins.get(origin)) is not None:
            one.n = max(0, one.n - 1)
            if one.n < FREE_OF_ORIGIN:
                one.until = 0.0


def _entry(entries: OrderedDict[KeyT, _Failures], key: KeyT, now: float) -> _Failures:
    """Return the failures of a key, at the end of the table."""
    found = entries.pop(key, None)
    if found is None or now - max(found.last, found.until) > FORGOTTEN_S:
        found = _Failures()
    entries[key] = found
    if len(entries) > MOST:
        entries.popitem(last=False)
    return found


class WrongPasswordError(ControlError):
    """Account, password, code or PIN is wrong; which of them stays open."""

    code = "wrong-password"


class CodeNeededError(ControlError):
    """The password is right, and the account needs the code of its authenticator too."""

    code = "code-needed"


class SlowDownError(ControlError):
    """There were too many failures; the person has to wait."""

    code = "slow-down"


class BusySignInError(ControlError):
    """Too many passwords are being checked at the moment."""

    code = "busy-sign-in"


class PasswordNeededError(ControlError):
    """The command needs a password that was given a moment ago."""

    code = "password-needed"


class NotAdmittedError(ControlError):
    """The device is in no network, and is not enrolled, from which people sign in."""

    code = "not-admitted"


def wrong_password() -> WrongPasswordError:
    """Return the error for a wrong account or password."""
    return WrongPasswordError(say("the account or the password is wrong"))


def slow_down(for_s: int) -> SlowDownError:
    """Return the error for a sign-in that has to wait for so many seconds."""
    return SlowDownError(
        say_n(
            "too many wrong passwords; try again in one second",
            "too many wrong passwords; try again in {n} seconds",
            for_s,
        )
    )


def busy() -> BusySignInError:
    """Return the error for one password too many at a time."""
    return BusySignInError(
        say("too many people are signing in at the moment; try again in a moment")
    )


def not_admitted() -> NotAdmittedError:
    """Return the error for a device that may not sign in."""
    return NotAdmittedError(say("this device is not in a network of the staff and not enrolled"))


_ONE_LINK = 64


def origin_of(address: str, uid: int) -> str:
    """Return the origin of a request.

    It is an IPv4 address, or the /64 of an IPv6 address, in which a device chooses its own
    addresses (RFC 8981). Without a readable address it is the user that asks.

    Args:
        address: of the person's device, as the web process reports it.
        uid: of the process that asks.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return f"uid-{uid}"
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ip_network((int(found), _ONE_LINK), strict=False))
    return str(found)
