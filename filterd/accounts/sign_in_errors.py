# SPDX-License-Identifier: Apache-2.0
"""The errors of signing in, each with the code by which a page chooses its form."""

from __future__ import annotations

from filterd.errors import ControlError
from filterd.i18n import say, say_n


class WrongPasswordError(ControlError):
    """Account, password, code or PIN is wrong; which of them is not told."""

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
