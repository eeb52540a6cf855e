# SPDX-License-Identifier: Apache-2.0
"""Sign people in and out, and tell who is signed in.

What a person left empty in the form of the sign-in is not missing: it is wrong, in words that do
not tell which of account and password is.
"""

from __future__ import annotations

from dataclasses import field
from typing import Annotated

from filterd.accounts.grant import EVERY_SCOPE
from filterd.base.value_class import frozen
from filterd.operations.accounts import NamedAccount
from filterd.operations.answers import extended
from filterd.operations.operation import Operation
from filterd.operations.parameters.scalar import Text
from filterd.operations.parameters.secret import Secret
from filterd.operations.request import OperationRequest

_CODE = _DEVICE = Secret(256)
_PASSWORD = Secret(400)
"""One that is typed; one that is chosen is shorter."""


@frozen
class SchoolAtSignIn:
    """What every page shows; ``now`` is policy time, None while it is not known."""

    school: str
    language: str
    time_zone: str
    now: float | None


@frozen
class ReadSchool(OperationRequest[SchoolAtSignIn], command="school", is_open=True):
    """The school, for pages before the sign-in."""


@frozen
class Admission:
    """Whether a device may see the dashboard; ``device``: '', waiting or confirmed."""

    admitted: bool
    device: str


@frozen(kw_only=True)
class AskAdmission(OperationRequest[Admission], command="admit", is_open=True):
    """Whether the device of a cookie, or of a code, may see the dashboard."""

    device: Annotated[str, _DEVICE] = field(default="", repr=False)
    code: Annotated[str, _CODE] = field(default="", repr=False)


@frozen
class BegunSession:
    """The token of a session that has begun."""

    token: str = field(repr=False)
    account: str


@frozen(kw_only=True)
class SignInByPassword(OperationRequest[BegunSession], command="login", is_open=True):
    """Begin a session by a password; ``code`` is of the authenticator."""

    account: Annotated[str, Text(200)] = ""
    password: Annotated[str, _PASSWORD] = field(default="", repr=False)
    code: Annotated[str, _CODE] = field(default="", repr=False)
    device: Annotated[str, _DEVICE] = field(default="", repr=False)


@frozen(kw_only=True)
class SignInByCode(OperationRequest[BegunSession], command="login-code", is_open=True):
    """Begin a session by a code that is good once."""

    code: Annotated[str, _CODE] = field(default="", repr=False)
    device: Annotated[str, _DEVICE] = field(default="", repr=False)


@frozen(kw_only=True)
class SignInByPin(OperationRequest[BegunSession], command="login-pin", is_open=True):
    """Begin a session by the PIN of an enrolled device."""

    device: Annotated[str, _DEVICE] = field(default="", repr=False)
    pin: Annotated[str, _PASSWORD] = field(default="", repr=False)


@frozen
class SignOut(OperationRequest[None], command="logout", is_of_session=True):
    """End the session."""


@frozen
class EndOtherSessions(OperationRequest[NamedAccount], command="logout-others", is_of_session=True):
    """End the other sessions of the person."""


@frozen
class PersonSession:
    """A session; ``classes`` None: all; ``ends_in_s`` None: of an API token."""

    account: str
    roles: tuple[str, ...]
    classes: tuple[str, ...] | None
    is_fresh: bool
    has_password: bool
    has_totp: bool
    ends_in_s: float | None


@frozen
class ReadSession(OperationRequest[PersonSession], command="session", scopes=EVERY_SCOPE):
    """The person who is signed in."""


@frozen
class ConfirmedPassword:
    """How long the password counts as given a moment ago."""

    for_s: float


@frozen(kw_only=True)
class ConfirmPassword(
    OperationRequest[ConfirmedPassword], command="confirm-password", is_of_session=True
):
    """Give the password of the session's account once more."""

    password: Annotated[str, _PASSWORD] = field(default="", repr=False)
    code: Annotated[str, _CODE] = field(default="", repr=False)


SESSION = Operation(
    name="readSession",
    method="GET",
    path="/session",
    about="The person who is signed in: roles, classes, and how long the session lasts.",
    request=ReadSession,
    answer=extended(PersonSession, {}, ("ends_in_s", "has_password", "has_totp")),
    tag="accounts",
)
END_OTHERS = Operation(
    name="endOtherSessions",
    method="POST",
    path="/session/end-others",
    about="End the person's sessions on every other device; the one that asks goes on.",
    request=EndOtherSessions,
    answer=NamedAccount,
    tag="accounts",
)
