# SPDX-License-Identifier: Apache-2.0
"""Slow down failing sign-ins by the pair (account, origin), in memory.

No number of failures locks an account: a stranger could lock the administrator out. Failures of
one origin delay only that origin. After three for one account the delay doubles from one second
to fifteen minutes; after twenty for any accounts the same holds for the origin as a whole, after
five for an enrolled device, which has one owner. A link-local address is an origin of its own, so
that a pupil delays no teacher on the same link; a device that takes ever new ones is delayed by
the account and the link, after twenty. The errors of signing in are here, each with the code by
which a page chooses its form.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from filterd.base.clock import doubled_s
from filterd.base.errors import ControlError
from filterd.texts.i18n import say, say_n

if TYPE_CHECKING:
    from filterd.base.clock import Clock

FREE, FREE_OF_ORIGIN, FREE_OF_DEVICE, FREE_OF_LINK = 3, 20, 5, 20
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

    def add(self, now: float, free: int) -> None:
        """Count one more; from ``free`` on there is a delay."""
        self.n, self.last = self.n + 1, now
        if self.n >= free:
            self.until = now + doubled_s(1.0, self.n - free, LONGEST_S)

    def forgive(self, free: int) -> None:
        """Count one less."""
        self.n = max(0, self.n - 1)
        if self.n < free:
            self.until = 0.0


class Origin(NamedTuple):
    """What a sign-in counts for.

    Attributes:
        key: the address, the /64 of it, or an enrolled device.
        link: of a link-local address, which a device may choose anew; else empty.
        free: failures of any accounts without a delay.
    """

    key: str
    link: str = ""
    free: int = FREE_OF_ORIGIN


class SignInDelays:
    """The delays by pair and by origin."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pairs = OrderedDict[tuple[str, str], _Failures]()
        self._origins = OrderedDict[str, _Failures]()

    def check(self, account: str, origin: Origin) -> None:
        """Refuse what ``attempt`` would refuse, before anything waits for a turn.

        Raises:
            SlowDownError: it has to wait.
        """
        now = self._clock.monotonic()
        found = [self._pairs.get((account, one)) for one in (origin.key, origin.link) if one]
        found.append(self._origins.get(origin.key))
        wait_s = max((one.until - now for one in found if one is not None), default=0.0)
        if wait_s > 0:
            raise slow_down(math.ceil(wait_s))

    def attempt(self, account: str, origin: Origin) -> None:
        """Count an attempt as a failure until it is known to be none.

        So attempts at one moment count as well.

        Args:
            account: that is tried, whether or not it exists.
            origin: of the request.

        Raises:
            SlowDownError: it has to wait; then it is not counted.
        """
        self.check(account, origin)
        now = self._clock.monotonic()
        _entry(self._pairs, (account, origin.key), now).add(now, FREE)
        _entry(self._origins, origin.key, now).add(now, origin.free)
        if origin.link:
            _entry(self._pairs, (account, origin.link), now).add(now, FREE_OF_LINK)

    def passed(self, account: str, origin: Origin) -> None:
        """Forget the failures of a pair, and this attempt of its origin and link."""
        self._pairs.pop((account, origin.key), None)
        if (one := self._pairs.get((account, origin.link))) is not None:
            one.forgive(FREE_OF_LINK)
        if (one := self._origins.get(origin.key)) is not None:
            one.forgive(origin.free)


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
    addresses (RFC 8981). All devices of a link share the /64 of link-local addresses, so there it
    is the address with its link. Without a readable address it is the user that asks.

    Args:
        address: of the person's device, as the web process reports it.
        uid: of the process that asks.
    """
    return delayed_origin(address, uid).key


def delayed_origin(address: str, uid: int) -> Origin:
    """Return what a sign-in from an address counts for; see ``origin_of``."""
    plain, _, zone = address.partition("%")
    try:
        found = ip_address(plain)
    except ValueError:
        return Origin(f"uid-{uid}")
    if not isinstance(found, IPv6Address):
        return Origin(str(found))
    if found.ipv4_mapped is not None:
        return Origin(str(found.ipv4_mapped))
    link = str(ip_network((int(found), _ONE_LINK), strict=False))
    if found.is_link_local:
        return Origin(f"{found}%{zone}", f"{link}%{zone}")
    return Origin(link)
